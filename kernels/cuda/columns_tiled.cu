/* attention_columns on tensor cores: bf16, head dimensions that are multiples of 8 up to 128. A
 * warp has 16 queries (first pass) or keys (second) of one row's head and meets tiles of the
 * others, two stages by cp.async. Logarithms are of base 2. Bound by the products and the
 * exponentials. */
#include "kernels/cuda/columns.cuh"
#include "kernels/cuda/flash.cuh"

#define WARPS 4
#define BLOCK (WARPS * WARP)
#define MINE  (16 * WARPS) /* queries or keys of a block */

/* Vectors of one row's head. */
typedef struct {
    const bf16 *first;
    int64_t stride;
    int n;
} vectors;

/* each(s, first, left): products of the warp's 16 vectors and the others first .. first + KEYS - 1,
 * of which `left` are there. */
template <int DIM, typename F>
__device__ __forceinline__ void meet(const vectors mine, const vectors others, int dim, F each)
{
    constexpr int ROW = DIM + PAD;
    extern __shared__ __align__(16) bf16 memory[];
    const int lane = threadIdx.x % WARP;
    bf16 *own = memory + threadIdx.x / WARP * 16 * ROW, *tiles = memory + MINE * ROW;
    uint32_t a[DIM / 16][4];
    float s[KEYS / 8][4];
    const auto fetch = [&](int first) {
        if (first < others.n)
            load_tile<DIM>(tiles + first / KEYS % 2 * KEYS * ROW,
                           others.first + first * others.stride, others.stride, KEYS,
                           others.n - first, dim, threadIdx.x, BLOCK);
        commit_copies();
    };

    load_tile<DIM>(memory, mine.first, mine.stride, MINE, mine.n, dim, threadIdx.x, BLOCK);
    fetch(0);
    for (int first = 0; first < others.n; first += KEYS) {
        fetch(first + KEYS);
        wait_copies<1>();
        __syncthreads();
        if (first == 0)
#pragma unroll
            for (int step = 0; step < DIM / 16; step++)
                load_queries<DIM>(a[step], own, step, lane);
        scores<DIM, KEYS, false>(s, a, own, tiles + first / KEYS % 2 * KEYS * ROW, KEYS, lane);
        each(s, first, others.n - first);
        __syncthreads(); /* the next tile but one comes to this stage */
    }
}

/* norm[i] = log2 of the sum over keys of 2^s_ij. grid (tiles of queries, R·H) */
template <int DIM>
__global__ __launch_bounds__(BLOCK) void query_norms(float *norm, const columns_job j)
{
    const int h = blockIdx.y % j.heads, r = blockIdx.y / j.heads, first = blockIdx.x * MINE;
    const int lane = threadIdx.x % WARP;
    const vectors queries = {(const bf16 *)j.q + r * j.q_row + h * j.q_head + first * j.q_token,
                             j.q_token, j.tokens - first};
    const vectors keys = {(const bf16 *)j.k + r * j.k_row + h * j.k_head, j.dim, j.len.v[h]};
    running run = {{-INFINITY, -INFINITY}, {0, 0}};

    meet<DIM>(queries, keys, j.dim, [&](float s[KEYS / 8][4], int, int left) {
        float none[1][4] = {}; /* there is no output */

        exclude<KEYS>(s, left, lane);
        soften<8, KEYS>(&run, s, none, j.scale);
    });
    for (int half = 0; half < 2; half++) {
        const int i = first + threadIdx.x / WARP * 16 + lane / 4 + 8 * half;
        const float sum = quad_sum(run.sum[half]);

        if (lane % 4 == 0 && i < j.tokens)
            norm[(int64_t)blockIdx.y * j.tokens + i] = run.most[half] * j.scale + log2f(sum);
    }
}

/* sum[j] += mean_i 2^(s_ij - norm[i]). grid (tiles of keys, R·H) */
template <int DIM>
__global__ __launch_bounds__(BLOCK) void add_columns(float *sum, const float *norm,
                                                     const columns_job j)
{
    const int h = blockIdx.y % j.heads, r = blockIdx.y / j.heads, first = blockIdx.x * MINE;
    const int lane = threadIdx.x % WARP;
    const vectors keys = {(const bf16 *)j.k + r * j.k_row + h * j.k_head + (int64_t)first * j.dim,
                          j.dim, j.len.v[h] - first};
    const vectors queries = {(const bf16 *)j.q + r * j.q_row + h * j.q_head, j.q_token, j.tokens};
    float column[2] = {0, 0};

    if (keys.n <= 0)
        return;
    norm += (int64_t)blockIdx.y * j.tokens;
    meet<DIM>(keys, queries, j.dim, [&](float s[KEYS / 8][4], int query, int left) {
        float of_tile[2] = {0, 0}; /* added apart, so that no small number meets a long sum */

#pragma unroll
        for (int n = 0; n < KEYS / 8; n++)
#pragma unroll
            for (int i = 0; i < 4; i++) {
                const int at = 8 * n + lane % 4 * 2 + i % 2;
                const float below = at < left ? norm[query + at] : INFINITY;

                of_tile[i / 2] += power_of_two(fmaf(s[n][i], j.scale, -below));
            }
        column[0] += of_tile[0];
        column[1] += of_tile[1];
    });
    sum += r * j.sum_row + h * j.sum_head;
    for (int half = 0; half < 2; half++) {
        const int key = first + threadIdx.x / WARP * 16 + lane / 4 + 8 * half;
        const float total = quad_sum(column[half]) / (float)j.tokens;

        if (lane % 4 == 0 && key < j.len.v[h])
            sum[key] = (key < j.base.v[h] ? sum[key] : 0.0f) + total;
    }
}

template <int DIM>
static skv_status run(skv_backend *be, float *sum, float *norm, const columns_job *j, int lists)
{
    const size_t shared = (size_t)(MINE + 2 * KEYS) * (DIM + PAD) * sizeof(bf16);
    const dim3 by_query((unsigned)div_up(j->tokens, MINE), (unsigned)lists);
    const dim3 by_key((unsigned)div_up(j->longest, MINE), (unsigned)lists);

    SKV_TRY(skv_cuda__shared(be, (const void *)query_norms<DIM>, shared));
    SKV_TRY(skv_cuda__shared(be, (const void *)add_columns<DIM>, shared));
    SKV_LAUNCH(be, query_norms<DIM>, by_query, BLOCK, shared, norm, *j);
    SKV_LAUNCH(be, add_columns<DIM>, by_key, BLOCK, shared, sum, norm, *j);
    return SKV_OK;
}

static bool aligned(const columns_job *j)
{
    const uintptr_t bits = (uintptr_t)j->q | (uintptr_t)j->k;
    const int64_t strides = j->q_row | j->q_token | j->q_head | j->k_row | j->k_head | j->dim;

    return bits % 16 == 0 && strides % 8 == 0;
}

skv_status columns_on_tensor_cores(skv_backend *be, float *sum, float *norm, const columns_job *j,
                                   int lists, bool *done)
{
    columns_job job = *j;

    *done = j->dim <= 128 && aligned(j);
    if (!*done)
        return SKV_OK;
    job.scale *= LOG2_E;
    return j->dim <= 64 ? run<64>(be, sum, norm, &job, lists)
                        : run<128>(be, sum, norm, &job, lists);
}
