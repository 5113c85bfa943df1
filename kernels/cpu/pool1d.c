/* Maximum and average over a window of neighbours; windows are narrow, so each is walked.
 *
 * The window is cut at the ends and left out at the skipped positions; the average still divides by
 * its full width. Skipped positions are ascending, so one index into them follows the window. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/ragged.h"

#include <math.h>

typedef struct {
    const skv_pool1d_args *a;
    bool average;
} job;

/* A list of `len` tokens. */
static void pool(float *y, const float *x, const skv_pool1d_args *a, int64_t len, bool average)
{
    const int64_t scored = len - a->unscored, half = a->kernel / 2;
    int first = 0; /* skipped position that the window has not passed */

    for (int64_t j = 0; j < scored; j++) {
        const int64_t from = j - half > 0 ? j - half : 0;
        const int64_t to = j + half < scored ? j + half : scored - 1;
        float most = -INFINITY, sum = 0;
        int next;

        while (first < a->n_skip && len - a->skip[first] < from)
            first++;
        next = first;
        for (int64_t i = from; i <= to; i++) {
            if (next < a->n_skip && len - a->skip[next] == i) {
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
    const skv_pool1d_args *a = j->a;
    const int64_t r = i / a->heads, h = i % a->heads;
    const int64_t at = r * a->x.shape[1] + skv_ragged_start(a->len, h);

    (void)scratch;
    pool(skv_f32(&a->y) + at, skv_f32(&a->x) + at, a, a->len[h], j->average);
}

skv_status skv_cpu_maxpool1d(skv_backend *be, const skv_pool1d_args *a)
{
    job j = {.a = a, .average = false};

    skv_cpu__parallel(be, a->x.shape[0] * a->heads, list, &j);
    return SKV_OK;
}

skv_status skv_cpu_avgpool1d(skv_backend *be, const skv_pool1d_args *a)
{
    job j = {.a = a, .average = true};

    skv_cpu__parallel(be, a->x.shape[0] * a->heads, list, &j);
    return SKV_OK;
}
