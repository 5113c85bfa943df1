/* A build without CUDA has no GPUs to send between. */
#include "mpi/spread_impl.h"

skv_status skv_nccl__device(int64_t *gpu, int64_t *slot)
{
    (void)gpu;
    (void)slot;
    return skv_fail(SKV_E_UNSUPPORTED, "a build without NCCL has no GPU");
}

skv_status skv_nccl__run(bool *good, skv_comm *c, const skv_spread_plan *p, skv_backend *be,
                         void *data, size_t bytes)
{
    (void)c;
    (void)p;
    (void)be;
    (void)data;
    (void)bytes;
    *good = false;
    return skv_fail(SKV_E_UNSUPPORTED, "a build without NCCL has no GPU");
}

skv_status skv_nccl__pairs(bool *good, int *partner, skv_comm *c, const skv_spread_plan *p,
                           skv_backend *be)
{
    *partner = -1;
    return skv_nccl__run(good, c, p, be, NULL, 0);
}

int skv_comm__nccl_library(skv_library *out)
{
    (void)out;
    return 0;
}
