/* window_scores, window_softmax: scores of cached keys by a window of queries. A block is one
 * head's tile of keys (scores) or all of one head's keys (softmax); a warp takes a key, its lanes
 * parts of the head dimension (<= 256). Bound by bandwidth: keys are read once, once a query for
 * softmax. */
#include "kernels/cuda/ragged.cuh"

#define MAX_DIM    256
#define PARTS      (MAX_DIM / WARP)
#define BLOCK      256
#define TILE_KEYS  256
#define MAX_WINDOW 256

typedef struct {
    int64_t row, token, head; /* of q */
    int64_t k_row, k_head;
} strides;

/* q·k for the warp's lanes. */
template <typename T>
__device__ __forceinline__ float product(const float q[PARTS], const T *k, int dim, int lane)
{
    float sum = 0;

#pragma unroll
    for (int i = 0; i < PARTS; i++)
        if (i * WARP + lane < dim)
            sum = fmaf(q[i], to_f32(k[i * WARP + lane]), sum);
    return warp_sum(sum);
}

/* s[j] = scale·(Σ_w q[w])·k[j]; the sum over w is taken first. grid (tiles of the longest
 * head, R·H). A group of lanes
 * (a power of two) takes a key, each lane 16 bytes of it at a time. */
template <typename T>
__global__ __launch_bounds__(BLOCK) void window_scores(float *s, const float *q, const T *k,
                                                       strides st, const ragged keys, int n,
                                                       int dim, float scale, int group)
{
    __shared__ float total[MAX_DIM];
    const int lane = threadIdx.x % group, step = BLOCK / group, r = blockIdx.y / keys.heads;
    const int h = blockIdx.y % keys.heads, first = blockIdx.x * TILE_KEYS;
    const int end = min(first + TILE_KEYS, keys.len.v[h]);
    constexpr int N = wide<T>::N, WORDS = MAX_DIM / (WARP * N);
    float mine[WORDS][N];

    if (first >= end)
        return;
    q += r * st.row + h * st.head;
    k += r * st.k_row + h * st.k_head;
    s += list_at(keys, blockIdx.y);
    if ((int)threadIdx.x < dim) {
        float sum = 0;

        for (int w = 0; w < n; w++)
            sum += q[w * st.token + threadIdx.x];
        total[threadIdx.x] = sum;
    }
    __syncthreads();
#pragma unroll
    for (int w = 0; w < WORDS; w++)
#pragma unroll
        for (int i = 0; i < N; i++) {
            const int d = (w * group + lane) * N + i;

            mine[w][i] = d < dim ? total[d] : 0.0f;
        }
#pragma unroll 4
    for (int j0 = first; j0 < end; j0 += step) {
        const int j = j0 + threadIdx.x / group;
        float dot = 0;

#pragma unroll
        for (int w = 0; w < WORDS; w++) {
            const int d = (w * group + lane) * N;
            wide<T> key;

            if (j >= end || d >= dim)
                continue;
            key.load(k + (int64_t)j * dim + d);
#pragma unroll
            for (int i = 0; i < N; i++)
                dot = fmaf(mine[w][i], key.v[i], dot);
        }
        for (int half = group / 2; half > 0; half /= 2)
            dot += __shfl_xor_sync(ALL, dot, half);
        if (lane == 0 && j < end)
            s[j] = dot * scale;
    }
}

/* Any head dimension: a warp a key. */
template <typename T>
__global__ __launch_bounds__(BLOCK) void window_scores_any(float *s, const float *q, const T *k,
                                                           strides st, const ragged keys, int n,
                                                           int dim, float scale)
{
    __shared__ float total[MAX_DIM];
    const int lane = threadIdx.x % WARP, r = blockIdx.y / keys.heads, h = blockIdx.y % keys.heads;
    const int first = blockIdx.x * TILE_KEYS, end = min(first + TILE_KEYS, keys.len.v[h]);

    if (first >= end)
        return;
    q += r * st.row + h * st.head;
    k += r * st.k_row + h * st.k_head;
    s += list_at(keys, blockIdx.y);
    if ((int)threadIdx.x < dim) {
        float sum = 0;

        for (int w = 0; w < n; w++)
            sum += q[w * st.token + threadIdx.x];
        total[threadIdx.x] = sum;
    }
    __syncthreads();
    for (int j = first + threadIdx.x / WARP; j < end; j += BLOCK / WARP) {
        float dot = 0;

        for (int d = lane; d < dim; d += WARP)
            dot = fmaf(total[d], to_f32(k[(int64_t)j * dim + d]), dot);
        dot = warp_sum(dot);
        if (lane == 0)
            s[j] = dot * scale;
    }
}

/* Lanes a key: enough for its 16-byte words, at most a warp. */
static int lanes_of(int64_t dim, int64_t word)
{
    int group = 1;

    while (group < WARP && group * word < dim)
        group *= 2;
    return group;
}

