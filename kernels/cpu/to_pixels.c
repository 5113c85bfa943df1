/* Decoder output to bytes: truncation, as upstream does it. */
#include "kernels/cpu/cpu_internal.h"

skv_status skv_cpu_to_pixels(skv_backend *be, const skv_to_pixels_args *a)
{
    const int64_t n = skv_tensor_count(&a->x);
    const float *x = skv_f32(&a->x);
    uint8_t *y = a->y.data;

    (void)be;
    for (int64_t i = 0; i < n; i++) {
        const float low = x[i] > -1.0f ? x[i] : -1.0f; /* NaN too */
        const float t = low < 1.0f ? low : 1.0f;

        y[i] = (uint8_t)((t + 1.0f) / 2.0f * 255.0f);
    }
    return SKV_OK;
}
