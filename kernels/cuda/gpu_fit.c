/* Whether a GPU and the libraries found here can run this program, known before anything is read.
 */
#include <cudnn_graph.h>

#include "kernels/cuda/cuda_internal.h"

#define MIN_SM      80
#define CUDNN_LEAST 91400 /* attention as one operation; SKV_CUDNN_LEAST of versions.cmake */

static skv_status no_code(const struct cudaDeviceProp *gpu, int device)
{
    (void)cudaGetLastError();
    return skv_fail(SKV_E_UNSUPPORTED,
                    "this program has code for compute capability %s, and none for GPU %d (%s, "
                    "%d.%d): build it with -DCMAKE_CUDA_ARCHITECTURES=%d%d",
                    SKV_CUDA_CAPABILITIES, device, gpu->name, gpu->major, gpu->minor, gpu->major,
                    gpu->minor);
}

/* The driver would have to compile for a GPU that came after the program. */
static skv_status not_compiled(const struct cudaDeviceProp *gpu, int device)
{
    int driver = 0;

    (void)cudaGetLastError();
    (void)cudaDriverGetVersion(&driver);
    return skv_fail(SKV_E_UNSUPPORTED,
                    "this program has code for compute capability %s, and the driver (CUDA %d.%d) "
                    "cannot compile it for GPU %d (%s, %d.%d): build it with "
                    "-DCMAKE_CUDA_ARCHITECTURES=%d%d",
                    SKV_CUDA_CAPABILITIES, driver / 1000, driver % 1000 / 10, device, gpu->name,
                    gpu->major, gpu->minor, gpu->major, gpu->minor);
}

skv_status skv_cuda__check_gpu(const struct cudaDeviceProp *gpu, int device)
{
    const size_t cudnn = cudnnGetVersion();
    cudaError_t error;

    if (10 * gpu->major + gpu->minor < MIN_SM)
        return skv_fail(SKV_E_UNSUPPORTED,
                        "GPU %d (%s) has compute capability %d.%d, want %d.%d or more", device,
                        gpu->name, gpu->major, gpu->minor, MIN_SM / 10, MIN_SM % 10);
    if (cudnn < CUDNN_LEAST)
        return skv_fail(SKV_E_UNSUPPORTED,
                        "cuDNN %zu.%zu.%zu was loaded, want %d.%d or later: see whether an older "
                        "one comes first in LD_LIBRARY_PATH",
                        cudnn / 10000, cudnn % 10000 / 100, cudnn % 100, CUDNN_LEAST / 10000,
                        CUDNN_LEAST % 10000 / 100);
    error = skv_cuda__probe();
    if (error == cudaErrorNoKernelImageForDevice)
        return no_code(gpu, device);
    if (error == cudaErrorUnsupportedPtxVersion)
        return not_compiled(gpu, device);
    SKV_CUDA(error);
    return SKV_OK;
}
