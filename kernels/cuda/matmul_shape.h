/* What makes two matrix products of cuBLASLt the same: one list of facts, from which both the
 * comparison of plans and the key of the tuning table are made. Plain C, built without CUDA too. */
#ifndef SKV_KERNELS_CUDA_MATMUL_SHAPE_H
#define SKV_KERNELS_CUDA_MATMUL_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dtype.h"
#include "core/status.h"

/* y (M,N) = act(x (M,K)·wᵀ (N,K) + b); x of w's type. A batch is that many products, each a step
 * further on; strides in numbers. */
typedef struct {
    void *y;
    const void *x, *w, *b; /* b NULL: none; of y's type */
    int64_t m, n, k;
    skv_dtype y_type, x_type;
    bool gelu;
    bool exact;                             /* never TF32, not on a TF32 backend either */
    bool w_by_k;                            /* w is (K,N) */
    bool w_shared;                          /* one w for the batch, whatever w_step is */
    int64_t batch;                          /* 0: one */
    int64_t y_row, x_row, w_row;            /* from a row to the next, 0: dense */
    int64_t y_step, x_step, w_step, b_step; /* of the batch; 0: dense, b the same for all */
} skv_cuda__matmul_args;

/* The same with every stride filled in. */
skv_cuda__matmul_args skv_cuda__matmul_completed(const skv_cuda__matmul_args *given);

#define SKV_MATMUL_FACTS 18

typedef struct {
    int64_t fact[SKV_MATMUL_FACTS];
} skv_matmul_shape;

/* Of a completed product. Equal shapes (memcmp) may share a plan and an algorithm. */
skv_matmul_shape skv_cuda__matmul_shape(const skv_cuda__matmul_args *a);

/* The largest power of two, up to 256, that all matrices' addresses and steps are multiples of. */
int64_t skv_cuda__matmul_alignment(const skv_cuda__matmul_args *a);

/* The key of the tuning table: all facts in order, "matmul 8 4 2 bf16 f32 ..."; different shapes
 * have different keys. SKV_E_ARG: more than `bytes`. */
SKV_MUST skv_status skv_cuda__matmul_key(char *key, size_t bytes, const skv_matmul_shape *s);

#endif
