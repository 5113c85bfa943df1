/* Maximum and average over a window of neighbours; windows are narrow, so each is walked.
 *
 * The window is cut at the ends and left out at the skipped positions; the average still divides by
 * its full width. Skipped positions are ascending, so one index into them follows the window. */
#include "kernels/cpu/cpu_internal.h"

#include <math.h>

typedef struct {
    const skv_pool1d_args *a;
    bool average;
} job;

static void pool(float *y, const float *x, const skv_pool1d_args *a, bool average)
{
    const int64_t len = a->x.shape[2], half = a->kernel / 2;
    int first = 0; /* skipped position that the window has not passed */

    for (int64_t j = 0; j < len; j++) {
        const int64_t from = j - half > 0 ? j - half : 0, to = j + half < len ? j + half : len - 1;
        float most = -INFINITY, sum = 0;
        int next;

        while (first < a->n_skip && a->skip[first] < from)
            first++;
        next = first;
        for (int64_t i = from; i <= to; i++) {
            if (next < a->n_skip && a->skip[next] == i) {
                next++;
                continue;
            }
            most = x[i] > most ? x[i] : most;
            sum += x[i];
        }
        y[j] = average ? sum / (float)a->kernel : most;
    }
}

static void list(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const skv_tensor *x = &j->a->x, *y = &j->a->y;
    const int64_t r = i / x->shape[1], h = i % x->shape[1];

    (void)scratch;
    pool(skv_f32(y) + r * y->stride[0] + h * y->stride[1],
         skv_f32(x) + r * x->stride[0] + h * x->stride[1], j->a, j->average);
}

skv_status skv_cpu_maxpool1d(skv_backend *be, const skv_pool1d_args *a)
{
    job j = {.a = a, .average = false};

    skv_cpu__parallel(be, a->x.shape[0] * a->x.shape[1], list, &j);
    return SKV_OK;
}

skv_status skv_cpu_avgpool1d(skv_backend *be, const skv_pool1d_args *a)
{
    job j = {.a = a, .average = true};

    skv_cpu__parallel(be, a->x.shape[0] * a->x.shape[1], list, &j);
    return SKV_OK;
}
