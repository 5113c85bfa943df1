/* The encoder's forward pass, over packed prompts.
 *
 * Plan, scratch size and run go through the same functions (bind, take_buffers), so what is
 * planned is what is taken. Rows of the embedding are gathered on the host: the table (0.3 GB) need
 * not be on the device. */
#include "model/t5.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/ops.h"

typedef struct {
    skv_tensor norm0, q, k, v, o, norm1, wi_0, wi_1, wo;
} layer;

struct skv_t5 {
    skv_backend *be;
    skv_t5_dims dims;
    const char *embedding_name;
    layer *layers;
    skv_tensor embedding; /* host */
    skv_tensor bias, final_norm;
    skv_arena arena;
    int32_t *bucket_of; /* of offsets -n_rel..n_rel */
    int n_rel;
    skv_t5_trace_fn *trace;
    void *trace_user;
};

/* ---------------------------------------------------------------- buckets */

/* The least m with ln(m/e)/ln(D/e)·steps >= j, that is (m/e)^steps >= (D/e)^j, by integers alone:
 * floats err by one bucket exactly at powers of two. A config's 256 buckets and distance 2^16 give
 * numbers of at most 64·17 bits. */
#define DIGITS 40

typedef struct {
    uint32_t digit[DIGITS]; /* little-endian, base 2^32 */
    int n;
} big;

