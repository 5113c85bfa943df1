/* Versions of the libraries that compute. */
#ifndef SKV_KERNELS_KERNEL_LIBRARIES_H
#define SKV_KERNELS_KERNEL_LIBRARIES_H

#include "core/build.h"

int skv_kernel_libraries(skv_library *out); /* as skv_core_libraries */
int skv_cuda_libraries(skv_library *out);   /* none in a build without CUDA */

#endif