extern "C" skv_status skv_cuda_window_scores(skv_backend *be, const skv_window_scores_args *a)
{
    const int64_t rows = a->q.shape[0], heads = a->q.shape[2];
    const int64_t longest = skv_ragged_longest(a->len, heads);
    const strides st = {a->q.stride[0], a->q.stride[1], a->q.stride[2], a->k.stride[0],
                        a->k.stride[1]};
    const dim3 grid((unsigned)div_up(longest, TILE_KEYS), (unsigned)(rows * heads));

    if (longest == 0 || rows == 0)
        return SKV_OK;
    SKV_TRY(fits_ragged("window_scores", rows, heads));
    SKV_FLOAT_SWITCH(a->k.dtype, T, {
        const int dim = (int)a->q.shape[3], n = (int)a->q.shape[1];
        const bool words = dim % wide<T>::N == 0 && (uintptr_t)a->k.data % 16 == 0;

        if (words)
            SKV_LAUNCH(be, window_scores<T>, grid, BLOCK, 0, (float *)a->s.data,
                       (const float *)a->q.data, (const T *)a->k.data, st, ragged_of(a->len, heads),
                       n, dim, a->scale, lanes_of(dim, wide<T>::N));
        else
            SKV_LAUNCH(be, window_scores_any<T>, grid, BLOCK, 0, (float *)a->s.data,
                       (const float *)a->q.data, (const T *)a->k.data, st, ragged_of(a->len, heads),
                       n, dim, a->scale);
    });
    return SKV_OK;
}

/* s[j] = Σ_w softmax_j(scale·q[index[w]]·k[j]); the softmax at hand lies in shared memory. */
template <typename T>
__global__ __launch_bounds__(BLOCK) void window_softmax(float *s, const T *q, const T *k,
                                                        strides st, const ragged keys,
                                                        ints<MAX_WINDOW> index, int n, int dim,
                                                        float scale)
{
    extern __shared__ float p[];
    __shared__ float room[WARP];
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;
    const int r = blockIdx.x / keys.heads, h = blockIdx.x % keys.heads, len = keys.len.v[h];

    q += r * st.row + h * st.head;
    k += r * st.k_row + h * st.k_head;
    s += list_at(keys, blockIdx.x);
    for (int j = threadIdx.x; j < len; j += BLOCK)
        s[j] = 0;
    for (int w = 0; w < n; w++) {
        const T *query = q + index.v[w] * st.token;
        float mine[PARTS], most = -INFINITY, sum = 0;

        for (int i = 0; i < PARTS; i++)
            mine[i] = i * WARP + lane < dim ? to_f32(query[i * WARP + lane]) : 0.0f;
        for (int j = warp; j < len; j += BLOCK / WARP) {
            const float dot = product(mine, k + (int64_t)j * dim, dim, lane) * scale;

            if (lane == 0)
                p[j] = dot;
        }
        __syncthreads();
        for (int j = threadIdx.x; j < len; j += BLOCK)
            most = fmaxf(most, p[j]);
        most = block_max(most, room);
        for (int j = threadIdx.x; j < len; j += BLOCK) {
            p[j] = expf(p[j] - most);
            sum += p[j];
        }
        sum = 1.0f / block_sum(sum, room);
        for (int j = threadIdx.x; j < len; j += BLOCK)
            s[j] += p[j] * sum;
        __syncthreads();
    }
}

template <typename T> static skv_status soften(skv_backend *be, const skv_window_softmax_args *a)
{
    const int64_t rows = a->q.shape[0], heads = a->q.shape[2];
    const strides st = {a->q.stride[0], a->q.stride[1], a->q.stride[2], a->k.stride[0],
                        a->k.stride[1]};
    const size_t shared = (size_t)skv_ragged_longest(a->len, heads) * sizeof(float);

    SKV_TRY(skv_cuda__shared(be, (const void *)window_softmax<T>, shared));
    SKV_LAUNCH(be, window_softmax<T>, (unsigned)(rows * heads), BLOCK, shared, (float *)a->s.data,
               (const T *)a->q.data, (const T *)a->k.data, st, ragged_of(a->len, heads),
               ints_of<MAX_WINDOW>(a->index, a->n), a->n, (int)a->q.shape[3], a->scale);
    return SKV_OK;
}

extern "C" skv_status skv_cuda_window_softmax(skv_backend *be, const skv_window_softmax_args *a)
{
    if (a->s.shape[0] * a->s.shape[1] == 0)
        return SKV_OK;
    SKV_TRY(fits_ragged("window_softmax", a->q.shape[0], a->q.shape[2]));
    if (a->n > MAX_WINDOW)
        return skv_fail(SKV_E_UNSUPPORTED, "window_softmax: %d queries, want at most %d", a->n,
                        MAX_WINDOW);
    SKV_FLOAT_SWITCH(a->q.dtype, T, { return soften<T>(be, a); });
}
