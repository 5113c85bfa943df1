/* The buffers of a pass as tensors of the shapes of scale si. Used by blocks and pass. */
#ifndef SKV_MODEL_BUFFER_H
#define SKV_MODEL_BUFFER_H

#include "model/infinity_parts.h"

/* (R,L,C) fp32: the residual stream; (R,L,C) act: a norm's output, which a sublayer uses up. */
skv_tensor skv_buffer__x(const skv_pass *p, int si);
skv_tensor skv_buffer__normed(const skv_pass *p, int si);

/* The work buffer. At its start (R,L,C) act: queries, then what a sublayer adds to x. After that,
 * for some rows at a time, (rows,L,width) act: QKV, the FFN's hidden layer; or other scratch. */
skv_tensor skv_buffer__full(const skv_pass *p, int64_t tokens);
skv_tensor skv_buffer__wide(const skv_pass *p, int rows, int64_t tokens, int64_t width);
char *skv_buffer__behind(const skv_pass *p, int64_t tokens);

/* Its bytes at the scale that needs most, with fp32 logits or the scratch of cross attention after
 * the first part. */
size_t skv_buffer__bytes(const skv_dims *d, const skv_backend *be, const skv_schedule *s,
                         int n_rows);

/* Rows whose texts cross attention absorbs at once. */
int skv_buffer__absorbed_rows(const skv_backend *be, int n_rows, int64_t tokens);

#endif
