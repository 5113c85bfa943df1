/* The CUDA backend's entry points in a build without CUDA. */
#include "kernels/backend.h"
#include "kernels/kernel_libraries.h"

skv_status skv_backend_open_cuda(skv_backend **out, const skv_cuda_options *options)
{
    (void)out;
    (void)options;
    return skv_fail(SKV_E_UNSUPPORTED, "this build has no CUDA");
}

skv_status skv_cuda_count(int *n)
{
    *n = 0;
    return skv_fail(SKV_E_UNSUPPORTED, "this build has no CUDA");
}

skv_status skv_cuda_identity(char out[SKV_GPU_NAME_BYTES], int device)
{
    (void)device;
    out[0] = '\0';
    return skv_fail(SKV_E_UNSUPPORTED, "this build has no CUDA");
}

int skv_cuda_libraries(skv_library *out)
{
    (void)out;
    return 0;
}
