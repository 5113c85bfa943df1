/* What the CUDA backend takes of a GPU's memory: known without one, so that a run can be planned on
 * a machine that has none (kernels/planned.c). */
#ifndef SKV_KERNELS_CUDA_CUDA_SIZES_H
#define SKV_KERNELS_CUDA_CUDA_SIZES_H

#include "kernels/backend.h"

/* Device bytes that operations and libraries may use while they run. */
#define SKV_CUDA_WORKSPACE ((size_t)64 << 20)

/* CUDA's context, libraries and the workspaces of both backends of a rank, as measured on an H200
 * (tests/bench/ballast.sh, "idle"). */
#define SKV_CUDA_IDLE ((size_t)656 << 20)

size_t skv_cuda__packed_linear_bytes(const skv_backend *be, int64_t n, int64_t k);
size_t skv_cuda__packed_conv_bytes(const skv_backend *be, int64_t co, int64_t ci);

#endif
