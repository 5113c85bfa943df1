/* What the two forms of attention_columns share. */
#ifndef SKV_KERNELS_CUDA_COLUMNS_CUH
#define SKV_KERNELS_CUDA_COLUMNS_CUH

#include "kernels/cuda/ragged.cuh"

typedef struct {
    const void *q, *k;
    int64_t q_row, q_token, q_head, k_row, k_head, sum_row, sum_head;
    int tokens, heads, dim, longest;
    float scale;
    ints<MAX_HEADS> len, base;
} columns_job;

/* lists: R·H. *done = false: what it needs is not given, and nothing was queued. */
skv_status columns_on_tensor_cores(skv_backend *be, float *sum, float *norm, const columns_job *j,
                                   int lists, bool *done);

#endif