static void big_multiply(big *b, uint32_t by)
{
    uint64_t carry = 0;

    for (int i = 0; i < b->n; i++) {
        carry += (uint64_t)b->digit[i] * by;
        b->digit[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) {
        assert(b->n < DIGITS);
        b->digit[b->n++] = (uint32_t)carry;
    }
}

static void big_power(big *b, uint32_t base, int exponent)
{
    *b = (big){.digit = {1}, .n = 1};
    for (int i = 0; i < exponent; i++)
        big_multiply(b, base);
}

static bool big_less(const big *a, const big *b)
{
    if (a->n != b->n)
        return a->n < b->n;
    for (int i = a->n - 1; i >= 0; i--)
        if (a->digit[i] != b->digit[i])
            return a->digit[i] < b->digit[i];
    return false;
}

/* m^steps >= D^j · e^(steps-j) */
static bool reaches(int m, int j, int e, int steps, int max_distance)
{
    big left, right;

    big_power(&left, (uint32_t)m, steps);
    big_power(&right, (uint32_t)max_distance, j);
    for (int i = 0; i < steps - j; i++)
        big_multiply(&right, (uint32_t)e);
    return !big_less(&left, &right);
}

void skv_t5_buckets(int32_t *bucket_of, int n_rel, int n_buckets, int max_distance)
{
    const int half = n_buckets / 2, e = half / 2, steps = half - e;
    int j = 0; /* logarithmic buckets passed */

    for (int m = 0; m <= n_rel; m++) {
        int bucket = m;

        if (m >= e) {
            while (j + 1 < steps &&
                   (m >= max_distance || reaches(m, j + 1, e, steps, max_distance)))
                j++;
            bucket = e + j;
        }
        bucket_of[n_rel - m] = bucket;
        bucket_of[n_rel + m] = bucket + (m > 0 ? half : 0);
    }
}

/* ---------------------------------------------------------------- loading */

/* The first of the tied tensors' names that is there: repackings keep one of them. */
static const char *embedding_name(const skv_weights *w)
{
    static const char *const tied[] = {"shared.weight", "encoder.embed_tokens.weight",
                                       "decoder.embed_tokens.weight"};
    int64_t shape[4];
    int ndim;

    for (size_t i = 0; !skv_weights_is_formula(w) && i < sizeof tied / sizeof tied[0]; i++)
        if (skv_weights_shape(w, tied[i], shape, &ndim) != SKV_E_NOTFOUND)
            return tied[i];
    return tied[0];
}

/* The list of parameters, run once for the plan and once for loading. */
static void bind(skv_t5 *t, skv_loader *l)
{
    const skv_t5_dims *d = &t->dims;
    const int64_t width = d->d_model, inner = (int64_t)d->n_heads * d->d_kv;

    skv_loader_host(l, &t->embedding, d->vocab_size, width, "%s", t->embedding_name);
    skv_loader_array(l, &t->bias, 2, (int64_t[]){d->n_buckets, d->n_heads},
                     "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
    for (int i = 0; i < d->n_layers; i++) {
        layer *y = &t->layers[i];
        static const char attention[] = "encoder.block.%d.layer.0.SelfAttention.%s.weight";
        static const char dense[] = "encoder.block.%d.layer.1.DenseReluDense.%s.weight";

        skv_loader_array(l, &y->norm0, 1, &width, "encoder.block.%d.layer.0.layer_norm.weight", i);
        skv_loader_matrix(l, &y->q, inner, width, attention, i, "q");
        skv_loader_matrix(l, &y->k, inner, width, attention, i, "k");
        skv_loader_matrix(l, &y->v, inner, width, attention, i, "v");
        skv_loader_matrix(l, &y->o, width, inner, attention, i, "o");
        skv_loader_array(l, &y->norm1, 1, &width, "encoder.block.%d.layer.1.layer_norm.weight", i);
        skv_loader_matrix(l, &y->wi_0, d->d_ff, width, dense, i, "wi_0");
        skv_loader_matrix(l, &y->wi_1, d->d_ff, width, dense, i, "wi_1");
        skv_loader_matrix(l, &y->wo, width, d->d_ff, dense, i, "wo");
    }
    skv_loader_array(l, &t->final_norm, 1, &width, "encoder.final_layer_norm.weight");
}

/* The encoder without its weights. */
static skv_status make(skv_t5 **out, skv_backend *be, skv_weights *w, const skv_t5_dims *d)
{
    skv_t5 *t = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&t, 1, sizeof *t, "text encoder"));
    t->be = be;
    t->dims = *d;
    t->embedding_name = embedding_name(w);
    SKV_TRY_GOTO(skv_alloc(&t->layers, (size_t)d->n_layers, sizeof *t->layers, "text encoder"),
                 done);
    t->n_rel = d->max_distance;
    SKV_TRY_GOTO(
        skv_alloc(&t->bucket_of, 2 * (size_t)t->n_rel + 1, sizeof *t->bucket_of, "text encoder"),
        done);
    skv_t5_buckets(t->bucket_of, t->n_rel, d->n_buckets, d->max_distance);
    *out = t;
    t = NULL;
done:
    skv_t5_destroy(t);
    return st;
}

/* The planning pass; *out may be NULL, else it gets the loader, ready to load. */
static skv_status plan(size_t *bytes, skv_loader **out, skv_t5 *t, skv_weights *w)
{
    skv_loader *l = NULL;
    skv_status st;

    SKV_TRY(skv_loader_create(&l, t->be, w));
    bind(t, l);
    st = skv_loader_planned(l, bytes);
    if (st == SKV_OK && out) {
        *out = l;
        return SKV_OK;
    }
    skv_loader_destroy(l);
    return st;
}

skv_status skv_t5_plan(size_t *bytes, skv_backend *be, skv_weights *w, const skv_t5_dims *d)
{
    skv_t5 *t = NULL;
    skv_status st;

    SKV_TRY(make(&t, be, w, d));
    st = plan(bytes, NULL, t, w);
    skv_t5_destroy(t);
    return st;
}

skv_status skv_t5_create(skv_t5 **out, skv_backend *be, skv_weights *w, const skv_t5_dims *d)
{
    skv_loader *l = NULL;
    skv_t5 *t = NULL;
    void *memory = NULL;
    size_t bytes = 0;
    skv_status st;

    SKV_TRY(make(&t, be, w, d));
    SKV_TRY_GOTO(plan(&bytes, &l, t, w), done);
    SKV_TRY_GOTO(skv_backend_alloc(be, &memory, bytes, "text encoder"), done);
    skv_arena_init(&t->arena, "text encoder", memory, bytes);
    skv_loader_set_arena(l, &t->arena);
    bind(t, l);
    SKV_TRY_GOTO(skv_loader_done(l), done);
    *out = t;
    t = NULL;
done:
    skv_loader_destroy(l);
    skv_t5_destroy(t);
    return st;
}

