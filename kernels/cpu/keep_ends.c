/* The first positions and the last ones: what sinks and a sliding window keep. */
#include "kernels/cpu/cpu_internal.h"

skv_status skv_cpu_keep_ends(skv_backend *be, const skv_keep_ends_args *a)
{
    int32_t *keep = a->keep.data;

    (void)be;
    for (int64_t r = 0; r < a->keep.shape[0]; r++)
        for (int h = 0; h < a->heads; h++)
            for (int i = 0; i < a->n[h]; i++)
                *keep++ = i < a->first ? i : a->len[h] - a->n[h] + i;
    return SKV_OK;
}
