/* attention: every head dimension, ragged heads, views wider than what is read, keys over several
 * blocks, scores far from zero. */
#include "opcheck.h"

#include <math.h>

#include "ref/ref.h"

typedef struct {
    int64_t rows, tokens, heads, dim, room; /* room: tokens that the K and V views hold */
    int32_t len[4];
    float deviation; /* of q: how far the scores spread */
} shape;

static const shape shapes[] = {
    {1, 1, 1, 16, 1, {1}, 1},
    {2, 5, 2, 32, 40, {33, 40}, 1},
    {1, 130, 2, 64, 700, {700, 3}, 1},
    {2, 16, 2, 96, 70, {64, 65}, 2},
    {1, 9, 4, 104, 80, {1, 7, 80, 30}, 1},
    {1, 7, 2, 112, 90, {90, 90}, 1},
    {1, 33, 1, 120, 520, {515}, 1},
    {1, 129, 3, 128, 1100, {1100, 512, 513}, 1},
    {1, 3, 2, 128, 600, {600, 600}, 30},
    /* the ends of tiles of 48 and of 64 keys, in blocks of 64 and of 128 queries */
    {2, 260, 4, 128, 200, {48, 49, 96, 193}, 1},
    {1, 257, 4, 112, 200, {64, 128, 129, 144}, 1},
    {1, 127, 4, 96, 100, {47, 63, 97, 100}, 1},
    {1, 192, 4, 128, 48, {1, 15, 33, 48}, 1},
    {1, 192, 4, 128, 64, {64, 2, 50, 63}, 1},
    /* the ends of tiles of 128 keys; more parts than multiprocessors; a maximum that keeps growing
     */
    {1, 300, 4, 128, 600, {65, 128, 129, 600}, 1},
    {18, 130, 4, 128, 400, {400, 129, 128, 257}, 1},
    {1, 128, 2, 128, 900, {900, 640}, 30},
};

/* Sums over D and over the keys grow by random roundings; `size` has the scores' magnitude. */
static double tolerance_of(const shape *s)
{
    return 4 * sqrt((double)(s->dim + s->room)) * OPCHECK_UNIT;
}

static int64_t at(const shape *s, int64_t r, int64_t l, int64_t h)
{
    return ((r * s->tokens + l) * s->heads + h) * s->dim;
}

static void compare(opcheck *t, const shape *s, const skv_attention_args *a, const float *qkv[3])
{
    const int64_t n = s->rows * s->tokens * s->heads * s->dim;
    double *want = opcheck_doubles(t, n), *size = opcheck_doubles(t, n);

    for (int64_t r = 0; r < s->rows; r++)
        for (int64_t l = 0; l < s->tokens; l++)
            for (int64_t h = 0; h < s->heads; h++) {
                /* the views have more heads and tokens than are read: other strides */
                const int64_t key = (r * (s->heads + 1) + h) * s->room * s->dim;

                ref_attention(&(ref_attention_args){.o = want + at(s, r, l, h),
                                                    .size = size + at(s, r, l, h),
                                                    .q = qkv[0] + at(s, r, l, h),
                                                    .k = qkv[1] + key,
                                                    .v = qkv[2] + key,
                                                    .n = s->len[h],
                                                    .dim = s->dim,
                                                    .stride = s->dim,
                                                    .scale = (double)a->scale});
            }
    opcheck_near(t, "o", &a->o, want, size, tolerance_of(s) + OPCHECK_INSIDE(t));
}

static int64_t longest(const shape *s)
{
    int64_t most = 0;

    for (int64_t h = 0; h < s->heads; h++)
        most = s->len[h] > most ? s->len[h] : most;
    return most;
}

static void attention_case(opcheck *t, const shape *s)
{
    const int64_t n = s->rows * s->tokens * s->heads * s->dim;
    const int64_t n_keys = s->rows * (s->heads + 1) * s->room * s->dim;
    float *q, *k, *v;
    skv_attention_args a = {.len = s->len};

    opcheck_case(t, "(%lld,%lld,%lld,%lld) over %d of %lld", (long long)s->rows,
                 (long long)s->tokens, (long long)s->heads, (long long)s->dim, (int)s->len[0],
                 (long long)s->room);
    a.scale = 1 / sqrtf((float)s->dim);
    q = opcheck_normal(t, n, s->deviation);
    k = opcheck_normal(t, n_keys, 1);
    v = opcheck_normal(t, n_keys, 1);
    a.q = OPCHECK_F(t, t->be->act, q, s->rows, s->tokens, s->heads, s->dim);
    a.o = OPCHECK_F(t, t->be->act, opcheck_unset(t, n), s->rows, s->tokens, s->heads, s->dim);
    a.k = OPCHECK_F(t, t->be->kv, k, s->rows, s->heads + 1, s->room, s->dim);
    a.v = OPCHECK_F(t, t->be->kv, v, s->rows, s->heads + 1, s->room, s->dim);
    a.k.shape[1] = a.v.shape[1] = s->heads;
    a.k.shape[2] = a.v.shape[2] = longest(s);
    OPCHECK_RUN(t, skv_attention(t->be, &a));
    if (!t->perf)
        compare(t, s, &a, (const float *[3]){q, k, v});
}

void check_attention(opcheck *t)
{
    const shape large = {2, 1024, 4, 128, 4096, {4096, 4096, 4096, 4096}, 1};
    /* cuDNN has no heads of different lengths: by our own kernels */
    const shape ragged = {2, 4096, 4, 128, 4096, {4096, 4096, 4096, 4095}, 1};
    skv_attention_args a = {.scale = 1};
    int32_t len[2] = {5, 6};

    if (t->perf) {
        attention_case(t, &large);
        attention_case(t, &ragged);
        return;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        attention_case(t, &shapes[i]);
    opcheck_case(t, "refusals");
    a.len = len;
    a.q = OPCHECK_F(t, t->be->act, opcheck_unset(t, 96), 1, 3, 2, 16);
    a.o = OPCHECK_F(t, t->be->act, opcheck_unset(t, 96), 1, 3, 2, 16);
    a.k = OPCHECK_F(t, t->be->kv, opcheck_unset(t, 160), 1, 2, 5, 16);
    a.v = a.k;
    opcheck_refused(t, "a head longer than the views", skv_attention(t->be, &a));
    len[1] = 0;
    opcheck_refused(t, "a head without keys", skv_attention(t->be, &a));
    len[1] = 5;
    a.v.shape[2] = 4;
    opcheck_refused(t, "fewer values than keys", skv_attention(t->be, &a));
}
