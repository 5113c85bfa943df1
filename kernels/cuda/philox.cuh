/* Philox4x32-10 on a GPU: core/rng.h. */
#ifndef SKV_KERNELS_CUDA_PHILOX_CUH
#define SKV_KERNELS_CUDA_PHILOX_CUH

#include <stdint.h>

/* c <- skv_philox(c, key), the key's low word first. */
__device__ __forceinline__ void philox(uint32_t c[4], uint64_t key)
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);

#pragma unroll
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c[0], p1 = (uint64_t)0xCD9E8D57u * c[2];

        c[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ k0;
        c[1] = (uint32_t)p1;
        c[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;
        c[3] = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

__device__ __forceinline__ uint32_t word_of(const uint32_t c[4], uint32_t lane)
{
    return lane == 0 ? c[0] : lane == 1 ? c[1] : lane == 2 ? c[2] : c[3];
}

#endif
