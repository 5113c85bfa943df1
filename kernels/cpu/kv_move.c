/* Kept keys and values between a layer's views and the ring of all layers.
 *
 * Tokens of a block are numbered row by row, head by head; heads may keep different numbers. */
#include "kernels/cpu/cpu_internal.h"

#include <string.h>

typedef struct {
    const skv_kv_move_args *a;
    int64_t row_tokens; /* Σ_h len[h] */
    void (*move)(const skv_kv_move_args *a, int64_t r, int64_t h, int64_t number);
} job;

/* Where a token of row r, head h lies in the views, and in the ring. */
typedef struct {
    float *k, *v;
    int32_t *origin;
} place;

static place in_views(const skv_kv_move_args *a, int64_t r, int64_t h, int64_t position)
{
    const int64_t dim = a->k.shape[3];
    const skv_tensor *o = &a->origin;

    return (place){
        .k = skv_f32(&a->k) + r * a->k.stride[0] + h * a->k.stride[1] + position * dim,
        .v = skv_f32(&a->v) + r * a->v.stride[0] + h * a->v.stride[1] + position * dim,
        .origin = (int32_t *)o->data + r * o->stride[0] + h * o->stride[1] + position,
    };
}

static place in_ring(const skv_kv_move_args *a, int64_t number)
{
    const int64_t dim = a->k.shape[3], slot = (a->at + number) % a->ring_k.shape[0];

    return (place){
        .k = skv_f32(&a->ring_k) + slot * dim,
        .v = skv_f32(&a->ring_v) + slot * dim,
        .origin = (int32_t *)a->ring_origin.data + slot,
    };
}

static void move_token(place to, place from, int64_t dim)
{
    memcpy(to.k, from.k, (size_t)dim * sizeof *to.k);
    memcpy(to.v, from.v, (size_t)dim * sizeof *to.v);
    *to.origin = *from.origin;
}

/* `number` is that of the head's first token in the block. */
static void pop_head(const skv_kv_move_args *a, int64_t r, int64_t h, int64_t number)
{
    for (int64_t t = 0; t < a->len[h]; t++)
        move_token(in_views(a, r, h, t), in_ring(a, number + t), a->k.shape[3]);
}

static void push_head(const skv_kv_move_args *a, int64_t r, int64_t h, int64_t number)
{
    const int32_t *keep = (const int32_t *)a->keep.data + number;

    for (int64_t t = 0; t < a->len[h]; t++)
        move_token(in_ring(a, number + t), in_views(a, r, h, keep[t]), a->k.shape[3]);
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const int64_t heads = j->a->k.shape[1], r = i / heads, h = i % heads;
    int64_t number = r * j->row_tokens;

    (void)scratch;
    for (int64_t g = 0; g < h; g++)
        number += j->a->len[g];
    j->move(j->a, r, h, number);
}

static skv_status run(skv_backend *be, job *j)
{
    const int64_t heads = j->a->k.shape[1];

    for (int64_t h = 0; h < heads; h++)
        j->row_tokens += j->a->len[h];
    skv_cpu__parallel(be, j->a->k.shape[0] * heads, tile, j);
    return SKV_OK;
}

skv_status skv_cpu_kv_pop(skv_backend *be, const skv_kv_pop_args *a)
{
    return run(be, &(job){.a = a, .move = pop_head});
}

skv_status skv_cpu_kv_push(skv_backend *be, const skv_kv_push_args *a)
{
    return run(be, &(job){.a = a, .move = push_head});
}
