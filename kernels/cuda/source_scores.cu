/* source_scores, source_order: a thread a token. */
#include "kernels/cuda/ragged.cuh"

#define BLOCK     256
#define MAX_EDGES 33 /* of as many scales as there are bits, and one */

/* yes, no: kept and unused; or always and never. */
typedef struct {
    ints<MAX_HEADS> base, yes, no;
    ints<MAX_EDGES> edge;
    int first, n_scales;
    int64_t o_row, o_head;
} sources;

/* grid (tiles of the longest head, R·H). ORDER: source_order, in place. */
template <bool ORDER>
__global__ void source_scores(float *s, const int32_t *origin, const ragged lists,
                              const sources from)
{
    const int r = blockIdx.y / lists.heads, h = blockIdx.y % lists.heads;
    const int j = blockIdx.x * BLOCK + threadIdx.x, behind = j - from.base.v[h];
    int32_t number;
    bool yes = false, no = false;

    if (j >= lists.len.v[h])
        return;
    number = behind < 0 ? origin[r * from.o_row + h * from.o_head + j] : from.first + behind;
    for (int i = 0; i < from.n_scales; i++)
        if (number >= from.edge.v[i] && number < from.edge.v[i + 1]) {
            yes = from.yes.v[h] >> i & 1;
            no = from.no.v[h] >> i & 1;
        }
    s += list_at(lists, blockIdx.y) + j;
    if (!ORDER)
        *s = yes ? 1.0f : 0.0f;
    else if (yes || no)
        *s = yes ? INFINITY : -INFINITY;
}

template <bool ORDER>
static skv_status run(skv_backend *be, const char *op, const skv_source_order_args *a)
{
    const int64_t rows = a->origin.shape[0], heads = a->origin.shape[1];
    const int64_t longest = skv_ragged_longest(a->len, heads);
    const dim3 grid((unsigned)div_up(longest, BLOCK), (unsigned)(rows * heads));
    const sources from = {ints_of<MAX_HEADS>(a->base, heads),
                          ints_of<MAX_HEADS>(a->always, heads),
                          ints_of<MAX_HEADS>(a->never, heads),
                          ints_of<MAX_EDGES>(a->edge, a->n_scales + 1),
                          a->first,
                          a->n_scales,
                          a->origin.stride[0],
                          a->origin.stride[1]};

    if (longest == 0 || rows == 0)
        return SKV_OK;
    SKV_TRY(fits_ragged(op, rows, heads));
    SKV_LAUNCH(be, source_scores<ORDER>, grid, BLOCK, 0, (float *)a->s.data,
               (const int32_t *)a->origin.data, ragged_of(a->len, heads), from);
    return SKV_OK;
}

extern "C" skv_status skv_cuda_source_scores(skv_backend *be, const skv_source_scores_args *a)
{
    const skv_source_order_args same = {a->s,    a->origin, a->len,   a->base,    a->edge,
                                        a->kept, a->kept,   a->first, a->n_scales};

    return run<false>(be, "source_scores", &same);
}

extern "C" skv_status skv_cuda_source_order(skv_backend *be, const skv_source_order_args *a)
{
    return run<true>(be, "source_order", a);
}
