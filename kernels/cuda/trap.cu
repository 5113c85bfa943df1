/* A kernel that kills the context, so that a test need not have a broken GPU. */
#include "kernels/cuda/device.cuh"

__global__ void trap()
{
    asm volatile("trap;");
}

extern "C" void skv_cuda__trap(skv_backend *be)
{
    trap<<<1, 1, 0, skv_cuda__of(be)->stream>>>();
}
