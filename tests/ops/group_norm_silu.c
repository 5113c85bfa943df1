/* group_norm_silu: one place, groups of one channel, several tiles, a mean far from zero. */
#include "opcheck.h"

#include <math.h>

#include "ref/ref.h"

typedef struct {
    int64_t pictures, height, width, channels;
    int groups;
    float mean;
} shape;

static const shape shapes[] = {
    {1, 1, 1, 2, 1, 0},     {2, 3, 5, 8, 8, 0},     {1, 40, 50, 32, 32, 0.5f},
    {2, 33, 65, 64, 32, 0}, {1, 64, 128, 96, 4, 0}, {1, 16, 16, 128, 32, 100},
};

static void group_case(opcheck *t, const shape *s)
{
    const int64_t pixels = s->height * s->width, n = s->pictures * pixels * s->channels;
    float *x, *w, *b;
    double *want, *size;
    skv_group_norm_silu_args a = {.groups = s->groups, .eps = 1e-6f};

    opcheck_case(t, "(%lld,%lld,%lld,%lld) %d groups, mean %g", (long long)s->pictures,
                 (long long)s->height, (long long)s->width, (long long)s->channels, s->groups,
                 (double)s->mean);
    x = opcheck_normal(t, n, 1);
    for (int64_t i = 0; i < n; i++)
        x[i] += s->mean;
    w = opcheck_uniform(t, s->channels, -2, 2);
    b = opcheck_uniform(t, s->channels, -2, 2);
    a.x = OPCHECK_F(t, t->be->act, x, s->pictures, s->height, s->width, s->channels);
    a.y = OPCHECK_F(t, t->be->act, opcheck_unset(t, n), s->pictures, s->height, s->width,
                    s->channels);
    a.w = OPCHECK_F(t, SKV_F32, w, s->channels);
    a.b = OPCHECK_F(t, SKV_F32, b, s->channels);
    OPCHECK_RUN(t, skv_group_norm_silu(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    ref_group_norm_silu(&(ref_group_norm_args){.y = want,
                                               .size = size,
                                               .x = x,
                                               .w = w,
                                               .b = b,
                                               .pictures = s->pictures,
                                               .pixels = pixels,
                                               .channels = s->channels,
                                               .groups = s->groups,
                                               .eps = (double)a.eps});
    /* sums are in double; scale, shift, product and sum are rounded at the size of their terms,
     * SiLU's slope is below 1.1, and it adds 4 roundings of its result */
    opcheck_near(t, "y", &a.y, want, size, 8 * OPCHECK_UNIT + OPCHECK_FUNCTION(t));
    a.groups = (int)s->channels + 1;
    opcheck_refused(t, "groups of unequal size", skv_group_norm_silu(t->be, &a));
}

void check_group_norm_silu(opcheck *t)
{
    if (t->perf) {
        group_case(t, &(shape){1, 512, 512, 128, 32, 0});
        return;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        group_case(t, &shapes[i]);
}
