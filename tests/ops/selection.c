/* maxpool1d, avgpool1d, topk_keep, keep_ends: ends of lists, ties, values that are
 * no numbers, nothing or everything kept. */
#include "opcheck.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool listed(const int32_t *list, int n, int64_t k)
{
    for (int i = 0; i < n; i++)
        if (list[i] == k)
            return true;
    return false;
}

/* x and y with gaps between heads; n_skip positions are passed over, neighbours and an end among
 * them. */
static void pool_case(opcheck *t, int64_t len, int kernel, int n_skip, bool average)
{
    const int32_t skip[4] = {0, (int32_t)len / 2, (int32_t)len / 2 + 1, (int32_t)len - 1};
    const int32_t beyond = (int32_t)len;
    const int64_t heads = 3, room = len + 2, n = 2 * heads * room;
    float *x, *y;
    double *want, *size;
    skv_tensor ty, whole;
    skv_pool1d_args a = {.kernel = kernel, .skip = skip, .n_skip = n_skip};

    opcheck_case(t, "(2,3,%lld) kernel %d, %d passed over", (long long)len, kernel, n_skip);
    x = opcheck_normal(t, n, 1);
    y = opcheck_normal(t, n, 1);
    a.x = OPCHECK_F(t, SKV_F32, x, 2, heads, room);
    a.x.shape[2] = len;
    whole = ty = OPCHECK_F(t, SKV_F32, y, 2, heads, room);
    ty.shape[2] = len;
    a.y = ty;
    OPCHECK_RUN(t, average ? skv_avgpool1d(t->be, &a) : skv_maxpool1d(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    for (int64_t i = 0; i < n; i++) {
        const int64_t j = i % room, list = i - j;
        double most = -INFINITY, sum = 0;

        want[i] = (double)y[i];
        if (j >= len)
            continue;
        for (int64_t k = j - kernel / 2; k <= j + kernel / 2; k++)
            if (k >= 0 && k < len && !listed(skip, n_skip, k)) {
                most = fmax(most, (double)x[list + k]);
                sum += (double)x[list + k];
                size[i] += fabs((double)x[list + k]) / kernel;
            }
        want[i] = average ? sum / kernel : most;
        size[i] = average ? size[i] : 0;
    }
    /* the average: a rounding a term, and one of the quotient; the maximum is exact */
    opcheck_near(t, "y", &whole, want, size, (kernel + 1) * OPCHECK_UNIT);
    a.kernel = 2;
    opcheck_refused(t, "an even kernel",
                    average ? skv_avgpool1d(t->be, &a) : skv_maxpool1d(t->be, &a));
    a.kernel = 1;
    a.skip = &beyond;
    a.n_skip = 1;
    opcheck_refused(t, "a position beyond the list",
                    average ? skv_avgpool1d(t->be, &a) : skv_maxpool1d(t->be, &a));
}

static void check_pool(opcheck *t, bool average)
{
    if (t->perf) {
        pool_case(t, 100000, 7, 0, average);
        return;
    }
    pool_case(t, 1, 1, 0, average);
    pool_case(t, 1, 7, 1, average);
    pool_case(t, 4, 7, 0, average);
    pool_case(t, 50, 1, 4, average);
    pool_case(t, 1025, 5, 0, average);
    pool_case(t, 1025, 5, 4, average);
    pool_case(t, 6, 3, 4, average);
}

void check_maxpool1d(opcheck *t)
{
    check_pool(t, false);
}

void check_avgpool1d(opcheck *t)
{
    check_pool(t, true);
}

/* ------------------------------------------------------------------ topk_keep */

typedef enum { RANDOM, TIED, EQUAL, ZEROES, SPECIAL } scores;

static const char *const scores_name[] = {"random", "tied", "equal", "zeroes of both signs",
                                          "special"};

typedef struct {
    int64_t rows, heads, len, n;
    int n_always;
    int32_t always[4];
    scores scores;
} topk_shape;

static const topk_shape topk_shapes[] = {
    {1, 1, 1, 0, 0, {0}, RANDOM},
    {1, 1, 1, 1, 0, {0}, RANDOM},
    {2, 3, 50, 20, 2, {0, 49}, RANDOM},
    {2, 2, 100, 100, 0, {0}, TIED},
    {1, 2, 300, 77, 1, {5}, TIED},
    {1, 1, 40, 13, 3, {7, 8, 9}, EQUAL},
    {1, 2, 50, 20, 1, {4}, ZEROES},
    {2, 2, 64, 60, 0, {0}, SPECIAL},
    {2, 2, 64, 9, 0, {0}, SPECIAL},
    {1, 2, 30, 12, 4, {3, 29, 30, 41}, RANDOM}, /* two lie beyond the scores */
    {1, 1, 9, 4, 4, {0, 2, 4, 8}, RANDOM},
};

static float *topk_scores(opcheck *t, const topk_shape *s)
{
    static const float special[8] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1e-40f, -1e-40f, -3};
    const int64_t n = s->rows * s->heads * s->len;
    float *x = opcheck_normal(t, n, 1);

    for (int64_t i = 0; i < n; i++) {
        if (s->scores == TIED)
            x[i] = floorf(x[i] * 2) / 2;
        else if (s->scores == EQUAL)
            x[i] = -0.25f;
        else if (s->scores == ZEROES)
            x[i] = i % 3 == 0 ? -0.0f : 0.0f;
        else if (s->scores == SPECIAL)
            x[i] = i % 3 == 0 ? special[i / 3 % 8] : x[i];
    }
    return x;
}

/* Takes the best that is left, n times; a NaN is below every number. */
static void topk_reference(const topk_shape *s, const float *x, int32_t *keep)
{
    char *taken = calloc((size_t)s->len + 64, 1);
    int64_t kept = 0;

    if (taken == NULL)
        exit(1);
    for (int i = 0; i < s->n_always; i++)
        taken[s->always[i]] = 1;
    for (int64_t k = s->n_always; k < s->n; k++) {
        int64_t best = -1;

        for (int64_t i = 0; i < s->len; i++)
            if (!taken[i] && (best < 0 || x[i] > x[best] || (isnan(x[best]) && !isnan(x[i]))))
                best = i;
        taken[best] = 1;
    }
    for (int64_t i = 0; i < s->len + 64; i++)
        if (taken[i])
            keep[kept++] = (int32_t)i;
    free(taken);
}

static void topk_case(opcheck *t, const topk_shape *s)
{
    const int64_t row = s->heads * s->n + 3, n = s->rows * row;
    float *x;
    int32_t *want;
    skv_tensor whole;
    skv_topk_keep_args a = {.always = s->always, .n_always = s->n_always};

    opcheck_case(t, "%lld of (%lld,%lld,%lld) %s, %d always", (long long)s->n, (long long)s->rows,
                 (long long)s->heads, (long long)s->len, scores_name[s->scores], s->n_always);
    x = topk_scores(t, s);
    want = opcheck_ints(t, n);
    memset(want, 0xff, (size_t)n * sizeof *want);
    a.s = OPCHECK_F(t, SKV_F32, x, s->rows, s->heads, s->len);
    whole = OPCHECK_RAW(t, SKV_I32, want, s->rows, row);
    a.keep = SKV_TENSOR(whole.data, SKV_I32, whole.device, s->rows, s->heads, s->n);
    a.keep.stride[0] = row;
    OPCHECK_RUN(t, skv_topk_keep(t->be, &a));
    if (t->perf)
        return;
    for (int64_t i = 0; i < s->rows * s->heads; i++)
        topk_reference(s, x + i * s->len, want + i / s->heads * row + i % s->heads * s->n);
    opcheck_equal(t, "keep", &whole, want);
}

void check_topk_keep(opcheck *t)
{
    const int32_t descending[2] = {3, 1}, inside[2] = {1, 3};
    skv_topk_keep_args a = {0};

    if (t->perf) {
        topk_case(t, &(topk_shape){2, 16, 10000, 1000, 1, {0}, RANDOM});
        return;
    }
    for (size_t i = 0; i < sizeof topk_shapes / sizeof *topk_shapes; i++)
        topk_case(t, &topk_shapes[i]);
    opcheck_case(t, "refusals");
    a.s = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 5), 1, 1, 5);
    a.keep = OPCHECK_RAW(t, SKV_I32, opcheck_ints(t, 6), 1, 1, 6);
    opcheck_refused(t, "more than there are", skv_topk_keep(t->be, &a));
    a.always = inside;
    a.n_always = 2;
    opcheck_refused(t, "more than are left beside what is always kept", skv_topk_keep(t->be, &a));
    a.keep = OPCHECK_RAW(t, SKV_I32, opcheck_ints(t, 3), 1, 1, 3);
    a.always = descending;
    a.n_always = 2;
    opcheck_refused(t, "descending positions", skv_topk_keep(t->be, &a));
}

