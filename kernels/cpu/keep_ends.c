/* The first positions and the last ones: what sinks and a sliding window keep. */
#include "kernels/cpu/cpu_internal.h"

skv_status skv_cpu_keep_ends(skv_backend *be, const skv_keep_ends_args *a)
{
    const int64_t rows = a->keep.shape[0], heads = a->keep.shape[1], n = a->keep.shape[2];

    (void)be;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t h = 0; h < heads; h++) {
            int32_t *keep = (int32_t *)a->keep.data + r * a->keep.stride[0] + h * a->keep.stride[1];

            for (int64_t i = 0; i < n; i++)
                keep[i] = (int32_t)(i < a->first ? i : a->len - n + i);
        }
    return SKV_OK;
}
