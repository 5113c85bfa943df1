/* Maximum and average over a window of neighbours; windows are narrow, so each is walked.
 *
 * The window is cut at the ends; the average still divides by its full width. */
#include "kernels/cpu/cpu_internal.h"

#include <math.h>

typedef struct {
    const skv_pool1d_args *a;
    void (*window)(float *y, const float *x, int64_t len, int64_t kernel);
} job;

static void greatest(float *y, const float *x, int64_t len, int64_t kernel)
{
    for (int64_t j = 0; j < len; j++) {
        const int64_t from = j - kernel / 2 > 0 ? j - kernel / 2 : 0;
        const int64_t to = j + kernel / 2 < len - 1 ? j + kernel / 2 : len - 1;
        float most = -INFINITY;

        for (int64_t i = from; i <= to; i++)
            most = x[i] > most ? x[i] : most;
        y[j] = most;
    }
}

static void average(float *y, const float *x, int64_t len, int64_t kernel)
{
    for (int64_t j = 0; j < len; j++) {
        const int64_t from = j - kernel / 2 > 0 ? j - kernel / 2 : 0;
        const int64_t to = j + kernel / 2 < len - 1 ? j + kernel / 2 : len - 1;
        float sum = 0;

        for (int64_t i = from; i <= to; i++)
            sum += x[i];
        y[j] = sum / (float)kernel;
    }
}

static void list(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const skv_tensor *x = &j->a->x, *y = &j->a->y;
    const int64_t r = i / x->shape[1], h = i % x->shape[1];

    (void)scratch;
    j->window(skv_f32(y) + r * y->stride[0] + h * y->stride[1],
              skv_f32(x) + r * x->stride[0] + h * x->stride[1], x->shape[2], j->a->kernel);
}

skv_status skv_cpu_maxpool1d(skv_backend *be, const skv_pool1d_args *a)
{
    job j = {.a = a, .window = greatest};

    skv_cpu__parallel(be, a->x.shape[0] * a->x.shape[1], list, &j);
    return SKV_OK;
}

skv_status skv_cpu_avgpool1d(skv_backend *be, const skv_pool1d_args *a)
{
    job j = {.a = a, .window = average};

    skv_cpu__parallel(be, a->x.shape[0] * a->x.shape[1], list, &j);
    return SKV_OK;
}
