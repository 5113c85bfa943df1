/* Blocks between the ring and the layer's views. A tile is one row and head. */
#include "kernels/cpu/cpu_internal.h"

#include <string.h>

typedef struct {
    const skv_kv_move_args *a;
    int64_t row_tokens; /* Σ_h len_h */
    bool push;
} job;

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const skv_kv_move_args *a = j->a;
    const int64_t heads = a->k.shape[1], r = i / heads, h = i % heads, d = a->k.shape[3];
    const int64_t slots = a->ring_k.shape[0];
    float *k = skv_f32(&a->k) + r * a->k.stride[0] + h * a->k.stride[1];
    float *v = skv_f32(&a->v) + r * a->v.stride[0] + h * a->v.stride[1];
    int32_t *origin = (int32_t *)a->origin.data + r * a->origin.stride[0] + h * a->origin.stride[1];
    int32_t *ring_origin = a->ring_origin.data;
    const size_t bytes = (size_t)d * sizeof(float);
    int64_t first = r * j->row_tokens;

    (void)scratch;
    for (int64_t g = 0; g < h; g++)
        first += a->len[g];
    for (int64_t t = 0; t < a->len[h]; t++) {
        const int64_t slot = (a->at + first + t) % slots;
        const int64_t p = j->push ? ((const int32_t *)a->keep.data)[first + t] : t;
        float *ring_k = skv_f32(&a->ring_k) + slot * d, *ring_v = skv_f32(&a->ring_v) + slot * d;

        if (j->push) {
            memcpy(ring_k, k + p * d, bytes);
            memcpy(ring_v, v + p * d, bytes);
            ring_origin[slot] = origin[p];
        } else {
            memcpy(k + p * d, ring_k, bytes);
            memcpy(v + p * d, ring_v, bytes);
            origin[p] = ring_origin[slot];
        }
    }
}

static skv_status move(skv_backend *be, const skv_kv_move_args *a, bool push)
{
    job j = {.a = a, .push = push};

    for (int64_t h = 0; h < a->k.shape[1]; h++)
        j.row_tokens += a->len[h];
    skv_cpu__parallel(be, a->k.shape[0] * a->k.shape[1], tile, &j);
    return SKV_OK;
}

skv_status skv_cpu_kv_pop(skv_backend *be, const skv_kv_pop_args *a)
{
    return move(be, a, false);
}

skv_status skv_cpu_kv_push(skv_backend *be, const skv_kv_push_args *a)
{
    return move(be, a, true);
}
