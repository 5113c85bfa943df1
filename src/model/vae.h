/* The VAE decoder: residual map -> picture, NHWC. src/model/README.md, Image. */
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

/* In fault: the decoded picture is not finite. */
#define SKV_FAULT_PICTURE (-2)

/* Where skv_vae_decode writes; device tensors. */
typedef struct {
    skv_tensor rgb;    /* (n,H,W,3) fp32: the decoder's output before clamping. H = h·stride */
    skv_tensor pixels; /* (n,H,W,3) u8: trunc((clamp(x,-1,1)+1)/2·255); data NULL: not wanted */
    skv_tensor fault;  /* (n) i32, with pixels: a 0 becomes SKV_FAULT_PICTURE where rgb is not
                        * finite; data NULL: not wanted */
} skv_decoded;

/* z (n,h,w,d) fp32 -> out. */
SKV_MUST skv_status skv_vae_decode(const skv_vae *vae, const skv_tensor *z, const skv_decoded *out,
                                   skv_arena *scratch);

#endif
