/* Whether the rows of each span are finite. A tile is one span: a text, some hundred kilobytes. */
#include "kernels/cpu/cpu_internal.h"

#include <float.h>
#include <math.h>

SKV_CLONES static bool all_finite(const float *x, int64_t n)
{
    int bad = 0;

    for (int64_t i = 0; i < n; i++)
        bad |= !(fabsf(x[i]) <= FLT_MAX);
    return !bad;
}

static void span(void *ctx, int64_t i, void *scratch)
{
    const skv_check_finite_args *a = ctx;
    const int64_t width = a->x.shape[1];

    (void)scratch;
    if (!all_finite(skv_f32(&a->x) + a->start[i] * width, a->count[i] * width))
        skv_cpu__note_fault(&a->fault, i % a->fault.shape[0], a->code);
}

skv_status skv_cpu_check_finite(skv_backend *be, const skv_check_finite_args *a)
{
    skv_check_finite_args job = *a;

    skv_cpu__parallel(be, a->n_spans, span, &job);
    return SKV_OK;
}
