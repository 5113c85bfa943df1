/* attention_stats: where queries look. A block is one row's head, its queries one after another;
 * the weights of the query at hand lie in shared memory. A warp takes a key for the products, its
 * lanes parts of the head dimension (<= 256). Sums are of doubles, over threads in a fixed order;
 * the sum of the largest weights comes by radix select. Bound by the keys, read once a query from
 * the second-level cache. */
#include "kernels/cuda/nth_greatest.cuh"

#define MAX_DIM 256
#define PARTS   (MAX_DIM / WARP)
#define BLOCK   1024
#define COLUMNS (SKV_STATS_SOURCES + 2 * SKV_STATS_TOPS + 2)

typedef struct {
    double *y, *column;
    int64_t row, token, head, k_row, k_head; /* strides of q and k */
    ints<SKV_STATS_QUERIES> index;
    ints<SKV_STATS_SOURCES + 1> edge;
    ints<SKV_STATS_TOPS> top;
    int n, n_sources, n_top, history, len, heads, dim;
    bool all; /* queries: no index */
    float scale;
} job;

/* Over the block, for all of its threads; `room` holds WARP numbers of shared memory. */
__device__ double sum_block(double x, double *room)
{
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP;

    for (int step = WARP / 2; step > 0; step /= 2)
        x += __shfl_xor_sync(ALL, x, step);
    __syncthreads();
    if (lane == 0)
        room[warp] = x;
    __syncthreads();
    x = room[lane];
    for (int step = WARP / 2; step > 0; step /= 2)
        x += __shfl_xor_sync(ALL, x, step);
    return x;
}

__device__ double sum_of(const float *w, int from, int to, double *room)
{
    double sum = 0;

    for (int j = from + threadIdx.x; j < to; j += BLOCK)
        sum += (double)w[j];
    return sum_block(sum, room);
}

/* The sum of the n largest of w[0..len); weights are not negative, so they order as their bits do.
 */
__device__ double largest(const float *w, int len, int n, double *room, int *count, int *found)
{
    double sum = 0;
    uint32_t last;
    int ties;

    if (n >= len)
        return sum_of(w, 0, len, room);
    last = nth_greatest((const uint32_t *)w, len, n, &ties, count, found);
    for (int j = threadIdx.x; j < len; j += BLOCK)
        sum += __float_as_uint(w[j]) > last ? (double)w[j] : 0.0;
    return sum_block(sum, room) + (double)ties * (double)__uint_as_float(last);
}

/* w[j] = scale·q·k[j]. */
template <typename T>
__device__ void products(float *w, const T *q, const T *k, int len, int dim, float scale)
{
    const int lane = threadIdx.x % WARP;
    float mine[PARTS];

#pragma unroll
    for (int i = 0; i < PARTS; i++)
        mine[i] = i * WARP + lane < dim ? to_f32(q[i * WARP + lane]) : 0.0f;
#pragma unroll 4
    for (int j = threadIdx.x / WARP; j < len; j += BLOCK / WARP) {
        const T *key = k + (int64_t)j * dim;
        float dot = 0;

#pragma unroll
        for (int i = 0; i < PARTS; i++)
            if (i * WARP + lane < dim)
                dot = fmaf(mine[i], to_f32(key[i * WARP + lane]), dot);
        dot = warp_sum(dot);
        if (lane == 0)
            w[j] = dot * scale;
    }
}

typedef struct {
    double sum, spread, squares;
} weights;

/* w[j] = exp(score - largest score); Σ w, Σ w·(largest score - score) and Σ w². A probability is
 * w/sum, so the entropy is ln(sum) + spread/sum. */
__device__ weights weigh(float *w, int len, double *room, float *most_room)
{
    double sum = 0, spread = 0, squares = 0;
    float most = -INFINITY;

    for (int i = threadIdx.x; i < len; i += BLOCK)
        most = fmaxf(most, w[i]);
    most = block_max(most, most_room);
    for (int i = threadIdx.x; i < len; i += BLOCK) {
        const float below = w[i] - most, e = expf(below);

        w[i] = e;
        sum += (double)e;
        spread -= (double)e * (double)below;
        squares += (double)e * (double)e;
    }
    return {sum_block(sum, room), sum_block(spread, room), sum_block(squares, room)};
}

