/* What a build with CUDA was made of, and what it found at its start. */
#include "kernels/kernel_libraries.h"

#include <cublasLt.h>
#include <cuda_runtime.h>
#include <cudnn_graph.h>
#include <stdio.h>

typedef struct {
    const char *name;
    long built, running; /* as the library numbers itself; 0: it does not say */
    long major, minor;   /* what they are divided by */
} numbered;

static void put(char *out, size_t bytes, long v, const numbered *n)
{
    out[0] = '\0';
    if (v > 0)
        snprintf(out, bytes, "%ld.%ld.%ld", v / n->major, v % n->major / n->minor, v % n->minor);
}

int skv_cuda_libraries(skv_library *out)
{
    int runtime = 0;
    const cudaError_t e = cudaRuntimeGetVersion(&runtime);
    const numbered all[] = {
        {"CUDA runtime", CUDART_VERSION, e == cudaSuccess ? runtime : 0, 1000, 10},
        {"cuBLASLt", CUBLAS_VERSION, (long)cublasLtGetVersion(), 10000, 100},
        {"cuDNN", CUDNN_VERSION, (long)cudnnGetVersion(), 10000, 100},
    };
    const int n = (int)(sizeof all / sizeof all[0]);

    for (int i = 0; i < n; i++) {
        char built[80], running[80];

        put(built, sizeof built, all[i].built, &all[i]);
        put(running, sizeof running, all[i].running, &all[i]);
        out[i] = skv_library_of(all[i].name, built, running);
    }
    return n;
}
