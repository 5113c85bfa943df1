/* conv3x3: conv_few.cu for three channels; cuDNN for bf16; else (fp32, odd widths, fp32 output) as
 * a product. */
#include "kernels/cuda/cuda_internal.h"

skv_status skv_cuda_conv3x3(skv_backend *be, const skv_conv3x3_args *a)
{
    const int64_t places = a->x.shape[0] * a->x.shape[1] * a->x.shape[2];
    bool done = false;

    be->flops += 2 * places * 9 * a->x.shape[3] * a->w.shape[0];
    if (places == 0)
        return SKV_OK;
    if (!a->r.data)
        SKV_TRY(skv_cuda__conv_few(be, a, &done));
    if (!done && a->x.dtype == SKV_BF16)
        SKV_TRY(skv_cuda__cudnn_conv3x3(be, a, &done));
    return done ? SKV_OK : skv_cuda__conv_product(be, a, skv_cuda__matmul);
}
