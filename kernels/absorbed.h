/* The scratch of absorbed_attention, the same on all backends. */
#ifndef SKV_KERNELS_ABSORBED_H
#define SKV_KERNELS_ABSORBED_H

#include "kernels/ops.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Texts are padded to T tokens, so that all rows have one shape. Offsets in the scratch; a token's
 * heads follow one another, N = T·H. */
typedef struct {
    int64_t text;   /* T: the longest count rounded up, so that runs meet few shapes */
    size_t kv;      /* (R,T,2,H,D) kv: the rows' texts, zeros behind them */
    size_t bias;    /* (R,T,H) fp32: k·b_q */
    size_t keys;    /* (R,T,H,C) act */
    size_t values;  /* (R,T,H,C) act */
    size_t scores;  /* (R,L,T,H) fp32 */
    size_t weights; /* (R,L,T,H) act: softmax of the scores, zeros behind a row's text */
    size_t bytes;
} skv_absorbed_layout;

skv_absorbed_layout skv_absorbed__layout(const skv_backend *be, int64_t rows, int64_t tokens,
                                         int64_t count, int64_t heads, int64_t dim);

int64_t skv_absorbed__longest(const skv_absorbed_attention_args *a);

#ifdef __cplusplus
}
#endif
#endif
