/* A backend that is only planned with: types, limits and sizes of the CUDA backend on a GPU that
 * need not be there. It has no memory and no operations. */
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "kernels/cuda/cuda_sizes.h"
#include "kernels/ops.h"

typedef struct {
    size_t bytes; /* of the GPU */
    char description[96];
} planned;

static skv_status planned_memory(skv_backend *be, size_t *free_bytes, size_t *total_bytes)
{
    const planned *p = be->impl;

    *total_bytes = p->bytes;
    *free_bytes = p->bytes > SKV_CUDA_IDLE ? p->bytes - SKV_CUDA_IDLE : 0;
    return SKV_OK;
}

static skv_status planned_alloc(skv_backend *be, void *out, size_t bytes, const char *what)
{
    (void)be;
    (void)out;
    return skv_fail(SKV_E_UNSUPPORTED, "%s: %zu bytes wanted on a GPU that is only planned with",
                    what, bytes);
}

static void planned_destroy(skv_backend *be)
{
    free(be->impl);
    free(be);
}

static const char *planned_describe(const skv_backend *be)
{
    return ((const planned *)be->impl)->description;
}

static const skv_ops planned_ops = {
    .alloc = planned_alloc,
    .memory = planned_memory,
    .destroy = planned_destroy,
    .describe = planned_describe,
    .packed_linear_bytes = skv_cuda__packed_linear_bytes,
    .packed_conv_bytes = skv_cuda__packed_conv_bytes,
};

skv_status skv_backend_open_planned(skv_backend **out, const char *name, size_t bytes,
                                    skv_dtype type)
{
    skv_backend *be = NULL;
    planned *p = NULL;

    SKV_TRY(skv_alloc(&p, 1, sizeof *p, "backend"));
    if (skv_alloc(&be, 1, sizeof *be, "backend") != SKV_OK) {
        free(p);
        return SKV_E_MEM;
    }
    p->bytes = bytes;
    snprintf(p->description, sizeof p->description, "planned for %.32s with %zu MiB, %s", name,
             bytes >> 20, skv_dtype_name(type));
    *be = (skv_backend){.name = "planned",
                        .device = SKV_CUDA_DEVICE,
                        .act = type,
                        .weight = type,
                        .kv = type,
                        .own_bytes = SKV_CUDA_WORKSPACE,
                        .limits = &skv_limits_cuda,
                        .ops = &planned_ops,
                        .impl = p};
    *out = be;
    return SKV_OK;
}
