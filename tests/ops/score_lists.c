/* recent_first, source_scores, source_order, squared_norms, random_scores, mean_heads: heads of
 * different lengths, one without tokens, views with gaps. */
#include "opcheck.h"

#include <math.h>

#include "core/rng.h"
#include "kernels/ragged.h"

#define ROWS  2
#define HEADS 3

/* Lengths of the heads; room: of a view. */
typedef struct {
    int32_t len[HEADS];
    int64_t room, dim;
} shape;

static const shape shapes[] = {
    {{1, 1, 1}, 1, 16}, {{33, 5, 0}, 40, 30},          {{257, 600, 256}, 700, 128},
    {{0, 0, 0}, 3, 8},  {{1030, 1030, 77}, 1030, 104},
};

#define N_SHAPES (sizeof shapes / sizeof *shapes)

static void name_case(opcheck *t, const shape *s)
{
    opcheck_case(t, "lists of %d, %d and %d", s->len[0], s->len[1], s->len[2]);
}

static void recent_case(opcheck *t, const shape *s)
{
    const int64_t row = skv_ragged_start(s->len, HEADS), n = ROWS * (HEADS + 1) * s->room;
    int32_t recent[HEADS];
    float *x, *want;
    skv_recent_first_args a = {.len = s->len, .recent = recent};

    name_case(t, s);
    for (int h = 0; h < HEADS; h++) /* all, about a third, none */
        recent[h] = h == 0 ? s->len[h] : h == 1 ? s->len[h] / 3 : 0;
    x = opcheck_normal(t, n, 1);
    a.x = OPCHECK_F(t, SKV_F32, x, ROWS, HEADS + 1, s->room);
    a.x.shape[1] = HEADS;
    a.s = OPCHECK_F(t, SKV_F32, opcheck_unset(t, ROWS * row), ROWS, row);
    OPCHECK_RUN(t, skv_recent_first(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_floats(t, ROWS * row);
    for (int64_t r = 0, i = 0; r < ROWS; r++)
        for (int64_t h = 0; h < HEADS; h++)
            for (int64_t j = 0; j < s->len[h]; j++, i++)
                want[i] =
                    j < s->len[h] - recent[h] ? x[(r * (HEADS + 1) + h) * s->room + j] : INFINITY;
    opcheck_equal(t, "s", &a.s, want);
    recent[1] = s->len[1] + 1;
    opcheck_refused(t, "more recent tokens than there are", skv_recent_first(t->be, &a));
}

void check_recent_first(opcheck *t)
{
    for (size_t i = t->perf ? N_SHAPES - 1 : 0; i < N_SHAPES; i++)
        recent_case(t, &shapes[i]);
}

static const int32_t source_edge[] = {2, 5, 40, 90};

#define SCALES ((int)(sizeof source_edge / sizeof *source_edge) - 1)

/* Tokens with numbers before, in and behind the scales; the last third of a head's is the map. */
typedef struct {
    int32_t base[HEADS], *origin;
    int64_t room;
    skv_tensor t; /* (ROWS,HEADS,room) of one head more */
} numbered;

static void number_tokens(opcheck *t, const shape *s, numbered *n)
{
    const int64_t count = ROWS * (HEADS + 1) * s->room;

    n->room = s->room;
    n->origin = opcheck_ints(t, count);
    for (int64_t i = 0; i < count; i++)
        n->origin[i] = (int32_t)(i * 7 % 100);
    for (int h = 0; h < HEADS; h++)
        n->base[h] = s->len[h] - s->len[h] / 3;
    n->t = OPCHECK_RAW(t, SKV_I32, n->origin, ROWS, HEADS + 1, s->room);
    n->t.shape[1] = HEADS;
}

/* The bit of a token's scale; 0: it is of none. */
static int32_t source_bit(const numbered *n, int64_t r, int64_t h, int32_t j)
{
    const int32_t number =
        j < n->base[h] ? n->origin[(r * (HEADS + 1) + h) * n->room + j] : 37 + j - n->base[h];

    for (int e = 0; e < SCALES; e++)
        if (number >= source_edge[e] && number < source_edge[e + 1])
            return 1 << e;
    return 0;
}

static void source_case(opcheck *t, const shape *s)
{
    static const int32_t kept[HEADS] = {5, 2, 7};
    const int64_t row = skv_ragged_start(s->len, HEADS);
    const int32_t beyond[HEADS] = {0, (int32_t)s->room + 1, 0};
    numbered n;
    float *want;
    skv_source_scores_args a = {
        .len = s->len, .edge = source_edge, .kept = kept, .first = 37, .n_scales = SCALES};

    name_case(t, s);
    number_tokens(t, s, &n);
    a.base = n.base;
    a.origin = n.t;
    a.s = OPCHECK_F(t, SKV_F32, opcheck_unset(t, ROWS * row), ROWS, row);
    OPCHECK_RUN(t, skv_source_scores(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_floats(t, ROWS * row);
    for (int64_t r = 0, i = 0; r < ROWS; r++)
        for (int64_t h = 0; h < HEADS; h++)
            for (int32_t j = 0; j < s->len[h]; j++, i++)
                want[i] = (kept[h] & source_bit(&n, r, h, j)) != 0;
    opcheck_equal(t, "s", &a.s, want);
    a.base = beyond;
    opcheck_refused(t, "a base beyond the numbers", skv_source_scores(t->be, &a));
    a.base = n.base;
    a.n_scales = 32;
    opcheck_refused(t, "more scales than bits", skv_source_scores(t->be, &a));
}

void check_source_scores(opcheck *t)
{
    for (size_t i = t->perf ? N_SHAPES - 1 : 0; i < N_SHAPES; i++)
        source_case(t, &shapes[i]);
}

static void order_case(opcheck *t, const shape *s)
{
    static const int32_t always[HEADS] = {1, 6, 0}, never[HEADS] = {4, 3, 0};
    const int64_t row = skv_ragged_start(s->len, HEADS);
    const int32_t beyond[HEADS] = {0, (int32_t)s->room + 1, 0};
    numbered n;
    float *x;
    skv_source_order_args a = {.len = s->len,
                               .edge = source_edge,
                               .always = always,
                               .never = never,
                               .first = 37,
                               .n_scales = SCALES};

    name_case(t, s);
    number_tokens(t, s, &n);
    a.base = n.base;
    a.origin = n.t;
    x = opcheck_normal(t, ROWS * row, 1);
    a.s = OPCHECK_F(t, SKV_F32, x, ROWS, row);
    OPCHECK_RUN(t, skv_source_order(t->be, &a));
    if (t->perf)
        return;
    for (int64_t r = 0, i = 0; r < ROWS; r++)
        for (int64_t h = 0; h < HEADS; h++)
            for (int32_t j = 0; j < s->len[h]; j++, i++) {
                const int32_t bit = source_bit(&n, r, h, j);

                x[i] = always[h] & bit ? INFINITY : never[h] & bit ? -INFINITY : x[i];
            }
    opcheck_equal(t, "s", &a.s, x);
    a.base = beyond;
    opcheck_refused(t, "a base beyond the numbers", skv_source_order(t->be, &a));
    a.base = n.base;
    a.n_scales = 32;
    opcheck_refused(t, "more scales than bits", skv_source_order(t->be, &a));
}

void check_source_order(opcheck *t)
{
    for (size_t i = t->perf ? N_SHAPES - 1 : 0; i < N_SHAPES; i++)
        order_case(t, &shapes[i]);
}

static void norms_case(opcheck *t, const shape *s)
{
    const int64_t row = skv_ragged_start(s->len, HEADS), n = ROWS * (HEADS + 1) * s->room * s->dim;
    const int32_t beyond[HEADS] = {(int32_t)s->room + 1, 0, 0};
    float *x;
    double *want;
    skv_squared_norms_args a = {.len = s->len};

    name_case(t, s);
    x = opcheck_normal(t, n, 1);
    a.x = OPCHECK_F(t, t->be->kv, x, ROWS, HEADS + 1, s->room, s->dim);
    a.x.shape[1] = HEADS; /* a head more than is read */
    a.s = OPCHECK_F(t, SKV_F32, opcheck_unset(t, ROWS * row), ROWS, row);
    OPCHECK_RUN(t, skv_squared_norms(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_doubles(t, ROWS * row);
    for (int64_t r = 0, i = 0; r < ROWS; r++)
        for (int64_t h = 0; h < HEADS; h++)
            for (int64_t j = 0; j < s->len[h]; j++, i++)
                for (int64_t d = 0; d < s->dim; d++) {
                    const float v = x[((r * (HEADS + 1) + h) * s->room + j) * s->dim + d];

                    want[i] += (double)v * (double)v;
                }
    /* terms of one sign: a rounding a term, and one of its square */
    opcheck_near(t, "s", &a.s, want, NULL, (double)(s->dim + 1) * OPCHECK_UNIT);
    a.len = beyond;
    a.s.shape[1] = a.s.stride[0] = s->room + 1;
    opcheck_refused(t, "scores beyond the vectors", skv_squared_norms(t->be, &a));
}

void check_squared_norms(opcheck *t)
{
    for (size_t i = t->perf ? N_SHAPES - 1 : 0; i < N_SHAPES; i++)
        norms_case(t, &shapes[i]);
}

static void random_case(opcheck *t, const shape *s, uint64_t seed, uint32_t stream)
{
    const int64_t row = skv_ragged_start(s->len, HEADS);
    skv_random_scores_args a = {.len = s->len, .heads = HEADS, .seed = seed, .stream = stream};
    float *want;

    name_case(t, s);
    a.s = OPCHECK_F(t, SKV_F32, opcheck_unset(t, ROWS * row), ROWS, row);
    OPCHECK_RUN(t, skv_random_scores(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_floats(t, ROWS * row);
    for (int64_t r = 0, i = 0; r < ROWS; r++)
        for (uint32_t h = 0; h < HEADS; h++)
            for (uint32_t j = 0; j < (uint32_t)s->len[h]; j++, i++)
                want[i] = skv_uniform(seed, stream, h, j);
    opcheck_equal(t, "s", &a.s, want);
    a.heads = HEADS - 1;
    if (s->len[HEADS - 1] > 0)
        opcheck_refused(t, "lists that do not add up", skv_random_scores(t->be, &a));
}

void check_random_scores(opcheck *t)
{
    for (size_t i = t->perf ? N_SHAPES - 1 : 0; i < N_SHAPES; i++)
        random_case(t, &shapes[i], 0x0123456789abcdefu + i, (uint32_t)(7 * i));
}

static void mean_case(opcheck *t, const shape *s)
{
    const int64_t row = skv_ragged_start(s->len, HEADS);
    skv_mean_heads_args a = {.len = s->len, .heads = HEADS};
    double *want, *size;
    float *x;

    name_case(t, s);
    x = opcheck_normal(t, ROWS * row, 1);
    a.x = OPCHECK_F(t, SKV_F32, x, ROWS, row);
    a.y = OPCHECK_F(t, SKV_F32, opcheck_unset(t, ROWS * row), ROWS, row);
    OPCHECK_RUN(t, skv_mean_heads(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_doubles(t, ROWS * row);
    size = opcheck_doubles(t, ROWS * row);
    for (int64_t r = 0, i = 0; r < ROWS; r++)
        for (int64_t h = 0; h < HEADS; h++)
            for (int64_t j = 0; j < s->len[h]; j++, i++) {
                double sum = 0, magnitude = 0;
                int n = 0;

                for (int64_t g = 0; g < HEADS; g++)
                    if (j < s->len[g]) {
                        const double v = (double)x[r * row + skv_ragged_start(s->len, g) + j];

                        sum += v;
                        magnitude += v < 0 ? -v : v;
                        n++;
                    }
                want[i] = sum / n;
                size[i] = magnitude / n;
            }
    /* a rounding a head, and one of the quotient */
    opcheck_near(t, "y", &a.y, want, size, (HEADS + 1) * OPCHECK_UNIT);
    a.heads = HEADS - 1;
    if (s->len[HEADS - 1] > 0)
        opcheck_refused(t, "lists that do not add up", skv_mean_heads(t->be, &a));
}

void check_mean_heads(opcheck *t)
{
    for (size_t i = t->perf ? N_SHAPES - 1 : 0; i < N_SHAPES; i++)
        mean_case(t, &shapes[i]);
}
