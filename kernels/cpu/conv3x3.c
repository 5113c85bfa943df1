/* 3×3 convolution, NHWC: a tile of places is laid out as rows of 9·Ci numbers in the thread's
 * scratch, then one product with the packed weights (Co, 9·Ci). */
#include "kernels/cpu/cpu_internal.h"

#include <cblas.h>
#include <string.h>

#define MAX_TILE 256 /* places: keeps a tile's rows in the second-level cache for wide layers */

typedef struct {
    const skv_conv3x3_args *a;
    int64_t places; /* of a tile */
} job;

/* Row of 9·Ci numbers of place (y,x) of one picture. */
static void gather(float *row, const float *picture, int64_t h, int64_t w, int64_t ci, int64_t y,
                   int64_t x)
{
    for (int64_t dy = -1; dy <= 1; dy++)
        for (int64_t dx = -1; dx <= 1; dx++) {
            const int64_t sy = y + dy, sx = x + dx;

            if (sy < 0 || sy >= h || sx < 0 || sx >= w)
                memset(row, 0, (size_t)ci * sizeof *row);
            else
                memcpy(row, picture + (sy * w + sx) * ci, (size_t)ci * sizeof *row);
            row += ci;
        }
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const skv_conv3x3_args *a = j->a;
    const int64_t h = a->x.shape[1], w = a->x.shape[2], ci = a->x.shape[3], co = a->y.shape[3];
    const int64_t all = a->x.shape[0] * h * w, first = i * j->places;
    const int64_t n = first + j->places < all ? j->places : all - first;
    const float *r = a->r.data ? skv_f32(&a->r) + first * co : NULL, *b = skv_f32(&a->b);
    float *rows = scratch, *y = skv_f32(&a->y) + first * co;

    for (int64_t p = 0; p < n; p++) {
        const int64_t place = (first + p) % (h * w), picture = (first + p) / (h * w);

        gather(rows + p * 9 * ci, skv_f32(&a->x) + picture * h * w * ci, h, w, ci, place / w,
               place % w);
        for (int64_t c = 0; c < co; c++)
            y[p * co + c] = r ? b[c] + r[p * co + c] : b[c];
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)co, (int)(9 * ci), 1.0f, rows,
                (int)(9 * ci), skv_f32(&a->w), (int)(9 * ci), 1.0f, y, (int)co);
}

skv_status skv_cpu_conv3x3(skv_backend *be, const skv_conv3x3_args *a)
{
    const int64_t ci = a->x.shape[3], row_bytes = 9 * ci * (int64_t)sizeof(float);
    const int64_t all = a->x.shape[0] * a->x.shape[1] * a->x.shape[2];
    job j = {.a = a, .places = (int64_t)SKV_CPU_SCRATCH / row_bytes};

    if (j.places > MAX_TILE)
        j.places = MAX_TILE;
    if (j.places < 1)
        return skv_fail(SKV_E_UNSUPPORTED, "conv3x3: %lld channels are too many", (long long)ci);
    skv_cpu__parallel(be, (all + j.places - 1) / j.places, tile, &j);
    be->flops += 2 * all * 9 * ci * a->y.shape[3];
    return SKV_OK;
}
