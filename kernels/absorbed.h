/* The scratch of absorbed_attention and the order of its work, the same on all backends. */
#ifndef SKV_KERNELS_ABSORBED_H
#define SKV_KERNELS_ABSORBED_H

#ifdef __cplusplus
extern "C" {
#endif

#include "kernels/ops.h"

#define SKV_ABSORBED_STEP 64 /* text tokens are counted by, so that products meet few shapes */

/* Texts are padded to multiples of `step` tokens, so that rows of about the same length make one
 * product. Room for T text tokens of any rows, whose heads follow one another, and for a map's
 * scores with all of them. Offsets in the scratch. */
typedef struct {
    int64_t step, text; /* text: T */
    size_t kv;          /* (T,2,H,D) kv: the rows' texts, zeros behind each */
    size_t bias;        /* (T,H) fp32: k·b_q */
    size_t keys;        /* (T,H,C) act */
    size_t values;      /* (T,H,C) act */
    size_t scores;      /* fp32, L·H a token of T: a row's (L,text,H) at its text's place */
    size_t weights;     /* act, the same: softmax of the scores, zeros behind a text */
    size_t bytes;
} skv_absorbed_layout;

skv_absorbed_layout skv_absorbed__layout(const skv_backend *be,
                                         const skv_absorbed_attention_args *a);

/* The n rows first, first + apart, ... with texts of one padded length. The text of the i-th lies
 * at token at + i·text of the scratch. */
typedef struct {
    int first, n, apart;
    int64_t text, at;
} skv_absorbed_run;

/* Finds the next rows whose texts fit the scratch together, as runs. served (R): rows placed so
 * far; the new ones are added. Returns the number of runs, 0: no row is left; *text: tokens they
 * take. */
int skv_absorbed__runs(skv_absorbed_run runs[SKV_ABSORBED_ROWS], bool *served, int64_t *text,
                       const skv_absorbed_attention_args *a, const skv_absorbed_layout *l);

#ifdef __cplusplus
}
#endif
#endif
