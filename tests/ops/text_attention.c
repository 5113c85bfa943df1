/* cross_attention, t5_attention, pool_attention: texts of one token, texts that rows share, offsets
 * beyond the bias table. */
#include "opcheck.h"

#include <math.h>

#include "ref/ref.h"

#define MAX_ROWS 8

static const int dims[] = {16, 32, 64, 96, 104, 112, 120, 128};
static const int pool_dims[] = {48, 64, 72, 96, 128, 130, 168, 210, 224, 256};

/* As for attention: random roundings over D and the keys; `size` has the scores' magnitude. */
static double tolerance_of(int64_t dim, int64_t keys)
{
    return 4 * sqrt((double)(dim + keys)) * OPCHECK_UNIT;
}

typedef struct {
    int64_t rows, tokens, heads, dim, text; /* text: tokens of all texts */
    int32_t start[MAX_ROWS], count[MAX_ROWS];
    bool in_place;
    float spread; /* of the scores; 0: 2 */
} texts;

static void cross_case(opcheck *t, const texts *s)
{
    const int64_t n = s->rows * s->tokens * s->heads * s->dim, width = s->heads * s->dim;
    float *q, *kv;
    double *want, *size;
    skv_cross_attention_args a = {.start = s->start, .count = s->count};

    opcheck_case(t, "(%lld,%lld,%lld,%lld) over %lld%s", (long long)s->rows, (long long)s->tokens,
                 (long long)s->heads, (long long)s->dim, (long long)s->text,
                 s->in_place ? " in place" : "");
    a.scale = 1 / sqrtf((float)s->dim);
    q = opcheck_normal(t, n, s->spread > 0 ? s->spread : 2);
    kv = opcheck_normal(t, s->text * 2 * width, 1);
    a.q = OPCHECK_F(t, t->be->act, q, s->rows, s->tokens, s->heads, s->dim);
    a.kv = OPCHECK_F(t, t->be->kv, kv, s->text, 2, s->heads, s->dim);
    a.o = s->in_place
              ? a.q
              : OPCHECK_F(t, t->be->act, opcheck_kept(t, s->count, s->rows, s->tokens * width),
                          s->rows, s->tokens, s->heads, s->dim);
    OPCHECK_RUN(t, skv_cross_attention(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    for (int64_t i = 0; i < n; i += s->dim) {
        const int64_t r = i / (s->tokens * width), h = i / s->dim % s->heads;
        const float *k = kv + s->start[r] * 2 * width + h * s->dim;

        for (int64_t d = i; s->count[r] == 0 && d < i + s->dim; d++)
            size[d] = want[d] = s->in_place ? (double)q[d] : (double)OPCHECK_KEPT;
        if (s->count[r] == 0)
            continue;
        ref_attention(&(ref_attention_args){.o = want + i,
                                            .size = size + i,
                                            .q = q + i,
                                            .k = k,
                                            .v = k + width,
                                            .n = s->count[r],
                                            .dim = s->dim,
                                            .stride = 2 * width,
                                            .scale = (double)a.scale});
    }
    opcheck_near(t, "o", &a.o, want, size, tolerance_of(s->dim, s->text) + OPCHECK_INSIDE(t));
}

void check_cross_attention(opcheck *t)
{
    const int32_t start[1] = {3}, count[1] = {4};
    skv_cross_attention_args a = {.start = start, .count = count, .scale = 1};

    if (t->perf) {
        cross_case(t, &(texts){2, 4096, 16, 128, 512, {0, 256}, {256, 256}, false, 0});
        return;
    }
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
        cross_case(t, &(texts){3, 5, 2, dims[i], 40, {0, 17, 17}, {17, 23, 1}, i % 2 == 1, 0});
    cross_case(t, &(texts){2, 200, 3, 64, 300, {44, 0}, {256, 300}, true, 0});
    /* maps so long that the keys of some tiles stay in shared memory */
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
        cross_case(t, &(texts){2, 525, 2, dims[i], 260, {4, 0}, {150 + (int)i, 9}, i % 2 == 0, 0});
    /* rows that are left alone: among rows that a block walks over, in a launch of short texts */
    cross_case(t, &(texts){4, 300, 2, 64, 260, {0, 4, 0, 7}, {0, 150, 0, 90}, true, 0});
    cross_case(t, &(texts){3, 700, 3, 128, 260, {4, 0, 9}, {70, 0, 200}, false, 0});
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
        cross_case(
            t,
            &(texts){3, 70, 2, dims[i], 320, {4, 0, 9}, {i % 2 ? 30 : 300, 0, 20}, i % 2 == 0, 0});
    cross_case(t, &(texts){2, 512, 1, 128, 260, {4, 0}, {256, 65}, true, 0});
    cross_case(t, &(texts){1, 600, 1, 128, 257, {0}, {257}, false, 0});
    cross_case(t, &(texts){3, 140, 2, 128, 320, {4, 0, 9}, {300, 0, 20}, false, 0});
    /* every length of text that sm_90's walk is compiled for, in both sizes of its blocks */
    cross_case(t, &(texts){.rows = 8,
                           .tokens = 300,
                           .heads = 1,
                           .dim = 128,
                           .text = 260,
                           .start = {0, 1, 2, 3, 4, 0, 1, 4},
                           .count = {1, 33, 65, 128, 129, 192, 224, 256},
                           .in_place = true});
    cross_case(t, &(texts){.rows = 8,
                           .tokens = 1600,
                           .heads = 1,
                           .dim = 128,
                           .text = 260,
                           .start = {4, 3, 2, 1, 0, 4, 3, 2},
                           .count = {32, 50, 90, 110, 150, 190, 200, 250}});
    /* scores whose exponentials overflow unless the greatest is taken off first */
    cross_case(t, &(texts){1, 40, 2, 64, 50, {0}, {50}, false, 60});
    opcheck_case(t, "refusals");
    a.q = OPCHECK_F(t, t->be->act, opcheck_unset(t, 96), 1, 3, 2, 16);
    a.o = a.q;
    a.kv = OPCHECK_F(t, t->be->kv, opcheck_unset(t, 384), 6, 2, 2, 16);
    opcheck_refused(t, "a text beyond the tokens", skv_cross_attention(t->be, &a));
}

#define N_REL 6

static void t5_compare(opcheck *t, const texts *s, const skv_t5_attention_args *a,
                       const float *values[4])
{
    const int64_t width = s->heads * s->dim;
    double *want = opcheck_doubles(t, s->text * width), *size = opcheck_doubles(t, s->text * width);
    double *bias = opcheck_doubles(t, s->text);

    for (int p = 0; p < a->n_prompts; p++)
        for (int64_t r = a->start[p]; r < a->start[p + 1]; r++)
            for (int64_t h = 0; h < s->heads; h++) {
                const int64_t first = a->start[p] * width + h * s->dim, at = r * width + h * s->dim;
                const int64_t n = a->start[p + 1] - a->start[p];

                for (int64_t c = 0; c < n; c++) {
                    int64_t rel = c - (r - a->start[p]);

                    rel = rel < -N_REL ? -N_REL : rel > N_REL ? N_REL : rel;
                    bias[c] = (double)values[3][a->bucket_of[rel + N_REL] * s->heads + h];
                }
                ref_attention(&(ref_attention_args){.o = want + at,
                                                    .size = size + at,
                                                    .q = values[0] + at,
                                                    .k = values[1] + first,
                                                    .v = values[2] + first,
                                                    .bias = bias,
                                                    .n = n,
                                                    .dim = s->dim,
                                                    .stride = width,
                                                    .scale = 1});
            }
    opcheck_near(t, "o", &a->o, want, size, tolerance_of(s->dim, s->text));
}

/* Prompts of 1, 7 and the other tokens. */
static void t5_case(opcheck *t, int64_t heads, int64_t dim, int64_t tokens)
{
    const texts s = {.heads = heads, .dim = dim, .text = tokens};
    const int32_t start[4] = {0, 1, 8, (int32_t)tokens};
    const int32_t bucket_of[2 * N_REL + 1] = {4, 3, 3, 2, 2, 1, 0, 5, 6, 6, 7, 7, 8};
    const int64_t n = tokens * heads * dim;
    float *q, *k, *v, *table;
    skv_t5_attention_args a = {
        .start = start, .n_prompts = 3, .bucket_of = bucket_of, .n_rel = N_REL};

    opcheck_case(t, "(%lld,%lld,%lld)", (long long)tokens, (long long)heads, (long long)dim);
    q = opcheck_normal(t, n, 2 / sqrtf((float)dim));
    k = opcheck_normal(t, n, 1);
    v = opcheck_normal(t, n, 1);
    table = opcheck_normal(t, 9 * heads, 3);
    a.q = OPCHECK_F(t, t->be->act, q, tokens, heads, dim);
    a.k = OPCHECK_F(t, t->be->act, k, tokens, heads, dim);
    a.v = OPCHECK_F(t, t->be->act, v, tokens, heads, dim);
    a.o = OPCHECK_F(t, t->be->act, opcheck_unset(t, n), tokens, heads, dim);
    a.table = OPCHECK_F(t, SKV_F32, table, 9, heads);
    OPCHECK_RUN(t, skv_t5_attention(t->be, &a));
    if (!t->perf)
        t5_compare(t, &s, &a, (const float *[4]){q, k, v, table});
}

void check_t5_attention(opcheck *t)
{
    const int32_t start[2] = {0, 4}, bucket_of[3] = {0, 0, 0};
    skv_t5_attention_args a = {.start = start, .n_prompts = 1, .bucket_of = bucket_of, .n_rel = 1};

    if (t->perf) {
        t5_case(t, 32, 64, 520);
        return;
    }
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
        t5_case(t, 3, dims[i], 40);
    t5_case(t, 2, 64, 300);
    opcheck_case(t, "refusals");
    a.q = OPCHECK_F(t, t->be->act, opcheck_unset(t, 96), 3, 2, 16);
    a.k = a.v = a.o = a.q;
    a.table = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 2), 1, 2);
    opcheck_refused(t, "a prompt beyond the tokens", skv_t5_attention(t->be, &a));
}

