/* qkv_rope: heads at places of their own, views with gaps, window queries, vectors of no length. */
#include "opcheck.h"

#include <math.h>
#include <string.h>

typedef struct {
    int64_t rows, tokens, heads, dim, room;
    int32_t base[4];
    int n_window;
    int32_t window[3];
} shape;

static const shape shapes[] = {
    {1, 1, 1, 4, 2, {0}, 0, {0}},
    {2, 5, 3, 16, 13, {0, 7, 3}, 2, {4, 1}},
    {1, 9, 2, 104, 31, {21, 0}, 3, {0, 4, 8}},
    {2, 33, 4, 128, 41, {0, 1, 2, 7}, 1, {32}},
};

/* What a case reads, on the host. */
typedef struct {
    float *qkv, *q_bias, *v_bias, *scale, *rope, *k, *v;
} values;

/* n(t)·scale, rotated. A zero vector stays zero. */
static void turn(double *y, double *size, const double *x, const float *angle, int64_t dim,
                 double scale)
{
    double norm = 0;

    for (int64_t d = 0; d < dim; d++)
        norm += x[d] * x[d];
    norm = fmax(sqrt(norm), 1e-12);
    for (int64_t d = 0; d < dim; d += 2) {
        const double a = x[d] / norm * scale, b = x[d + 1] / norm * scale;
        const double c = (double)angle[d], s = (double)angle[d + 1];

        y[d] = a * c - b * s;
        y[d + 1] = a * s + b * c;
        size[d] = fabs(a * c) + fabs(b * s);
        size[d + 1] = fabs(a * s) + fabs(b * c);
    }
}

static void compare(opcheck *t, const shape *s, const values *x, const skv_qkv_rope_args *a)
{
    const int64_t width = s->heads * s->dim, n = s->rows * s->tokens * width;
    const int64_t n_keys = s->rows * (s->heads + 1) * s->room * s->dim;
    double *q = opcheck_doubles(t, n), *q_size = opcheck_doubles(t, n);
    double *k = opcheck_doubles(t, n_keys), *k_size = opcheck_doubles(t, n_keys);
    double *v = opcheck_doubles(t, n_keys), *v_size = opcheck_doubles(t, n_keys);
    double in[2][256];

    /* what is not written stays */
    for (int64_t i = 0; i < n_keys; i++) {
        k[i] = (double)x->k[i];
        v[i] = (double)x->v[i];
    }
    for (int64_t i = 0; i < n; i += s->dim) {
        const int64_t h = i / s->dim % s->heads, l = i / width % s->tokens;
        const int64_t r = i / width / s->tokens, at = i / width * 3 * width + h * s->dim;
        const int64_t key = ((r * (s->heads + 1) + h) * s->room + s->base[h] + l) * s->dim;

        for (int64_t d = 0; d < s->dim; d++) {
            const double raw = (double)x->qkv[at + 2 * width + d];

            in[0][d] = (double)x->qkv[at + d] + (double)x->q_bias[h * s->dim + d];
            in[1][d] = (double)x->qkv[at + width + d];
            v[key + d] = raw + (double)x->v_bias[h * s->dim + d];
            v_size[key + d] = fabs(v[key + d]);
        }
        turn(q + i, q_size + i, in[0], x->rope + l * s->dim, s->dim, (double)x->scale[h]);
        turn(k + key, k_size + key, in[1], x->rope + l * s->dim, s->dim, 1);
        for (int64_t d = 0; d < s->dim; d++) /* a biased query's own rounding */
            q_size[i + d] += 2 * (double)x->scale[h] / sqrt((double)s->dim);
    }
    /* bias, quotient, scale, product and sum are rounded; the norm's sum is in double */
    opcheck_near(t, "q", &a->q, q, q_size, 6 * OPCHECK_UNIT);
    skv_tensor whole = a->k;
    whole.shape[1] = s->heads + 1;
    whole.shape[2] = s->room;
    opcheck_near(t, "k", &whole, k, k_size, 6 * OPCHECK_UNIT);
    whole = a->v;
    whole.shape[1] = s->heads + 1;
    whole.shape[2] = s->room;
    opcheck_near(t, "v", &whole, v, v_size, OPCHECK_UNIT); /* one rounding */
}

