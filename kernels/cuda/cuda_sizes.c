#include "kernels/cuda/cuda_sizes.h"

size_t skv_cuda__packed_linear_bytes(const skv_backend *be, int64_t n, int64_t k)
{
    return (size_t)(n * k) * skv_dtype_bytes(be->weight);
}

size_t skv_cuda__packed_conv_bytes(const skv_backend *be, int64_t co, int64_t ci)
{
    return (size_t)(co * ci) * 9 * skv_dtype_bytes(be->weight);
}
