/* upsample_conv: cuDNN's transposed convolution for bf16; else a plain kernel. */
#include "kernels/cuda/cuda_internal.h"

skv_status skv_cuda_upsample_conv(skv_backend *be, const skv_upsample_conv_args *a)
{
    const int64_t *xs = a->x.shape, co = a->w.shape[3];
    const int64_t places = 4 * xs[0] * xs[1] * xs[2]; /* of y */
    bool done = false;

    be->flops += 8 * places * xs[3] * co;
    if (places * co == 0)
        return SKV_OK;
    if (a->x.dtype == SKV_BF16)
        SKV_TRY(skv_cuda__cudnn_upsample_conv(be, a, &done));
    return done ? SKV_OK : skv_cuda__upsample_plain(be, a);
}
