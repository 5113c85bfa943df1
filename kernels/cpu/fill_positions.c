/* One value at given positions of every row and head. */
#include "kernels/cpu/cpu_internal.h"

skv_status skv_cpu_fill_positions(skv_backend *be, const skv_fill_positions_args *a)
{
    const int64_t lists = a->s.shape[0] * a->s.shape[1], len = a->s.shape[2];

    (void)be;
    for (int64_t i = 0; i < lists; i++)
        for (int p = 0; p < a->n; p++)
            skv_f32(&a->s)[i * len + a->position[p]] = a->value;
    return SKV_OK;
}