static void compare_window(opcheck *t, const shape *s, const values *x, const skv_qkv_rope_args *a)
{
    const int64_t width = s->heads * s->dim;
    float *raw = opcheck_floats(t, s->rows * s->n_window * width);

    for (int64_t r = 0; r < s->rows; r++)
        for (int w = 0; w < s->n_window; w++)
            memcpy(raw + (r * s->n_window + w) * width,
                   x->qkv + (r * s->tokens + s->window[w]) * 3 * width,
                   (size_t)width * sizeof *raw);
    opcheck_equal(t, "q_raw", &a->q_raw, raw);
}

/* The first tokens' keys: all zeroes, short but normalised, and shorter than what divides it. */
static void shrink_keys(float *k, const shape *s, int64_t stride)
{
    static const float factor[3] = {0, 1e-8f, 1e-14f};

    for (int64_t l = 0; l < 3 && l < s->tokens; l++)
        for (int64_t d = 0; d < s->dim; d++)
            k[l * stride + d] *= factor[l];
}

static void rope_case(opcheck *t, const shape *s)
{
    const int64_t width = s->heads * s->dim, n = s->rows * s->tokens * width;
    const int64_t n_keys = s->rows * (s->heads + 1) * s->room * s->dim;
    values x;
    skv_qkv_rope_args a = {.base = s->base, .window = s->window, .n_window = s->n_window};

    opcheck_case(t, "(%lld,%lld,%lld,%lld)", (long long)s->rows, (long long)s->tokens,
                 (long long)s->heads, (long long)s->dim);
    x.qkv = opcheck_normal(t, 3 * n, 1);
    shrink_keys(x.qkv + width, s, 3 * width);
    x.q_bias = opcheck_normal(t, width, 1);
    x.v_bias = opcheck_normal(t, width, 1);
    x.scale = opcheck_uniform(t, s->heads, 1, 100);
    x.rope = opcheck_uniform(t, s->tokens * s->dim / 2, 0, 6.28f);
    x.k = opcheck_normal(t, n_keys, 1);
    x.v = opcheck_normal(t, n_keys, 1);
    float *table = opcheck_floats(t, s->tokens * s->dim);
    for (int64_t i = 0; i < s->tokens * s->dim / 2; i++) {
        table[2 * i] = cosf(x.rope[i]);
        table[2 * i + 1] = sinf(x.rope[i]);
    }
    x.rope = table;
    a.qkv = OPCHECK_F(t, t->be->act, x.qkv, s->rows, s->tokens, 3 * width);
    a.q_bias = OPCHECK_F(t, SKV_F32, x.q_bias, width);
    a.v_bias = OPCHECK_F(t, SKV_F32, x.v_bias, width);
    a.scale = OPCHECK_F(t, SKV_F32, x.scale, s->heads);
    a.rope = OPCHECK_F(t, SKV_F32, x.rope, s->tokens, s->dim / 2, 2);
    a.q = OPCHECK_F(t, t->be->act, opcheck_unset(t, n), s->rows, s->tokens, s->heads, s->dim);
    a.k = OPCHECK_F(t, t->be->kv, x.k, s->rows, s->heads + 1, s->room, s->dim);
    a.v = OPCHECK_F(t, t->be->kv, x.v, s->rows, s->heads + 1, s->room, s->dim);
    a.k.shape[1] = a.v.shape[1] = s->heads;
    a.k.shape[2] = a.v.shape[2] = s->room - 1; /* a head's stride is not its length */
    if (s->n_window > 0)
        a.q_raw = OPCHECK_F(t, SKV_F32, opcheck_unset(t, s->rows * s->n_window * width), s->rows,
                            s->n_window, s->heads, s->dim);
    OPCHECK_RUN(t, skv_qkv_rope(t->be, &a));
    if (t->perf)
        return;
    compare(t, s, &x, &a);
    if (s->n_window > 0)
        compare_window(t, s, &x, &a);
    a.k.shape[2] = a.v.shape[2] = s->base[0] + s->tokens - 1;
    opcheck_refused(t, "a token beyond the views", skv_qkv_rope(t->be, &a));
}

void check_qkv_rope(opcheck *t)
{
    if (t->perf) {
        rope_case(t, &(shape){2, 4096, 4, 128, 4097, {0, 0, 0, 0}, 0, {0}});
        return;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        rope_case(t, &shapes[i]);
}
