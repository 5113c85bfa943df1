#include "kernels/kernel_libraries.h"

#include <cblas.h>
#include <stdio.h>

int skv_kernel_libraries(skv_library *out)
{
    char running[32] = "";

    (void)sscanf(openblas_get_config(), "OpenBLAS %31s", running);
    out[0] = skv_library_of("OpenBLAS", SKV_OPENBLAS, running);
    return 1 + skv_cuda_libraries(out + 1);
}
