/* Cross attention: our own kernels, each row with its own text. */
#include "kernels/cuda/cuda_internal.h"

skv_status skv_cuda_cross_attention(skv_backend *be, const skv_cross_attention_args *a)
{
    skv_cuda__flash_args f = {0};
    const size_t element = skv_dtype_bytes(be->kv);

    f.o = a->o.data;
    f.q = a->q.data;
    f.rows = a->q.shape[0];
    f.tokens = a->q.shape[1];
    f.heads = a->q.shape[2];
    f.dim = a->q.shape[3];
    f.k = a->kv.data;
    f.v = (const char *)a->kv.data + (size_t)(f.heads * f.dim) * element;
    f.row_stride = f.token_stride = 2 * f.heads * f.dim;
    f.head_stride = f.dim;
    f.row_start = a->start;
    f.len = a->count;
    f.by_row = true;
    f.scale = a->scale;
    for (int64_t r = 0; r < f.rows; r++)
        be->flops += 4 * f.tokens * f.heads * a->count[r] * f.dim;
    return f.rows * f.tokens * f.heads == 0 ? SKV_OK : skv_cuda__attend(be, &f);
}
