/* Weights on the CPU are fp32: matrices as they are (in place where the file allows), convolutions
 * with the input channels innermost. */
#include "kernels/cpu/cpu_internal.h"

#include <assert.h>

size_t skv_cpu__packed_linear_bytes(const skv_backend *be, int64_t n, int64_t k)
{
    (void)be;
    (void)n;
    (void)k;
    return 0;
}

size_t skv_cpu__packed_conv_bytes(const skv_backend *be, int64_t co, int64_t ci)
{
    (void)be;
    return (size_t)(co * ci) * 9 * sizeof(float);
}

skv_status skv_cpu__pack_linear(skv_backend *be, skv_tensor *out, void *dst, const void *src,
                                skv_dtype src_type, int64_t n, int64_t k)
{
    if (dst && src) {
        skv_to_f32(dst, src, src_type, (size_t)(n * k));
    } else if (!dst) {
        assert(src_type == SKV_F32 && (uintptr_t)src % sizeof(float) == 0);
        dst = (void *)(uintptr_t)src; /* read only from here on */
    }
    *out = SKV_TENSOR(dst, SKV_F32, be->device, n, k);
    return SKV_OK;
}

skv_status skv_cpu__pack_conv(skv_backend *be, skv_tensor *out, void *dst, const void *src,
                              skv_dtype src_type, int64_t co, int64_t ci)
{
    const size_t element = skv_dtype_bytes(src_type);
    float *y = dst;

    for (int64_t o = 0; src && o < co; o++)
        for (int64_t c = 0; c < ci; c++) {
            const char *taps = (const char *)src + (size_t)((o * ci + c) * 9) * element;
            float tap[9];

            skv_to_f32(tap, taps, src_type, 9);
            for (int64_t t = 0; t < 9; t++)
                y[(o * 9 + t) * ci + c] = tap[t];
        }
    *out = SKV_TENSOR(dst, SKV_F32, be->device, co, 3, 3, ci);
    return SKV_OK;
}
