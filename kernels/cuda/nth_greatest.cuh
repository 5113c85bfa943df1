/* The n-th greatest of a block's list of ranks, digit by digit: radix select, counts by integer
 * atomics, exact in any order. */
#ifndef SKV_KERNELS_CUDA_NTH_GREATEST_CUH
#define SKV_KERNELS_CUDA_NTH_GREATEST_CUH

#include "kernels/cuda/device.cuh"

#define DIGIT_BITS 8
#define DIGITS     (1 << DIGIT_BITS)

/* For all threads of a block: the rank of the n-th greatest, 1 <= n <= len; *ties = how many of
 * that very rank belong to the first n. */
static __device__ uint32_t nth_greatest(const uint32_t *rank, int len, int n, int *ties, int *count,
                                        int *found)
{
    uint32_t prefix = 0, mask = 0;

    for (int shift = 32 - DIGIT_BITS; shift >= 0; shift -= DIGIT_BITS) {
        for (int i = threadIdx.x; i < DIGITS; i += blockDim.x)
            count[i] = 0;
        __syncthreads();
        for (int i = threadIdx.x; i < len; i += blockDim.x)
            if ((rank[i] & mask) == prefix)
                atomicAdd(&count[rank[i] >> shift & (DIGITS - 1)], 1);
        __syncthreads();
        if (threadIdx.x < WARP) { /* the digit whose suffix sum first reaches n */
            const int lane = threadIdx.x, each = DIGITS / WARP;
            int sum = 0, above, left, digit;

            for (int i = 0; i < each; i++)
                sum += count[lane * each + i];
            above = sum;
            for (int step = 1; step < WARP; step *= 2) {
                const int other = __shfl_down_sync(ALL, above, step);

                above += lane + step < WARP ? other : 0;
            }
            above -= sum; /* of the lanes behind */
            if (above < n && n <= above + sum) {
                left = n - above;
                digit = lane * each + each - 1;
                while (left > count[digit])
                    left -= count[digit--];
                found[0] = digit;
                found[1] = left;
            }
        }
        __syncthreads();
        prefix |= (uint32_t)found[0] << shift;
        mask |= (uint32_t)(DIGITS - 1) << shift;
        n = found[1];
        __syncthreads();
    }
    *ties = n;
    return prefix;
}

#endif
