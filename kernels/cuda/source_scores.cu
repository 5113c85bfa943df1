/* source_scores: a thread a token. */
#include "kernels/cuda/ragged.cuh"

#define BLOCK     256
#define MAX_EDGES 33 /* of as many scales as there are bits, and one */

typedef struct {
    ints<MAX_HEADS> base, kept;
    ints<MAX_EDGES> edge;
    int first, n_scales;
    int64_t o_row, o_head;
} sources;

/* grid (tiles of the longest head, R·H) */
__global__ void source_scores(float *s, const int32_t *origin, const ragged lists,
                              const sources from)
{
    const int r = blockIdx.y / lists.heads, h = blockIdx.y % lists.heads;
    const int j = blockIdx.x * BLOCK + threadIdx.x, behind = j - from.base.v[h];
    int32_t number;
    float score = 0;

    if (j >= lists.len.v[h])
        return;
    number = behind < 0 ? origin[r * from.o_row + h * from.o_head + j] : from.first + behind;
    for (int i = 0; i < from.n_scales; i++)
        if (number >= from.edge.v[i] && number < from.edge.v[i + 1])
            score = (float)(from.kept.v[h] >> i & 1);
    s[list_at(lists, blockIdx.y) + j] = score;
}

extern "C" skv_status skv_cuda_source_scores(skv_backend *be, const skv_source_scores_args *a)
{
    const int64_t rows = a->origin.shape[0], heads = a->origin.shape[1];
    const int64_t longest = skv_ragged_longest(a->len, heads);
    const dim3 grid((unsigned)div_up(longest, BLOCK), (unsigned)(rows * heads));
    const sources from = {ints_of<MAX_HEADS>(a->base, heads),
                          ints_of<MAX_HEADS>(a->kept, heads),
                          ints_of<MAX_EDGES>(a->edge, a->n_scales + 1),
                          a->first,
                          a->n_scales,
                          a->origin.stride[0],
                          a->origin.stride[1]};

    if (longest == 0 || rows == 0)
        return SKV_OK;
    SKV_TRY(fits_ragged("source_scores", rows, heads));
    SKV_LAUNCH(be, source_scores, grid, BLOCK, 0, (float *)a->s.data,
               (const int32_t *)a->origin.data, ragged_of(a->len, heads), from);
    return SKV_OK;
}
