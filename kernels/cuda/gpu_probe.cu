/* A kernel that is compiled as all are, to be asked about: it is never launched. */
#include "kernels/cuda/device.cuh"

__global__ void probe()
{
}

extern "C" cudaError_t skv_cuda__probe(void)
{
    struct cudaFuncAttributes attributes;

    return cudaFuncGetAttributes(&attributes, probe);
}
