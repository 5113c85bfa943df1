/* Attention over few keys, shared by the text's operations. */
#ifndef SKV_KERNELS_CPU_TEXT_ATTENTION_H
#define SKV_KERNELS_CPU_TEXT_ATTENTION_H

#include <stdint.h>

/* Queries and keys of one head: row i of each lies at base + i·stride. */
typedef struct {
    const float *q, *k, *v;
    float *o;
    int64_t q_stride, k_stride, v_stride, o_stride;
    int64_t n_q, n_k, dim;
    float scale;
    const float *bias; /* (n_q,n_k) added to the scores, or NULL */
} skv_text_attention;

/* o = softmax(scale·q·kᵀ + bias)·v; score: n_q·n_k numbers of room. */
void skv_cpu__text_attention(const skv_text_attention *t, float *score);

#endif
