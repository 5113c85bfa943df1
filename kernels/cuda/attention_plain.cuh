/* Attention of one query by one warp, in fp32: for types, widths and masks that the tensor cores'
 * kernels do not serve. Lanes hold every 32nd number of the head dimension (<= 256). */
#ifndef SKV_KERNELS_CUDA_ATTENTION_PLAIN_CUH
#define SKV_KERNELS_CUDA_ATTENTION_PLAIN_CUH

#include "kernels/cuda/device.cuh"

#define PLAIN_PARTS 8 /* of 32: head dimensions up to 256 */

/* o = softmax(scale·q·Kᵀ + bias)·V over len keys, `stride` numbers apart; bias(j) is a float. */
template <typename TO, typename TQ, typename TK, typename B>
__device__ __forceinline__ void attend_one(TO *o, const TQ *q, const TK *k, const TK *v,
                                           int64_t stride, int len, int dim, float scale, B bias)
{
    const int lane = threadIdx.x % WARP;
    float query[PLAIN_PARTS], out[PLAIN_PARTS], most = -INFINITY, sum = 0;

#pragma unroll
    for (int i = 0; i < PLAIN_PARTS; i++) {
        query[i] = i * WARP + lane < dim ? to_f32(q[i * WARP + lane]) : 0.0f;
        out[i] = 0;
    }
    for (int j = 0; j < len; j++) {
        const TK *key = k + j * stride, *value = v + j * stride;
        float s = 0, p;

#pragma unroll
        for (int i = 0; i < PLAIN_PARTS; i++)
            if (i * WARP + lane < dim)
                s = fmaf(query[i], to_f32(key[i * WARP + lane]), s);
        s = warp_sum(s) * scale + bias(j);
        if (s > most) {
            const float shrink = expf(most - s);

            most = s;
            sum *= shrink;
#pragma unroll
            for (int i = 0; i < PLAIN_PARTS; i++)
                out[i] *= shrink;
        }
        p = expf(s - most);
        sum += p;
#pragma unroll
        for (int i = 0; i < PLAIN_PARTS; i++)
            if (i * WARP + lane < dim)
                out[i] = fmaf(p, to_f32(value[i * WARP + lane]), out[i]);
    }
    sum = 1.0f / sum;
#pragma unroll
    for (int i = 0; i < PLAIN_PARTS; i++)
        if (i * WARP + lane < dim)
            put(o + i * WARP + lane, out[i] * sum);
}

struct no_bias {
    __device__ float operator()(int) const
    {
        return 0.0f;
    }
};

#endif