static void ends_case(opcheck *t, int64_t n, int first, int len)
{
    const int64_t row = 2 * n + 3;
    int32_t *want;
    skv_tensor whole;
    skv_keep_ends_args a = {.first = first, .len = len};

    opcheck_case(t, "%lld of %d, %d first", (long long)n, len, first);
    want = opcheck_ints(t, 2 * row);
    memset(want, 0xff, (size_t)(2 * row) * sizeof *want);
    whole = OPCHECK_RAW(t, SKV_I32, want, 2, row);
    a.keep = SKV_TENSOR(whole.data, SKV_I32, whole.device, 2, 2, n);
    a.keep.stride[0] = row;
    OPCHECK_RUN(t, skv_keep_ends(t->be, &a));
    for (int64_t i = 0; i < 4 * n; i++)
        want[i / (2 * n) * row + i % (2 * n)] = (int32_t)(i % n < first ? i % n : len - n + i % n);
    opcheck_equal(t, "keep", &whole, want);
    a.len = (int)n - 1;
    opcheck_refused(t, "more than there are", skv_keep_ends(t->be, &a));
}

void check_keep_ends(opcheck *t)
{
    if (t->perf)
        return;
    ends_case(t, 1, 0, 1);
    ends_case(t, 5, 5, 9);
    ends_case(t, 7, 2, 40);
    ends_case(t, 40, 3, 40);
}
