/* Kept keys and values between a layer's views and the ring of all layers, which may hold them as
 * codes of a byte; and from view to view.
 *
 * Tokens of a block are numbered row by row, head by head; heads may keep different numbers. */
#include "kernels/cpu/cpu_internal.h"

#include <string.h>

#include "kernels/ragged.h"

typedef struct {
    skv_kv_pop_args a;
    const skv_kv_push_args *push; /* NULL: pop */
    int64_t row_tokens;           /* Σ_h len[h] */
} job;

/* Where a token of row r, head h lies in the views, and in the ring. */
typedef struct {
    char *k, *v; /* numbers, or codes */
    int32_t *origin;
    float *sum; /* NULL: none */
} place;

static float *sum_at(const skv_tensor *sum, int64_t i)
{
    return sum->data ? skv_f32(sum) + i : NULL;
}

static place in_views(const skv_kv_pop_args *a, int64_t r, int64_t h, int64_t position)
{
    const int64_t dim = a->k.shape[3];
    const skv_tensor *o = &a->origin;

    return (place){
        .k = (char *)(skv_f32(&a->k) + r * a->k.stride[0] + h * a->k.stride[1] + position * dim),
        .v = (char *)(skv_f32(&a->v) + r * a->v.stride[0] + h * a->v.stride[1] + position * dim),
        .origin = (int32_t *)o->data + r * o->stride[0] + h * o->stride[1] + position,
        .sum = sum_at(&a->sum, r * a->sum.stride[0] + h * a->sum.stride[1] + position),
    };
}

static place in_ring(const skv_kv_pop_args *a, int64_t number)
{
    const int64_t slot = (a->at + number) % a->ring_k.shape[0];
    const int64_t bytes = a->k.shape[3] * (int64_t)skv_dtype_bytes(a->ring_k.dtype);

    return (place){
        .k = (char *)a->ring_k.data + slot * bytes,
        .v = (char *)a->ring_v.data + slot * bytes,
        .origin = (int32_t *)a->ring_origin.data + slot,
        .sum = sum_at(&a->ring_sum, slot),
    };
}

/* The peaks of the values' channels where a token is from; NULL: the ring holds no codes. */
static const float *peaks_of(const skv_kv_pop_args *a, int64_t r, int64_t h, int32_t origin)
{
    const skv_tensor *p = &a->peak;
    int64_t j = 0;

    if (a->ring_k.dtype == SKV_F32)
        return NULL;
    while (j + 1 < p->shape[2] && a->edge[j + 1] <= origin)
        j++;
    return skv_f32(p) + r * p->stride[0] + h * p->stride[1] + j * p->stride[2];
}

static float scale_of(float peak, skv_dtype codes)
{
    const float s = peak / (codes == SKV_E4M3 ? 256.0f : 127.0f);

    return s < 0x1p-126f ? 0x1p-126f : s; /* NaN stays */
}

/* Numbers to codes; peak NULL: 1 for all. */
static void encode(char *code, const char *numbers, const float *peak, skv_dtype type, int64_t dim)
{
    const float *x = (const float *)(const void *)numbers;
    float scaled[64];

    for (int64_t first = 0; first < dim; first += 64) {
        const int64_t n = dim - first < 64 ? dim - first : 64;

        for (int64_t i = 0; i < n; i++)
            scaled[i] = x[first + i] * (1.0f / scale_of(peak ? peak[first + i] : 1.0f, type));
        skv_from_f32(code + first, type, scaled, (size_t)n);
    }
}

static void decode(char *numbers, const char *code, const float *peak, skv_dtype type, int64_t dim)
{
    float *x = (float *)(void *)numbers;

    skv_to_f32(x, code, type, (size_t)dim);
    for (int64_t d = 0; d < dim; d++)
        x[d] *= scale_of(peak ? peak[d] : 1.0f, type);
}

typedef void convert(char *to, const char *from, const float *peak, skv_dtype codes, int64_t dim);

/* peak NULL: the ring holds numbers, too. */
static void move_token(place to, place from, const float *peak, skv_dtype codes, int64_t dim,
                       convert *f)
{
    if (peak) {
        f(to.k, from.k, NULL, codes, dim);
        f(to.v, from.v, peak, codes, dim);
    } else {
        memcpy(to.k, from.k, (size_t)dim * sizeof(float));
        memcpy(to.v, from.v, (size_t)dim * sizeof(float));
    }
    if (to.sum)
        *to.sum = *from.sum;
}