void skv_t5_destroy(skv_t5 *t)
{
    if (!t)
        return;
    skv_backend_free(t->be, t->arena.base);
    free(t->bucket_of);
    free(t->layers);
    free(t);
}

skv_backend *skv_t5_backend(const skv_t5 *t)
{
    return t->be;
}

void skv_t5_set_trace(skv_t5 *t, skv_t5_trace_fn *fn, void *user)
{
    t->trace = fn;
    t->trace_user = user;
}

/* ---------------------------------------------------------------- forward */

/* x: residual; h: normed input; q, k, v, o: attention; gate, up: feed-forward; all act but x. */
typedef struct {
    skv_tensor x, h, q, k, v, o, gate, up;
} buffers;

static skv_status take_buffers(buffers *b, skv_arena *a, const skv_backend *be,
                               const skv_t5_dims *d, int n)
{
    const int64_t inner = (int64_t)d->n_heads * d->d_kv;

    SKV_TRY(SKV_TAKE(&b->x, a, SKV_F32, be->device, n, d->d_model));
    SKV_TRY(SKV_TAKE(&b->h, a, be->act, be->device, n, d->d_model));
    SKV_TRY(SKV_TAKE(&b->q, a, be->act, be->device, n, inner));
    SKV_TRY(SKV_TAKE(&b->k, a, be->act, be->device, n, inner));
    SKV_TRY(SKV_TAKE(&b->v, a, be->act, be->device, n, inner));
    SKV_TRY(SKV_TAKE(&b->o, a, be->act, be->device, n, inner));
    SKV_TRY(SKV_TAKE(&b->gate, a, be->act, be->device, n, d->d_ff));
    return SKV_TAKE(&b->up, a, be->act, be->device, n, d->d_ff);
}

size_t skv_t5_scratch_bytes(const skv_t5_dims *d, const skv_backend *be, int n_tokens)
{
    skv_arena counting;
    skv_status st;
    buffers b;

    skv_arena_init_counting(&counting, "text encoder");
    st = take_buffers(&b, &counting, be, d, n_tokens);
    assert(st == SKV_OK); /* a config's sizes times any int are far below 2^63 */
    (void)st;
    return counting.high;
}

static skv_status embed(const skv_t5 *t, const int32_t *ids, const skv_tensor *x)
{
    const size_t n = (size_t)x->shape[0], width = (size_t)t->dims.d_model;
    const size_t row = width * skv_dtype_bytes(t->embedding.dtype);
    float *rows = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&rows, n * width, sizeof *rows, "text embedding"));
    for (size_t i = 0; i < n; i++)
        skv_to_f32(rows + i * width, (const char *)t->embedding.data + (size_t)ids[i] * row,
                   t->embedding.dtype, width);
    st = skv_backend_upload(t->be, x->data, rows, n * width * sizeof *rows);
    free(rows);
    return st;
}

static skv_status linear(skv_backend *be, const skv_tensor *y, const skv_tensor *x,
                         const skv_tensor *w)
{
    return skv_linear(be, &(skv_linear_args){.y = *y, .x = *x, .w = *w});
}

static skv_status norm(const skv_t5 *t, const skv_tensor *y, const skv_tensor *x,
                       const skv_tensor *w)
{
    return skv_rms_norm(t->be, &(skv_rms_norm_args){.y = *y, .x = *x, .w = *w, .eps = t->dims.eps});
}

