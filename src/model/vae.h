/* The VAE decoder: residual map -> picture, NHWC. Spec infinity.md, Image. */
#ifndef SKV_MODEL_VAE_H
#define SKV_MODEL_VAE_H

#include "arch/dims.h"
#include "core/mem.h"
#include "core/tensor.h"
#include "model/weights.h"

typedef struct skv_vae skv_vae;

/* Loads the decoder (new or old names) onto the backend. Borrows be and weights. Caller destroys.
 */
SKV_MUST skv_status skv_vae_create(skv_vae **out, skv_backend *be, skv_weights *weights,
                                   const skv_dims *dims);
void skv_vae_destroy(skv_vae *vae);

/* Device bytes that creating it takes. */
SKV_MUST skv_status skv_vae_plan(size_t *bytes, skv_backend *be, skv_weights *weights,
                                 const skv_dims *dims);

/* Scratch of decoding `n` pictures from (n,h,w,d) maps at once. */
size_t skv_vae_scratch_bytes(const skv_dims *dims, const skv_backend *be, int n, int h, int w);

/* z (n,h,w,d) fp32 -> rgb (n,H,W,3) fp32, the decoder's output before clamping, and pixels
 * (n,H,W,3) u8 by trunc((clamp(x,-1,1)+1)/2·255). H = h·stride. pixels->data may be NULL. */
SKV_MUST skv_status skv_vae_decode(const skv_vae *vae, const skv_tensor *z, skv_tensor *rgb,
                                   skv_tensor *pixels, skv_arena *scratch);

#endif
