/* What kv_plan.c (lengths and bytes) and kv.c (the store) share. */
#ifndef SKV_CACHE_KV_INTERNAL_H
#define SKV_CACHE_KV_INTERNAL_H

#include "cache/kv.h"

struct skv_kv_plan {
    int rows, depth, heads, head_dim;
    skv_dtype kv, pool; /* the backend's type, and the pool's */
    skv_schedule schedule;
    bool cuts;
    bool ring;                  /* the pool is a ring: the path cuts, the pool holds codes, or
                                 * attention reads fewer tokens than there are */
    bool codes;                 /* pool != kv */
    bool sums;                  /* a number goes with each token: policy->observe */
    int32_t *length, *capacity; /* (n_scales-1, depth, heads): after the cut that follows si */
    int32_t *read; /* (n_scales, depth, heads): tokens that attention reads at scale si */
    int max_read;  /* most of them where they are chosen out of more; 0: all are read everywhere */
    size_t slots;  /* token slots of the pool, all rows and heads: its exact peak */
    int max_len;   /* longest head at work in the scratch; 0: no scratch */
    size_t max_keep; /* most positions that select gives a row of one layer, all heads */
    size_t select_bytes;
    size_t n_counts; /* of the table of sources; 0 without a ring */
};

/* Lengths of a layer's heads after scale si: heads integers; si = -1: all 0. */
const int32_t *skv_kv__lengths(const skv_kv_plan *plan, int layer, int si);

/* Tokens that a layer's heads have with the map of scale si, and those that attention reads there.
 */
int skv_kv__with_map(const skv_kv_plan *plan, int layer, int head, int si);
const int32_t *skv_kv__reads(const skv_kv_plan *plan, int layer, int si);

/* Whether any head of the layer reads fewer than it has. */
bool skv_kv__reads_fewer(const skv_kv_plan *plan, int layer, int si);

/* Bytes of a slot of keys in the pool, and of one of values: one head's K or V of one token. */
size_t skv_kv__slot_bytes(const skv_kv_plan *plan);

/* Bytes of the peaks that scale one map's codes in one layer, (R,H,D) fp32; 0 without codes. */
size_t skv_kv__peak_bytes(const skv_kv_plan *plan);

/* The pieces that skv_kv_create takes from its arena, in this order. */
enum {
    SKV_KV__RING_K,
    SKV_KV__RING_V,
    SKV_KV__PEAK, /* (layers, R, H, scales but the last, D) fp32 */
    SKV_KV__K,
    SKV_KV__V,
    SKV_KV__ORIGIN,
    SKV_KV__RING_ORIGIN,
    SKV_KV__SUM,
    SKV_KV__RING_SUM,
    SKV_KV__READ_K, /* (R,H,max_read,D): what attention reads where it is chosen */
    SKV_KV__READ_V,
    SKV_KV__KEEP,
    SKV_KV__COUNTS,
    SKV_KV__N_PIECES
};
void skv_kv__pieces(const skv_kv_plan *plan, size_t bytes[SKV_KV__N_PIECES]);

#endif