static skv_status run_layer(const skv_t5 *t, const layer *y, const buffers *b, const int32_t *start,
                            int n_prompts)
{
    const int64_t n = b->x.shape[0], heads = t->dims.n_heads, size = t->dims.d_kv;
    const skv_t5_attention_args attention = {.o = SKV_RESHAPE(&b->o, n, heads, size),
                                             .q = SKV_RESHAPE(&b->q, n, heads, size),
                                             .k = SKV_RESHAPE(&b->k, n, heads, size),
                                             .v = SKV_RESHAPE(&b->v, n, heads, size),
                                             .table = t->bias,
                                             .start = start,
                                             .n_prompts = n_prompts,
                                             .bucket_of = t->bucket_of,
                                             .n_rel = t->n_rel};

    SKV_TRY(norm(t, &b->h, &b->x, &y->norm0));
    SKV_TRY(linear(t->be, &b->q, &b->h, &y->q));
    SKV_TRY(linear(t->be, &b->k, &b->h, &y->k));
    SKV_TRY(linear(t->be, &b->v, &b->h, &y->v));
    SKV_TRY(skv_t5_attention(t->be, &attention));
    SKV_TRY(linear(t->be, &b->h, &b->o, &y->o));
    SKV_TRY(skv_add(t->be, &(skv_add_args){.y = b->x, .x = b->h}));

    SKV_TRY(norm(t, &b->h, &b->x, &y->norm1));
    SKV_TRY(linear(t->be, &b->gate, &b->h, &y->wi_0));
    SKV_TRY(linear(t->be, &b->up, &b->h, &y->wi_1));
    SKV_TRY(skv_gated_gelu(t->be, &(skv_gated_gelu_args){.y = b->gate, .x = b->up}));
    SKV_TRY(linear(t->be, &b->h, &b->gate, &y->wo));
    return skv_add(t->be, &(skv_add_args){.y = b->x, .x = b->h});
}

static skv_status run(const skv_t5 *t, const buffers *b, const int32_t *start, int n_prompts,
                      const skv_tensor *out)
{
    if (t->trace)
        SKV_TRY(t->trace(t->trace_user, -1, &b->x));
    for (int i = 0; i < t->dims.n_layers; i++) {
        SKV_TRY(run_layer(t, &t->layers[i], b, start, n_prompts));
        if (t->trace)
            SKV_TRY(t->trace(t->trace_user, i, &b->x));
    }
    return norm(t, out, &b->x, &t->final_norm);
}

static skv_status check_input(const skv_t5 *t, const int32_t *ids, const int32_t *start,
                              int n_prompts, const skv_tensor *out)
{
    assert(n_prompts > 0 && start[0] == 0);
    for (int p = 0; p < n_prompts; p++)
        assert(start[p] < start[p + 1]);
    for (int i = 0; i < start[n_prompts]; i++)
        if (ids[i] < 0 || ids[i] >= t->dims.vocab_size)
            return skv_fail(SKV_E_ARG, "token %d has the id %d, the vocabulary has %d", i, ids[i],
                            t->dims.vocab_size);
    if (out->ndim != 2 || out->shape[0] != start[n_prompts] || out->shape[1] != t->dims.d_model ||
        out->dtype != SKV_F32)
        return skv_fail(SKV_E_SHAPE, "text features: want (%d,%d) fp32", start[n_prompts],
                        t->dims.d_model);
    return SKV_OK;
}

skv_status skv_t5_encode(skv_t5 *t, const int32_t *ids, const int32_t *start, int n_prompts,
                         const skv_tensor *out, skv_arena *scratch)
{
    const size_t mark = skv_arena_mark(scratch);
    skv_status st;
    buffers b;

    SKV_TRY(check_input(t, ids, start, n_prompts, out));
    SKV_TRY_GOTO(take_buffers(&b, scratch, t->be, &t->dims, start[n_prompts]), done);
    SKV_TRY_GOTO(embed(t, ids, &b.x), done);
    st = run(t, &b, start, n_prompts, out);
done:
    skv_arena_reset(scratch, mark);
    return st;
}
