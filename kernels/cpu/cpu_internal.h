/* What the files of the CPU backend share: its threads, their scratch, and the kernels' prototypes.
 *
 * Work is cut into tiles whose number and shape depend on the tensors alone; a tile is computed by
 * one thread in a fixed order, so no result depends on how many threads there are. */
#ifndef SKV_KERNELS_CPU_INTERNAL_H
#define SKV_KERNELS_CPU_INTERNAL_H

#include "kernels/ops.h"

/* Bytes of scratch a thread owns, aligned for vectors. */
#define SKV_CPU_SCRATCH ((size_t)4 << 20)

/* Runs fn(ctx, i, scratch) for i = 0 .. n-1 on all threads, the caller's included; returns when all
 * are done. scratch is the running thread's own. Not to be nested. */
void skv_cpu__parallel(skv_backend *be, int64_t n, void (*fn)(void *ctx, int64_t i, void *scratch),
                       void *ctx);

/* SKV_CPU_SCRATCH bytes that all threads of one operation may share (partial sums). */
void *skv_cpu__shared(skv_backend *be);

/* Elementwise, in place or not. exp is at most 1 ulp from the exact value, silu at most 3 above
 * -80; gelu (tanh form) carries the rounding of its exponent u = 2·sqrt(2/pi)·(x + 0.044715·x³)
 * too: its relative error is at most (4 + 7|u|)·2^-24 (tests/unit/test_vec_math.c). */
void skv_cpu__exp(float *y, const float *x, int64_t n);
void skv_cpu__gelu(float *y, const float *x, int64_t n);
void skv_cpu__silu(float *y, const float *x, int64_t n);

/* topk_keep.c: the n-th greatest of ranks, 1 <= n <= number of ranks > 0; *ties = how many of that
 * very rank belong to the first n. */
uint32_t skv_cpu__nth_greatest(const uint32_t *rank, int64_t len, int64_t n, int64_t *ties);

/* window_scores.c: s[j] = scale·q·k[j] for n keys. */
void skv_cpu__products(float *s, const float *q, const float *k, int64_t n, int64_t dim,
                       float scale);

/* window_scores.c: p <- softmax(p). */
void skv_cpu__soften(float *p, int64_t n);

/* fp32 data of a tensor. */
static inline float *skv_f32(const skv_tensor *t)
{
    return t->data;
}

/* fault[i] becomes `code` where it is 0. The threads of an operation all bring the same code, so
 * that their order does not matter. */
static inline void skv_cpu__note_fault(const skv_tensor *fault, int64_t i, int32_t code)
{
    int32_t none = 0;

    if (fault->data != NULL)
        (void)__atomic_compare_exchange_n((int32_t *)fault->data + i, &none, code, 0,
                                          __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Loops that gcc vectorises get a clone for each vector width. No clone changes a bit: element by
 * element, without contraction, the width does not matter. */
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SKV_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SKV_CLONES
#endif

#define X(op) skv_status skv_cpu_##op(skv_backend *be, const skv_##op##_args *a);
SKV_OPS(X)
#undef X

size_t skv_cpu__packed_linear_bytes(const skv_backend *be, int64_t n, int64_t k);
size_t skv_cpu__packed_conv_bytes(const skv_backend *be, int64_t co, int64_t ci);
skv_status skv_cpu__pack_linear(skv_backend *be, skv_tensor *out, void *dst, const void *src,
                                skv_dtype src_type, int64_t n, int64_t k);
skv_status skv_cpu__pack_conv(skv_backend *be, skv_tensor *out, void *dst, const void *src,
                              skv_dtype src_type, int64_t co, int64_t ci);

#endif
