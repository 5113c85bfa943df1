/* What all launches and calls of CUDA have in common: shared memory, and errors in words. */
#include "kernels/cuda/cuda_internal.h"

#define STATIC_SHARED ((size_t)48 << 10)

skv_status skv_cuda__lost(const char *call)
{
    cudaError_t error;

    (void)cudaGetLastError();
    error = cudaFree(NULL); /* a lost context answers everything with its error */
    if (error == cudaSuccess)
        return SKV_OK;
    return skv_fail(SKV_E_CUDA,
                    "the GPU has failed: %s (%s, in %.40s); what is finished is safe, run the same "
                    "command again",
                    cudaGetErrorString(error), cudaGetErrorName(error), call);
}

skv_status skv_cuda__failed(cudaError_t error, const char *call, const char *file, int line)
{
    SKV_TRY(skv_cuda__lost(call));
    return skv_fail_at(error == cudaErrorMemoryAllocation ? SKV_E_MEM : SKV_E_CUDA, file, line,
                       "%s: %s (%s)", call, cudaGetErrorString(error), cudaGetErrorName(error));
}

skv_status skv_cuda__launched(skv_backend *be, const char *kernel)
{
    skv_cuda *c = skv_cuda__of(be);
    cudaError_t error = cudaGetLastError();

    if (c->fault > 0 && --c->fault == 0)
        skv_cuda__trap(be);
    if (error == cudaSuccess && c->drain)
        error = cudaStreamSynchronize(c->stream);
    if (error == cudaSuccess)
        return SKV_OK;
    return skv_cuda__failed(error, kernel, __FILE__, __LINE__);
}

skv_status skv_cuda__no_kernel(const char *function, skv_dtype type)
{
    return skv_fail(SKV_E_UNSUPPORTED, "%s: no kernel computes in %s", function,
                    skv_dtype_name(type));
}

skv_status skv_cuda__shared(skv_backend *be, const void *kernel, size_t bytes)
{
    skv_cuda *c = skv_cuda__of(be);
    cudaError_t error;
    int i = 0;

    while (i < c->n_roomy && c->roomy[i].kernel != kernel)
        i++;
    if (bytes <= STATIC_SHARED || (i < c->n_roomy && bytes <= c->roomy[i].bytes))
        return SKV_OK;
    error =
        bytes > c->shared
            ? cudaErrorInvalidValue
            : cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, (int)bytes);
    if (error == cudaErrorInvalidValue) {
        (void)cudaGetLastError();
        return skv_fail(SKV_E_UNSUPPORTED, "a kernel wants %zu bytes of shared memory", bytes);
    }
    SKV_CUDA(error);
    if (i < SKV_CUDA_ROOMY) {
        c->roomy[i].kernel = kernel;
        c->roomy[i].bytes = bytes;
        c->n_roomy += i == c->n_roomy;
    }
    return SKV_OK;
}
