/* Upsampling and a 3×3 convolution in one: a line of x gives two of y, and each of their four
 * phases is up to four products of neighbouring places with one tap. */
#include "kernels/cpu/cpu_internal.h"

#include <cblas.h>
#include <string.h>

typedef struct {
    const skv_upsample_conv_args *a;
} job;

/* y (every other place of a line) += x (a line)·tap, x moved by `shift` places. */
static void add_tap(float *y, const float *x, const float *tap, int64_t width, int shift,
                    const skv_upsample_conv_args *a)
{
    const int64_t ci = a->x.shape[3], co = a->y.shape[3];
    const int64_t first = shift < 0 ? -shift : 0, end = shift > 0 ? width - shift : width;

    if (end > first)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)(end - first), (int)co, (int)ci,
                    1.0f, x + (first + shift) * ci, (int)ci, tap, (int)(16 * co), 1.0f,
                    y + 2 * first * co, (int)(2 * co));
}

/* One line of x, two of y. */
static void line(void *ctx, int64_t i, void *scratch)
{
    const skv_upsample_conv_args *a = ((const job *)ctx)->a;
    const int64_t height = a->x.shape[1], width = a->x.shape[2], ci = a->x.shape[3];
    const int64_t co = a->y.shape[3];
    const float *x = skv_f32(&a->x) + i * width * ci, *w = skv_f32(&a->w);
    float *y = skv_f32(&a->y) + i * 4 * width * co;

    (void)scratch;
    for (int64_t p = 0; p < 4 * width; p++)
        memcpy(y + p * co, a->b.data, (size_t)co * sizeof *y);
    for (int down = 0; down < 2; down++)
        for (int side = 0; side < 2; side++) {
            float *phase = y + (down * 2 * width + side) * co;
            const float *here = w + ((1 + down) * 4) * co, *near = w + ((3 - 3 * down) * 4) * co;
            const int64_t other = i % height - 1 + 2 * down;

            add_tap(phase, x, here + (1 + side) * co, width, 0, a);
            add_tap(phase, x, here + (3 - 3 * side) * co, width, 2 * side - 1, a);
            if (other < 0 || other >= height)
                continue;
            add_tap(phase, x + (2 * down - 1) * width * ci, near + (1 + side) * co, width, 0, a);
            add_tap(phase, x + (2 * down - 1) * width * ci, near + (3 - 3 * side) * co, width,
                    2 * side - 1, a);
        }
}

skv_status skv_cpu_upsample_conv(skv_backend *be, const skv_upsample_conv_args *a)
{
    const int64_t lines = a->x.shape[0] * a->x.shape[1];
    job j = {.a = a};

    skv_cpu__parallel(be, lines, line, &j);
    be->flops += 32 * lines * a->x.shape[2] * a->x.shape[3] * a->y.shape[3];
    return SKV_OK;
}
