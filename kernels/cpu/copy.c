/* All types are one on the CPU, so a copy is a move and never converts. */
#include "kernels/cpu/cpu_internal.h"

#include <string.h>

skv_status skv_cpu_copy(skv_backend *be, const skv_copy_args *a)
{
    (void)be;
    if (skv_tensor_bytes(&a->x) > 0)
        memmove(a->y.data, a->x.data, skv_tensor_bytes(&a->x));
    return SKV_OK;
}

skv_status skv_cpu_zero(skv_backend *be, const skv_zero_args *a)
{
    (void)be;
    if (skv_tensor_bytes(&a->y) > 0)
        memset(a->y.data, 0, skv_tensor_bytes(&a->y));
    return SKV_OK;
}
