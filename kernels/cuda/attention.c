/* Self attention: cuDNN where all heads have equal lengths, else our own kernels. */
#include "kernels/cuda/cuda_internal.h"

skv_status skv_cuda_attention(skv_backend *be, const skv_attention_args *a)
{
    skv_cuda__flash_args f = {0};
    bool equal = true, done = false;

    f.o = a->o.data;
    f.q = a->q.data;
    f.k = a->k.data;
    f.v = a->v.data;
    f.rows = a->q.shape[0];
    f.tokens = a->q.shape[1];
    f.heads = a->q.shape[2];
    f.dim = a->q.shape[3];
    f.row_stride = a->k.stride[0];
    f.head_stride = a->k.stride[1];
    f.token_stride = f.dim;
    f.len = a->len;
    f.scale = a->scale;
    for (int64_t h = 0; h < f.heads; h++) {
        be->flops += 4 * f.rows * f.tokens * a->len[h] * f.dim;
        equal = equal && a->len[h] == a->len[0];
    }
    if (f.rows * f.tokens * f.heads == 0)
        return SKV_OK;
    if (skv_limits_library_attention(be->limits, be->act, f.tokens, equal))
        SKV_TRY(skv_cuda__cudnn_attention(be, a, &done));
    if (done)
        return SKV_OK;
    if (a->v.stride[0] != f.row_stride || a->v.stride[1] != f.head_stride)
        return skv_fail(SKV_E_UNSUPPORTED, "attention: keys and values lie in different strides");
    return skv_cuda__attend(be, &f);
}
