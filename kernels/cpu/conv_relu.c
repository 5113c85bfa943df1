/* Convolution with bias and ReLU: a tile of places is laid out as rows of kh·kw·Ci numbers in the
 * thread's scratch (a 1×1 kernel reads them where they lie), then one product with the weights.
 * Small maps are cut along the output channels too, so that all threads have work. */
#include "kernels/cpu/cpu_internal.h"

#include <cblas.h>
#include <string.h>

#define MAX_TILE 256 /* places: keeps a tile's rows near the cores */
#define MIN_TILE 64  /* output channels */
#define ENOUGH   16  /* tiles: below that channels are cut as well */

typedef struct {
    const skv_conv_relu_args *a;
    int64_t all, places, tiles; /* output places, of a tile, tiles of places */
    int64_t channels;           /* output channels of a tile */
    bool direct;                /* x's places are the rows */
} job;

/* Row of kh·kw·Ci numbers of output place (oy,ox) of one picture. */
static void gather(float *row, const float *picture, const skv_conv_relu_args *a, int64_t oy,
                   int64_t ox)
{
    const int64_t h = a->x.shape[1], w = a->x.shape[2], ci = a->x.shape[3];
    const int64_t x0 = ox * a->stride - a->pad_w;
    const int64_t left = x0 < 0 ? -x0 : 0, right = x0 + a->kw > w ? x0 + a->kw - w : 0;
    const size_t inside = (size_t)((a->kw - left - right) * ci) * sizeof *row;

    for (int64_t dy = 0; dy < a->kh; dy++, row += a->kw * ci) {
        const int64_t y = oy * a->stride - a->pad_h + dy;

        if (y < 0 || y >= h) {
            memset(row, 0, (size_t)(a->kw * ci) * sizeof *row);
            continue;
        }
        memset(row, 0, (size_t)(left * ci) * sizeof *row);
        memcpy(row + left * ci, picture + (y * w + x0 + left) * ci, inside);
        memset(row + (a->kw - right) * ci, 0, (size_t)(right * ci) * sizeof *row);
    }
}

static void lay_out(float *rows, const job *j, int64_t first, int64_t n)
{
    const skv_conv_relu_args *a = j->a;
    const int64_t wo = a->y.shape[2], map = a->y.shape[1] * wo, k = a->w.shape[1];
    const int64_t picture = a->x.shape[1] * a->x.shape[2] * a->x.shape[3];

    for (int64_t p = 0; p < n; p++) {
        const int64_t place = (first + p) % map;

        gather(rows + p * k, skv_f32(&a->x) + (first + p) / map * picture, a, place / wo,
               place % wo);
    }
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const skv_conv_relu_args *a = j->a;
    const int64_t k = a->w.shape[1], co = a->w.shape[0], far = a->y.stride[2];
    const int64_t first = i % j->tiles * j->places, channel = i / j->tiles * j->channels;
    const int64_t n = first + j->places < j->all ? j->places : j->all - first;
    const int64_t m = channel + j->channels < co ? j->channels : co - channel;
    const float *rows = scratch, *b = skv_f32(&a->b) + channel;
    float *y = skv_f32(&a->y) + first * far + channel;

    if (j->direct)
        rows = skv_f32(&a->x) + first * k;
    else
        lay_out(scratch, j, first, n);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, (int)m, (int)k, 1.0f, rows, (int)k,
                skv_f32(&a->w) + channel * k, (int)k, 0.0f, y, (int)far);
    for (int64_t p = 0; p < n; p++)
        for (int64_t c = 0; c < m; c++) {
            const float v = y[p * far + c] + b[c];

            y[p * far + c] = v > 0 ? v : 0;
        }
}

skv_status skv_cpu_conv_relu(skv_backend *be, const skv_conv_relu_args *a)
{
    const int64_t k = a->w.shape[1], co = a->w.shape[0];
    job j = {.a = a,
             .all = a->y.shape[0] * a->y.shape[1] * a->y.shape[2],
             .places = (int64_t)(SKV_CPU_SCRATCH / sizeof(float)) / k,
             .channels = co,
             .direct =
                 a->kh == 1 && a->kw == 1 && a->stride == 1 && a->pad_h == 0 && a->pad_w == 0};

    if (j.places > MAX_TILE)
        j.places = MAX_TILE;
    if (j.places < 1)
        return skv_fail(SKV_E_UNSUPPORTED, "conv_relu: %lld numbers a place are too many",
                        (long long)k);
    j.tiles = (j.all + j.places - 1) / j.places;
    if (j.tiles < ENOUGH && co > MIN_TILE)
        j.channels = MIN_TILE;
    skv_cpu__parallel(be, j.tiles * ((co + j.channels - 1) / j.channels), tile, &j);
    be->flops += 2 * j.all * k * co;
    return SKV_OK;
}