template <typename T>
__global__ __launch_bounds__(BLOCK) void attention_stats(const T *q, const T *k, const job j)
{
    extern __shared__ float w[];
    __shared__ double room[WARP], y[COLUMNS];
    __shared__ float most_room[WARP];
    __shared__ int count[DIGITS], found[2];
    const int r = blockIdx.x / j.heads, h = blockIdx.x % j.heads;
    const int width = j.n_sources + 2 * j.n_top + 2;
    double *column = j.column + (int64_t)blockIdx.x * j.len, squared = 0;

    q += r * j.row + h * j.head;
    k += r * j.k_row + h * j.k_head;
    if (threadIdx.x < COLUMNS)
        y[threadIdx.x] = 0;
    for (int i = threadIdx.x; i < j.len; i += BLOCK)
        column[i] = 0;
    for (int n = 0; n < j.n; n++) {
        weights all;
        double past;

        __syncthreads();
        products(w, q + (j.all ? n : j.index.v[n]) * j.token, k, j.len, j.dim, j.scale);
        __syncthreads();
        all = weigh(w, j.len, room, most_room);
        past = sum_of(w, 0, j.history, room);
        for (int s = 0; s < j.n_sources; s++) {
            const double mass = sum_of(w, j.edge.v[s], j.edge.v[s + 1], room);

            if (threadIdx.x == 0)
                y[s] += mass / all.sum;
        }
        for (int t = 0; t < j.n_top; t++) {
            const double top = largest(w, j.history, j.top.v[t], room, count, found);

            if (threadIdx.x == 0) {
                y[j.n_sources + t] += top / all.sum;
                y[j.n_sources + j.n_top + t] += past > 0 ? top / past : 0;
            }
        }
        if (threadIdx.x == 0) {
            y[width - 2] += log(all.sum) + all.spread / all.sum;
            y[width - 1] += all.squares / (all.sum * all.sum);
        }
        for (int i = threadIdx.x; i < j.len; i += BLOCK)
            column[i] += (double)w[i] / all.sum;
    }
    for (int i = threadIdx.x; i < j.len; i += BLOCK)
        squared += column[i] / j.n * (column[i] / j.n);
    squared = sum_block(squared, room);
    if ((int)threadIdx.x < width)
        j.y[(int64_t)blockIdx.x * width + threadIdx.x] =
            y[threadIdx.x] / j.n - ((int)threadIdx.x == width - 1 ? squared : 0);
}

template <typename T> static skv_status stats(skv_backend *be, const skv_attention_stats_args *a)
{
    const size_t shared = (size_t)a->len * sizeof(float);
    job j = {};

    j.y = (double *)a->y.data;
    j.column = (double *)a->column.data;
    j.row = a->q.stride[0];
    j.token = a->q.stride[1];
    j.head = a->q.stride[2];
    j.k_row = a->k.stride[0];
    j.k_head = a->k.stride[1];
    if (a->index)
        j.index = ints_of<SKV_STATS_QUERIES>(a->index, a->n);
    j.edge = ints_of<SKV_STATS_SOURCES + 1>(a->edge, a->n_sources + 1);
    j.top = ints_of<SKV_STATS_TOPS>(a->top, a->n_top);
    j.n = a->n;
    j.n_sources = a->n_sources;
    j.n_top = a->n_top;
    j.history = a->history;
    j.len = a->len;
    j.heads = (int)a->q.shape[2];
    j.dim = (int)a->q.shape[3];
    j.all = a->index == NULL;
    j.scale = a->scale;
    SKV_TRY(skv_cuda__shared(be, (const void *)attention_stats<T>, shared));
    SKV_LAUNCH(be, attention_stats<T>, (unsigned)(a->q.shape[0] * a->q.shape[2]), BLOCK, shared,
               (const T *)a->q.data, (const T *)a->k.data, j);
    return SKV_OK;
}

extern "C" skv_status skv_cuda_attention_stats(skv_backend *be, const skv_attention_stats_args *a)
{
    if (a->q.shape[0] * a->q.shape[2] == 0)
        return SKV_OK;
    if (a->q.dtype != a->k.dtype)
        return skv_cuda__no_kernel(__func__, a->k.dtype);
    SKV_FLOAT_SWITCH(a->q.dtype, T, { return stats<T>(be, a); });
}
