/* A tap of LPIPS: blocks of places are summed by any thread into a place of their own, the blocks
 * then in order. */
#include "kernels/cpu/cpu_internal.h"

#include <math.h>

#define EPS 1e-10

typedef struct {
    const skv_lpips_layer_args *a;
    int64_t places, block, blocks; /* of a picture, of a block, blocks of a picture */
    double *sum;                   /* (B, blocks) */
} job;

/* Scratch of all threads bounds how many blocks there are. */
#define MAX_BLOCKS ((int64_t)(SKV_CPU_SCRATCH / sizeof(double)))

static double norm(const float *x, int64_t c)
{
    double sum = 0;

    for (int64_t i = 0; i < c; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum) + EPS;
}

static void block(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const int64_t c = j->a->a.shape[3], picture = i / j->blocks, first = i % j->blocks * j->block;
    const int64_t end = first + j->block < j->places ? first + j->block : j->places;
    const float *w = skv_f32(&j->a->w);
    double total = 0;

    (void)scratch;
    for (int64_t p = first; p < end; p++) {
        const float *a = skv_f32(&j->a->a) + (picture * j->places + p) * c;
        const float *b = skv_f32(&j->a->b) + (picture * j->places + p) * c;
        const double na = 1 / norm(a, c), nb = 1 / norm(b, c);
        double sum = 0;

        for (int64_t k = 0; k < c; k++) {
            const double d = (double)a[k] * na - (double)b[k] * nb;

            sum += (double)w[k] * d * d;
        }
        total += sum;
    }
    j->sum[i] = total;
}

skv_status skv_cpu_lpips_layer(skv_backend *be, const skv_lpips_layer_args *a)
{
    const int64_t n = a->a.shape[0];
    job j = {.a = a, .places = a->a.shape[1] * a->a.shape[2], .sum = skv_cpu__shared(be)};

    if (n > MAX_BLOCKS)
        return skv_fail(SKV_E_UNSUPPORTED, "lpips_layer: %lld pictures are too many", (long long)n);
    j.block = j.places / (MAX_BLOCKS / n) + 1;
    if (j.block < 64)
        j.block = 64;
    j.blocks = (j.places + j.block - 1) / j.block;
    skv_cpu__parallel(be, n * j.blocks, block, &j);
    for (int64_t b = 0; b < n; b++) {
        double sum = 0;

        for (int64_t i = 0; i < j.blocks; i++)
            sum += j.sum[b * j.blocks + i];
        skv_f32(&a->d)[b] = (float)(sum / (double)j.places);
    }
    return SKV_OK;
}
