/* topk_keep: the positions to keep. A block a list of scores.
 *
 * A score becomes an integer that orders as the score does; the smallest one that is still chosen
 * is found digit by digit (radix select, counts by integer atomics: exact in any order), equal ones
 * are taken from the lowest position, and a running sum over the block writes the chosen ones in
 * ascending order. Ranks lie in shared memory (lists of up to 50,000 scores). */
#include "kernels/cuda/nth_greatest.cuh"
#include "kernels/cuda/ragged.cuh"

#define BLOCK      1024
#define TAKEN      0u /* rank of a position that is kept always; no score has it */
#define MAX_ALWAYS 256

/* Ascending with the score; -0 = +0; NaN below every number. */
__device__ __forceinline__ uint32_t rank_of(float score)
{
    const uint32_t u = __float_as_uint(score);

    if (score != score)
        return 1;
    if (score == 0.0f)
        return 0x80000000u;
    return (u & 0x80000000u) != 0 ? ~u : u | 0x80000000u;
}

/* Numbers below mine in the block of this thread's flag (0 or 1), and the block's sum. */
__device__ int block_before(int flag, int *sum, int *room)
{
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const unsigned set = __ballot_sync(ALL, flag);
    const int in_warp = __popc(set & ((1u << lane) - 1));
    int mine;

    __syncthreads();
    if (lane == 0)
        room[warp] = __popc(set);
    __syncthreads();
    mine = room[lane];
    for (int step = 1; step < WARP; step *= 2) {
        const int other = __shfl_up_sync(ALL, mine, step);

        mine += lane >= step ? other : 0;
    }
    *sum = __shfl_sync(ALL, mine, WARP - 1);
    mine = warp > 0 ? __shfl_sync(ALL, mine, (warp + WARP - 1) % WARP) : 0;
    return mine + in_warp;
}

__global__ __launch_bounds__(BLOCK) void topk_keep(int32_t *keep, const float *s,
                                                   const ragged kept_of, const ragged scores,
                                                   int unscored, const ints<MAX_ALWAYS> always,
                                                   int n_always)
{
    extern __shared__ uint32_t rank[];
    __shared__ int count[DIGITS], room[WARP], found[2];
    const int h = blockIdx.x % scores.heads, len = scores.len.v[h], n = kept_of.len.v[h];
    const int scored = max(len - unscored, 0);
    int skipped = max(n_always - n, 0), kept = 0, tied = 0, ties = 0, wanted;
    uint32_t last = UINT32_MAX;

    keep += list_at(kept_of, blockIdx.x);
    s += list_at(scores, blockIdx.x);
    while (skipped < n_always && always.v[skipped] > len)
        skipped++;
    wanted = n - (n_always - skipped);
    for (int i = threadIdx.x; i < scored; i += BLOCK)
        rank[i] = rank_of(s[i]);
    __syncthreads();
    for (int i = skipped + threadIdx.x; i < n_always; i += BLOCK)
        if (len - always.v[i] < scored)
            rank[len - always.v[i]] = TAKEN;
    __syncthreads();
    if (wanted > 0)
        last = nth_greatest(rank, scored, wanted, &ties, count, found);
    for (int first = 0; first < scored; first += BLOCK) {
        const int i = first + threadIdx.x;
        const uint32_t mine = i < scored ? rank[i] : 1;
        const bool tie = i < scored && mine == last && wanted > 0;
        int sum, before;
        bool chosen;

        before = block_before(tie, &sum, room);
        chosen = i < scored && (mine == TAKEN || mine > last || (tie && tied + before < ties));
        tied += sum;
        before = block_before(chosen, &sum, room);
        if (chosen)
            keep[kept + before] = i;
        kept += sum;
    }
    /* positions after the scored ones are always kept */
    for (int i = skipped + threadIdx.x; i < n_always; i += BLOCK)
        if (len - always.v[i] >= scored)
            keep[n - n_always + i] = len - always.v[i];
}

extern "C" skv_status skv_cuda_topk_keep(skv_backend *be, const skv_topk_keep_args *a)
{
    const int64_t rows = a->s.shape[0], longest = skv_ragged_longest(a->len, a->heads);
    const int64_t scored = longest > a->unscored ? longest - a->unscored : 0;
    const size_t shared = (size_t)scored * sizeof(uint32_t);

    if (rows * a->keep.shape[1] == 0)
        return SKV_OK;
    if (a->n_always > MAX_ALWAYS || scored > 50000)
        return skv_fail(SKV_E_UNSUPPORTED, "topk_keep: %lld scores, %d kept always: too many",
                        (long long)scored, a->n_always);
    SKV_TRY(fits_ragged("topk_keep", rows, a->heads));
    SKV_TRY(skv_cuda__shared(be, (const void *)topk_keep, shared));
    SKV_LAUNCH(be, topk_keep, (unsigned)(rows * a->heads), BLOCK, shared, (int32_t *)a->keep.data,
               (const float *)a->s.data, ragged_of(a->n, a->heads), ragged_of(a->len, a->heads),
               a->unscored, ints_of<MAX_ALWAYS>(a->always, a->n_always), a->n_always);
    return SKV_OK;
}