/* `number` is that of the head's first token in the block. */
static void pop_head(const skv_kv_pop_args *a, int64_t r, int64_t h, int64_t number)
{
    const int64_t dim = a->k.shape[3];

    for (int64_t t = 0; t < a->len[h]; t++) {
        const place to = in_views(a, r, h, t), from = in_ring(a, number + t);
        const float *peak = peaks_of(a, r, h, *from.origin);

        move_token(to, from, peak, a->ring_k.dtype, dim, decode);
        *to.origin = *from.origin;
    }
}

/* Counts are added by several threads: integers, exact in any order. */
static void count_origin(const skv_kv_push_args *a, int32_t origin)
{
    for (int s = 0; s < a->n_scales; s++)
        if (origin >= a->edge[s] && origin < a->edge[s + 1])
            __atomic_fetch_add((int32_t *)a->count.data + s, 1, __ATOMIC_RELAXED);
}

static void push_head(const job *j, int64_t r, int64_t h, int64_t number)
{
    const skv_kv_push_args *a = j->push;
    const int32_t *keep = (const int32_t *)a->keep.data + number;
    const int64_t dim = a->k.shape[3];

    for (int64_t t = 0; t < a->len[h]; t++) {
        const place to = in_ring(&j->a, number + t), from = in_views(&j->a, r, h, keep[t]);
        const float *peak;

        *to.origin = keep[t] < a->base[h] ? *from.origin : a->first + keep[t] - a->base[h];
        count_origin(a, *to.origin);
        peak = peaks_of(&j->a, r, h, *to.origin);
        move_token(to, from, peak, a->ring_k.dtype, dim, encode);
    }
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const int64_t heads = j->a.k.shape[1], r = i / heads, h = i % heads;
    int64_t number = r * j->row_tokens;

    (void)scratch;
    for (int64_t g = 0; g < h; g++)
        number += j->a.len[g];
    if (j->push)
        push_head(j, r, h, number);
    else
        pop_head(&j->a, r, h, number);
}

static skv_status run(skv_backend *be, job *j)
{
    const int64_t heads = j->a.k.shape[1];

    for (int64_t h = 0; h < heads; h++)
        j->row_tokens += j->a.len[h];
    skv_cpu__parallel(be, j->a.k.shape[0] * heads, tile, j);
    return SKV_OK;
}

skv_status skv_cpu_kv_pop(skv_backend *be, const skv_kv_pop_args *a)
{
    return run(be, &(job){.a = *a});
}

skv_status skv_cpu_kv_push(skv_backend *be, const skv_kv_push_args *a)
{
    return run(be, &(job){.a = {.ring_k = a->ring_k,
                                .ring_v = a->ring_v,
                                .ring_origin = a->ring_origin,
                                .ring_sum = a->ring_sum,
                                .k = a->k,
                                .v = a->v,
                                .origin = a->origin,
                                .sum = a->sum,
                                .peak = a->peak,
                                .at = a->at,
                                .len = a->len,
                                .edge = a->edge},
                          .push = a});
}

static float *token(const skv_tensor *t, int64_t r, int64_t h, int64_t position)
{
    return skv_f32(t) + r * t->stride[0] + h * t->stride[1] + position * t->shape[3];
}

static void gather_head(void *ctx, int64_t i, void *scratch)
{
    const skv_kv_gather_args *a = ctx;
    const int64_t heads = a->k.shape[1], r = i / heads, h = i % heads;
    const size_t bytes = (size_t)a->k.shape[3] * sizeof(float);
    const int32_t *keep = (const int32_t *)a->keep.data + r * skv_ragged_start(a->n, heads) +
                          skv_ragged_start(a->n, h);

    (void)scratch;
    for (int64_t t = 0; t < a->n[h]; t++) {
        memcpy(token(&a->k_to, r, h, t), token(&a->k, r, h, keep[t]), bytes);
        memcpy(token(&a->v_to, r, h, t), token(&a->v, r, h, keep[t]), bytes);
    }
}

skv_status skv_cpu_kv_gather(skv_backend *be, const skv_kv_gather_args *a)
{
    skv_cpu__parallel(be, a->k.shape[0] * a->k.shape[1], gather_head, (void *)(uintptr_t)a);
    return SKV_OK;
}