static void pool_case(opcheck *t, const texts *s)
{
    const int64_t width = s->heads * s->dim, n = s->rows * width;
    float *q, *kv;
    double *want, *size;
    skv_pool_attention_args a = {.start = s->start, .count = s->count};

    opcheck_case(t, "(%lld,%lld,%lld) over %lld", (long long)s->rows, (long long)s->heads,
                 (long long)s->dim, (long long)s->text);
    q = opcheck_normal(t, width, 2);
    kv = opcheck_normal(t, s->text * 2 * width, 1);
    a.q = OPCHECK_F(t, SKV_F32, q, s->heads, s->dim);
    a.kv = OPCHECK_F(t, SKV_F32, kv, s->text, 2, s->heads, s->dim);
    a.o = OPCHECK_F(t, SKV_F32, opcheck_unset(t, n), s->rows, s->heads, s->dim);
    OPCHECK_RUN(t, skv_pool_attention(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    for (int64_t i = 0; i < n; i += s->dim) {
        const float *k = kv + s->start[i / width] * 2 * width + i % width;

        ref_attention(&(ref_attention_args){.o = want + i,
                                            .size = size + i,
                                            .q = q + i % width,
                                            .k = k,
                                            .v = k + width,
                                            .n = s->count[i / width],
                                            .dim = s->dim,
                                            .stride = 2 * width,
                                            .scale = 1 / sqrt((double)s->dim)});
    }
    opcheck_near(t, "o", &a.o, want, size, tolerance_of(s->dim, s->text));
}

void check_pool_attention(opcheck *t)
{
    const int32_t start[1] = {-1}, count[1] = {2};
    skv_pool_attention_args a = {.start = start, .count = count};

    if (t->perf) {
        pool_case(t, &(texts){2, 1, 16, 128, 512, {0, 256}, {256, 256}, false, 0});
        return;
    }
    for (size_t i = 0; i < sizeof pool_dims / sizeof *pool_dims; i++)
        pool_case(t, &(texts){3, 1, 2, pool_dims[i], 40, {0, 17, 17}, {17, 23, 1}, false, 0});
    pool_case(t, &(texts){2, 1, 4, 64, 600, {0, 0}, {600, 512}, false, 0});
    opcheck_case(t, "refusals");
    a.q = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 32), 2, 16);
    a.kv = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 192), 3, 2, 2, 16);
    a.o = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 32), 1, 2, 16);
    opcheck_refused(t, "a text before the tokens", skv_pool_attention(t->be, &a));
}
