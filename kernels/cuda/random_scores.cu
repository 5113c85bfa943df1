/* random_scores: a thread a position, which is written for every row. */
#include "kernels/cuda/philox.cuh"
#include "kernels/cuda/ragged.cuh"

#define BLOCK 256

/* grid (tiles of the longest head, H) */
__global__ void random_scores(float *s, int rows, const ragged lists, uint64_t seed,
                              uint32_t stream)
{
    const int h = blockIdx.y, j = blockIdx.x * BLOCK + threadIdx.x;
    uint32_t c[4] = {(uint32_t)j / 4, (uint32_t)h, stream, 0};

    if (j >= lists.len.v[h])
        return;
    philox(c, seed);
    s += lists.start.v[h] + j;
    for (int r = 0; r < rows; r++)
        s[r * lists.row] = (float)(word_of(c, (uint32_t)j % 4) >> 8) * 0x1p-24f;
}

extern "C" skv_status skv_cuda_random_scores(skv_backend *be, const skv_random_scores_args *a)
{
    const int64_t rows = a->s.shape[0], longest = skv_ragged_longest(a->len, a->heads);
    const dim3 grid((unsigned)div_up(longest, BLOCK), (unsigned)a->heads);

    if (longest == 0 || rows == 0)
        return SKV_OK;
    SKV_TRY(fits_ragged("random_scores", 1, a->heads));
    SKV_LAUNCH(be, random_scores, grid, BLOCK, 0, (float *)a->s.data, (int)rows,
               ragged_of(a->len, a->heads), a->seed, a->stream);
    return SKV_OK;
}
