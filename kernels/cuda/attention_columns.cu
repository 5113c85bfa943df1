/* attention_columns: mean attention a key gets from all queries, in two passes over q·K by tiles of
 * QUERIES × KEYS, in fp32 on the ordinary units. The first leaves each query's log of its sum of
 * exponentials (norm), the second adds a key's probabilities over the queries. A block has a tile's
 * queries (first) or keys (second) of one row's head and walks along the others; a thread has SIDE
 * × SIDE products. Sums run in a fixed order. Bound by the products: as much work twice as
 * attention's scores are. */
#include "kernels/cuda/columns.cuh"

#define SIDE    4
#define ACROSS  16 /* threads along a tile's side */
#define TILE    (SIDE * ACROSS)
#define BLOCK   (ACROSS * ACROSS)
#define DEPTH   32 /* of the head dimension at a time */
#define PADDING 1

/* TILE vectors' numbers first .. first + DEPTH - 1, zeros beyond `n` vectors and `dim`. */
template <typename T>
__device__ void load_tile(float to[DEPTH][TILE + PADDING], const T *from, int64_t stride, int n,
                          int first, int dim)
{
    for (int i = threadIdx.x; i < TILE * DEPTH; i += BLOCK) {
        const int v = i / DEPTH, d = i % DEPTH;

        to[d][v] = v < n && first + d < dim ? to_f32(from[v * stride + first + d]) : 0.0f;
    }
}

/* s[a][b] = scale·q[y + ACROSS·a]·k[x + ACROSS·b] of a tile of queries and one of keys. */
template <typename T>
__device__ void tile_products(float s[SIDE][SIDE], const T *q, int64_t q_token, int n_queries,
                              const T *k, int n_keys, int dim, float scale)
{
    __shared__ float queries[DEPTH][TILE + PADDING], keys[DEPTH][TILE + PADDING];
    const int x = threadIdx.x % ACROSS, y = threadIdx.x / ACROSS;

    for (int a = 0; a < SIDE; a++)
        for (int b = 0; b < SIDE; b++)
            s[a][b] = 0;
    for (int first = 0; first < dim; first += DEPTH) {
        __syncthreads();
        load_tile(queries, q, q_token, n_queries, first, dim);
        load_tile(keys, k, dim, n_keys, first, dim);
        __syncthreads();
#pragma unroll 8
        for (int d = 0; d < DEPTH; d++)
#pragma unroll
            for (int a = 0; a < SIDE; a++)
#pragma unroll
                for (int b = 0; b < SIDE; b++)
                    s[a][b] = fmaf(queries[d][y + ACROSS * a], keys[d][x + ACROSS * b], s[a][b]);
    }
    for (int a = 0; a < SIDE; a++)
        for (int b = 0; b < SIDE; b++)
            s[a][b] *= scale;
}

/* norm[i] = ln Σ_j exp(s_ij). grid (tiles of queries, R·H); the ACROSS threads of a query are half
 * a warp. */
template <typename T>
__global__ __launch_bounds__(BLOCK) void query_norms(float *norm, const columns_job l)
{
    const int r = blockIdx.y / l.heads, h = blockIdx.y % l.heads, first = blockIdx.x * TILE;
    const int x = threadIdx.x % ACROSS, y = threadIdx.x / ACROSS;
    const T *q = (const T *)l.q + r * l.q_row + h * l.q_head + first * l.q_token;
    const T *k = (const T *)l.k + r * l.k_row + h * l.k_head;
    float most[SIDE], sum[SIDE], s[SIDE][SIDE];

    for (int a = 0; a < SIDE; a++) {
        most[a] = -INFINITY;
        sum[a] = 0;
    }
    for (int j = 0; j < l.len.v[h]; j += TILE) {
        tile_products(s, q, l.q_token, l.tokens - first, k + (int64_t)j * l.dim, l.len.v[h] - j,
                      l.dim, l.scale);
        for (int a = 0; a < SIDE; a++) {
            float top = most[a];

            for (int b = 0; b < SIDE; b++)
                if (j + x + ACROSS * b < l.len.v[h])
                    top = fmaxf(top, s[a][b]);
            if (top == -INFINITY)
                continue; /* this thread has had no key yet */
            sum[a] *= expf(most[a] - top);
            for (int b = 0; b < SIDE; b++)
                if (j + x + ACROSS * b < l.len.v[h])
                    sum[a] += expf(s[a][b] - top);
            most[a] = top;
        }
    }
    for (int a = 0; a < SIDE; a++) {
        const int i = first + y + ACROSS * a;
        float top = most[a], total;

        for (int half = ACROSS / 2; half > 0; half /= 2)
            top = fmaxf(top, __shfl_xor_sync(ALL, top, half));
        total = most[a] == -INFINITY ? 0.0f : sum[a] * expf(most[a] - top);
        for (int half = ACROSS / 2; half > 0; half /= 2)
            total += __shfl_xor_sync(ALL, total, half);
        if (x == 0 && i < l.tokens)
            norm[(int64_t)blockIdx.y * l.tokens + i] = top + logf(total);
    }
}

