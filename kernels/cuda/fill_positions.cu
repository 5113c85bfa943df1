/* fill_positions: a block a list, a thread a position. */
#include "kernels/cuda/device.cuh"

#define MAX_POSITIONS 256

__global__ void fill_positions(float *s, ints<MAX_POSITIONS> position, int n, int len, float value)
{
    if ((int)threadIdx.x < n)
        s[(int64_t)blockIdx.x * len + position.v[threadIdx.x]] = value;
}

extern "C" skv_status skv_cuda_fill_positions(skv_backend *be, const skv_fill_positions_args *a)
{
    const int64_t lists = a->s.shape[0] * a->s.shape[1];

    for (int first = 0; lists > 0 && first < a->n; first += MAX_POSITIONS) {
        const int n = a->n - first < MAX_POSITIONS ? a->n - first : MAX_POSITIONS;

        SKV_LAUNCH(be, fill_positions, (unsigned)lists, MAX_POSITIONS, 0, (float *)a->s.data,
                   ints_of<MAX_POSITIONS>(a->position + first, n), n, (int)a->s.shape[2], a->value);
    }
    return SKV_OK;
}
