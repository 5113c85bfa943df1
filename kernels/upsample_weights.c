/* Weights of upsample_conv. After an upsampling several taps of a direction read the same place, so
 * their sums are all that is needed: of w[0..2], tap 0 is w[2], tap 1 w[1]+w[2], tap 2 w[0]+w[1],
 * tap 3 w[0]. */
#include <stdlib.h>

#include "core/dtype.h"
#include "core/mem.h"
#include "kernels/ops.h"

size_t skv_packed_upsample_conv_bytes(const skv_backend *be, int64_t co, int64_t ci)
{
    return (size_t)(co * ci) * 16 * skv_dtype_bytes(be->weight);
}

/* The sum of w (3,3) over those that tap (r,s) stands for. */
static float summed(const float *w, int r, int s)
{
    static const int from[4] = {2, 1, 0, 0}, to[4] = {2, 2, 1, 0};
    float sum = 0;

    for (int y = from[r]; y <= to[r]; y++)
        for (int x = from[s]; x <= to[s]; x++)
            sum += w[3 * y + x];
    return sum;
}

skv_status skv_pack_upsample_conv(skv_backend *be, skv_tensor *out, void *dst, const void *src,
                                  skv_dtype src_type, int64_t co, int64_t ci)
{
    const size_t element = skv_dtype_bytes(src_type);
    float *sums = NULL;
    skv_status st = SKV_OK;

    if (src) {
        SKV_TRY(skv_alloc(&sums, (size_t)(co * ci) * 16, sizeof *sums, "packing a convolution"));
        for (int64_t o = 0; o < co; o++)
            for (int64_t c = 0; c < ci; c++) {
                float w[9];

                skv_to_f32(w, (const char *)src + (size_t)((o * ci + c) * 9) * element, src_type,
                           9);
                for (int t = 0; t < 16; t++)
                    sums[(c * 16 + t) * co + o] = summed(w, t / 4, t % 4);
            }
        st = skv_pack_linear(be, out, dst, sums, SKV_F32, 16 * ci, co);
        free(sums);
    }
    *out = SKV_TENSOR(dst, be->weight, be->device, ci, 4, 4, co);
    return st;
}