/* sum[j] += mean_i exp(s_ij - norm[i]). grid (tiles of keys, R·H). */
template <typename T>
__global__ __launch_bounds__(BLOCK) void add_columns(float *sum, const float *norm,
                                                     const columns_job l)
{
    __shared__ float part[ACROSS][TILE];
    const int r = blockIdx.y / l.heads, h = blockIdx.y % l.heads, first = blockIdx.x * TILE;
    const int x = threadIdx.x % ACROSS, y = threadIdx.x / ACROSS;
    const T *q = (const T *)l.q + r * l.q_row + h * l.q_head;
    const T *k = (const T *)l.k + r * l.k_row + h * l.k_head + (int64_t)first * l.dim;
    float column[SIDE] = {0}, s[SIDE][SIDE];

    if (first >= l.len.v[h])
        return;
    norm += (int64_t)blockIdx.y * l.tokens;
    for (int i = 0; i < l.tokens; i += TILE) {
        tile_products(s, q + i * l.q_token, l.q_token, l.tokens - i, k, l.len.v[h] - first, l.dim,
                      l.scale);
        for (int b = 0; b < SIDE; b++) {
            float of_tile = 0; /* added apart, so that no small number meets a long sum */

            for (int a = 0; a < SIDE; a++)
                if (i + y + ACROSS * a < l.tokens)
                    of_tile += expf(s[a][b] - norm[i + y + ACROSS * a]);
            column[b] += of_tile;
        }
    }
    for (int b = 0; b < SIDE; b++)
        part[y][x + ACROSS * b] = column[b];
    __syncthreads();
    if (threadIdx.x < TILE && first + (int)threadIdx.x < l.len.v[h]) {
        const int j = first + threadIdx.x;
        float total = 0;

        for (int i = 0; i < ACROSS; i++)
            total += part[i][threadIdx.x];
        sum += r * l.sum_row + h * l.sum_head;
        sum[j] = (j < l.base.v[h] ? sum[j] : 0.0f) + total / (float)l.tokens;
    }
}

extern "C" skv_status skv_cuda_attention_columns(skv_backend *be,
                                                 const skv_attention_columns_args *a)
{
    const int64_t rows = a->q.shape[0], tokens = a->q.shape[1], heads = a->q.shape[2];
    const int64_t longest = skv_ragged_longest(a->len, heads);
    const dim3 by_query((unsigned)div_up(tokens, TILE), (unsigned)(rows * heads));
    const dim3 by_key((unsigned)div_up(longest, TILE), (unsigned)(rows * heads));
    const columns_job job = {a->q.data,
                             a->k.data,
                             a->q.stride[0],
                             a->q.stride[1],
                             a->q.stride[2],
                             a->k.stride[0],
                             a->k.stride[1],
                             a->sum.stride[0],
                             a->sum.stride[1],
                             (int)tokens,
                             (int)heads,
                             (int)a->q.shape[3],
                             (int)longest,
                             a->scale,
                             ints_of<MAX_HEADS>(a->len, heads),
                             ints_of<MAX_HEADS>(a->base, heads)};
    float *sum = (float *)a->sum.data, *norm = (float *)a->norm.data;
    bool done = false;

    if (longest == 0 || rows == 0 || tokens == 0)
        return SKV_OK;
    if (a->q.dtype != a->k.dtype)
        return skv_cuda__no_kernel(__func__, a->k.dtype);
    SKV_TRY(fits_ragged("attention_columns", rows, heads));
    if (a->q.dtype == SKV_BF16)
        SKV_TRY(columns_on_tensor_cores(be, sum, norm, &job, (int)(rows * heads), &done));
    if (done)
        return SKV_OK;
    SKV_FLOAT_SWITCH(a->q.dtype, T, {
        SKV_LAUNCH(be, query_norms<T>, by_query, BLOCK, 0, norm, job);
        SKV_LAUNCH(be, add_columns<T>, by_key, BLOCK, 0, sum, norm, job);
    });
    return SKV_OK;
}
