/* maxpool1d, avgpool1d, topk_keep, keep_ends: ends of lists, ties, values that are
 * no numbers, nothing or everything kept. */
#include "opcheck.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/ragged.h"

static bool listed(const int32_t *list, int n, int64_t k)
{
    for (int i = 0; i < n; i++)
        if (list[i] == k)
            return true;
    return false;
}

/* Lists of `heads` lengths: `len` of the first one, `step` less for each one behind it, at least
 * one. */
#define MAX_HEADS 3

static void lengths(int32_t *out, int64_t heads, int64_t len, int64_t step)
{
    for (int64_t h = 0; h < heads; h++)
        out[h] = (int32_t)(len - h * step > 1 ? len - h * step : 1);
}

typedef struct {
    int64_t len, step; /* of the lists */
    int kernel, n_skip, unscored;
} pool_shape;

/* Neighbours and both ends of the first list are passed over. */
static void pool_case(opcheck *t, const pool_shape *s, bool average)
{
    const int32_t half = (int32_t)s->len / 2;
    const int32_t skip[4] = {(int32_t)s->len, half + 1, half, 1}, rising[2] = {1, 2};
    const int64_t heads = MAX_HEADS;
    int32_t len[MAX_HEADS];
    int64_t row, i = 0;
    float *x, *y;
    double *want, *size;
    skv_pool1d_args a = {.len = len,
                         .heads = (int)heads,
                         .unscored = s->unscored,
                         .kernel = s->kernel,
                         .skip = skip,
                         .n_skip = s->n_skip};

    opcheck_case(t, "3 lists of %lld, %lld less each, kernel %d, %d passed over, %d unscored",
                 (long long)s->len, (long long)s->step, s->kernel, s->n_skip, s->unscored);
    lengths(len, heads, s->len, s->step);
    row = skv_ragged_start(len, heads);
    x = opcheck_normal(t, 2 * row, 1);
    y = opcheck_normal(t, 2 * row, 1);
    a.x = OPCHECK_F(t, SKV_F32, x, 2, row);
    a.y = OPCHECK_F(t, SKV_F32, y, 2, row);
    OPCHECK_RUN(t, average ? skv_avgpool1d(t->be, &a) : skv_maxpool1d(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_doubles(t, 2 * row);
    size = opcheck_doubles(t, 2 * row);
    for (int64_t list = 0; list < 2 * heads; i += len[list++ % heads])
        for (int64_t j = 0; j < len[list % heads]; j++) {
            const int64_t n = len[list % heads], scored = n - s->unscored;
            double most = -INFINITY, sum = 0;

            want[i + j] = (double)y[i + j];
            if (j >= scored)
                continue;
            for (int64_t k = j - s->kernel / 2; k <= j + s->kernel / 2; k++)
                if (k >= 0 && k < scored && !listed(skip, s->n_skip, n - k)) {
                    most = fmax(most, (double)x[i + k]);
                    sum += (double)x[i + k];
                    size[i + j] += fabs((double)x[i + k]) / s->kernel;
                }
            want[i + j] = average ? sum / s->kernel : most;
            size[i + j] = average ? size[i + j] : 0;
        }
    /* the average: a rounding a term, and one of the quotient; the maximum is exact */
    opcheck_near(t, "y", &a.y, want, size, (s->kernel + 1) * OPCHECK_UNIT);
    a.kernel = 2;
    opcheck_refused(t, "an even kernel",
                    average ? skv_avgpool1d(t->be, &a) : skv_maxpool1d(t->be, &a));
    a.kernel = 1;
    a.skip = rising;
    a.n_skip = 2;
    opcheck_refused(t, "distances that rise",
                    average ? skv_avgpool1d(t->be, &a) : skv_maxpool1d(t->be, &a));
}

static void check_pool(opcheck *t, bool average)
{
    static const pool_shape shapes[] = {
        {1, 0, 1, 0, 0},    {1, 0, 7, 1, 0},    {4, 0, 7, 0, 0}, {50, 0, 1, 4, 0},
        {1025, 0, 5, 0, 0}, {1025, 9, 5, 4, 0}, {6, 2, 3, 4, 0}, {300, 140, 5, 0, 16},
        {40, 30, 5, 0, 20}, {520, 5, 7, 2, 3},
    };

    if (t->perf) {
        pool_case(t, &(pool_shape){100000, 0, 7, 0, 0}, average);
        return;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        pool_case(t, &shapes[i], average);
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

/* len, n: of the first head; each one behind it has len_step and n_step less. */
typedef struct {
    int64_t rows, heads, len, n, len_step, n_step;
    int unscored, n_always;
    int32_t always[4]; /* distances from the end */
    scores scores;
} topk_shape;

static const topk_shape topk_shapes[] = {
    {1, 1, 1, 0, 0, 0, 0, 0, {0}, RANDOM},
    {1, 1, 1, 1, 0, 0, 0, 0, {0}, RANDOM},
    {2, 3, 50, 20, 0, 0, 0, 2, {50, 1}, RANDOM},
    {2, 2, 100, 100, 0, 0, 0, 0, {0}, TIED},
    {1, 2, 300, 77, 0, 0, 0, 1, {295}, TIED},
    {1, 1, 40, 13, 0, 0, 0, 3, {33, 32, 31}, EQUAL},
    {1, 2, 50, 20, 0, 0, 0, 1, {46}, ZEROES},
    {2, 2, 64, 60, 0, 0, 0, 0, {0}, SPECIAL},
    {2, 2, 64, 9, 0, 0, 0, 0, {0}, SPECIAL},
    {1, 2, 42, 12, 0, 0, 12, 4, {39, 13, 12, 1}, RANDOM}, /* two lie behind the scores */
    {1, 1, 9, 4, 0, 0, 0, 4, {9, 7, 5, 1}, RANDOM},
    {2, 3, 1500, 700, 601, 300, 0, 2, {40, 3}, RANDOM}, /* ragged from here on */
    {2, 3, 90, 30, 20, 14, 4, 4, {4, 3, 2, 1}, TIED},   /* the last head keeps fewer than always */
    {1, 3, 60, 60, 20, 20, 0, 3, {45, 30, 2}, RANDOM},  /* all is kept, heads are too short */
    {1, 3, 30, 20, 10, 10, 0, 1, {2}, SPECIAL},         /* a head that keeps nothing */
};

static float *topk_scores(opcheck *t, const topk_shape *s, int64_t n)
{
    static const float special[8] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1e-40f, -1e-40f, -3};
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

/* Takes the last of `always`, then the best that is left; a NaN is below every number. */
static void topk_reference(const topk_shape *s, const float *x, int64_t len, int64_t n,
                           int32_t *keep)
{
    char *taken = calloc((size_t)len + 1, 1);
    int64_t kept = 0;

    if (taken == NULL)
        exit(1);
    for (int i = s->n_always - 1; i >= 0 && kept < n; i--)
        if (s->always[i] <= len) {
            taken[len - s->always[i]] = 1;
            kept++;
        }
    for (; kept < n; kept++) {
        int64_t best = -1;

        for (int64_t i = 0; i < len - s->unscored; i++)
            if (!taken[i] && (best < 0 || x[i] > x[best] || (isnan(x[best]) && !isnan(x[i]))))
                best = i;
        taken[best] = 1;
    }
    for (int64_t i = 0; i < len; i++)
        if (taken[i])
            *keep++ = (int32_t)i;
    free(taken);
}

static void topk_case(opcheck *t, const topk_shape *s)
{
    int32_t len[16], n[16], *want;
    float *x;
    int64_t row, kept;
    skv_topk_keep_args a = {.len = len,
                            .n = n,
                            .heads = (int)s->heads,
                            .unscored = s->unscored,
                            .always = s->always,
                            .n_always = s->n_always};

    opcheck_case(t, "%lld of (%lld,%lld,%lld), %lld and %lld less a head, %s, %d always",
                 (long long)s->n, (long long)s->rows, (long long)s->heads, (long long)s->len,
                 (long long)s->n_step, (long long)s->len_step, scores_name[s->scores], s->n_always);
    for (int64_t h = 0; h < s->heads; h++) {
        len[h] = (int32_t)(s->len - h * s->len_step);
        n[h] = (int32_t)(s->n - h * s->n_step);
    }
    row = skv_ragged_start(len, s->heads);
    kept = skv_ragged_start(n, s->heads);
    x = topk_scores(t, s, s->rows * row);
    want = opcheck_ints(t, s->rows * kept);
    memset(want, 0xff, (size_t)(s->rows * kept) * sizeof *want);
    a.s = OPCHECK_F(t, SKV_F32, x, s->rows, row);
    a.keep = OPCHECK_RAW(t, SKV_I32, want, s->rows, kept);
    OPCHECK_RUN(t, skv_topk_keep(t->be, &a));
    if (t->perf)
        return;
    for (int64_t i = 0; i < s->rows * s->heads; i++) {
        const int64_t r = i / s->heads, h = i % s->heads;

        topk_reference(s, x + r * row + skv_ragged_start(len, h), len[h], n[h],
                       want + r * kept + skv_ragged_start(n, h));
    }
    opcheck_equal(t, "keep", &a.keep, want);
}

void check_topk_keep(opcheck *t)
{
    const int32_t rising[2] = {1, 3}, behind[2] = {2, 1}, five = 5, three = 3, six = 6;
    skv_topk_keep_args a = {.len = &five, .n = &six, .heads = 1};

    if (t->perf) {
        topk_case(t, &(topk_shape){2, 16, 10000, 1000, 0, 0, 0, 1, {10000}, RANDOM});
        return;
    }
    for (size_t i = 0; i < sizeof topk_shapes / sizeof *topk_shapes; i++)
        topk_case(t, &topk_shapes[i]);
    opcheck_case(t, "refusals");
    a.s = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 5), 1, 5);
    a.keep = OPCHECK_RAW(t, SKV_I32, opcheck_ints(t, 6), 1, 6);
    opcheck_refused(t, "more than there are", skv_topk_keep(t->be, &a));
    a.keep = OPCHECK_RAW(t, SKV_I32, opcheck_ints(t, 5), 1, 5);
    a.n = &five;
    a.unscored = 3;
    a.always = behind;
    a.n_always = 2;
    opcheck_refused(t, "more than have scores or stay always", skv_topk_keep(t->be, &a));
    a.unscored = 0;
    a.keep = OPCHECK_RAW(t, SKV_I32, opcheck_ints(t, 4), 1, 4);
    opcheck_refused(t, "lists that do not add up", skv_topk_keep(t->be, &a));
    a.keep = OPCHECK_RAW(t, SKV_I32, opcheck_ints(t, 3), 1, 3);
    a.n = &three;
    a.always = rising;
    opcheck_refused(t, "distances that rise", skv_topk_keep(t->be, &a));
}

/* Two rows of two heads; the second head has `less` tokens less. */
static void ends_case(opcheck *t, int n, int first, int len, int less)
{
    const int32_t lens[2] = {len, len - less}, kept[2] = {n, n < len - less ? n : len - less};
    const int32_t short_of[2] = {n - 1, n - 1};
    const int64_t row = (int64_t)kept[0] + kept[1];
    int32_t *want, *place;
    skv_keep_ends_args a = {.len = lens, .n = kept, .heads = 2, .first = first};

    opcheck_case(t, "%d of %d and %d, %d first", n, len, len - less, first);
    place = want = opcheck_ints(t, 2 * row);
    memset(want, 0xff, (size_t)(2 * row) * sizeof *want);
    a.keep = OPCHECK_RAW(t, SKV_I32, want, 2, row);
    OPCHECK_RUN(t, skv_keep_ends(t->be, &a));
    for (int list = 0; list < 4; list++)
        for (int i = 0; i < kept[list % 2]; i++)
            *place++ = i < first ? i : lens[list % 2] - kept[list % 2] + i;
    opcheck_equal(t, "keep", &a.keep, want);
    a.len = short_of;
    opcheck_refused(t, "more than there are", skv_keep_ends(t->be, &a));
}

void check_keep_ends(opcheck *t)
{
    if (t->perf)
        return;
    ends_case(t, 1, 0, 1, 0);
    ends_case(t, 5, 5, 9, 0);
    ends_case(t, 7, 2, 40, 0);
    ends_case(t, 40, 3, 40, 0);
    ends_case(t, 9, 3, 40, 33);
    ends_case(t, 6, 100, 12, 10);
}
