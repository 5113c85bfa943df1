/* group_norm_silu: three kernels. Sums and squares of tiles of places, a thread eight channels
 * (one where the width is odd); then a block a group adds the tiles' sums in order, in double, and
 * turns them into a factor and a shift for each channel; then one pass y = silu(x·factor + shift).
 * Bound by bandwidth: x is read twice, y is written once. fp32 inputs are summed in double. */
#include "kernels/cuda/device.cuh"

#define BLOCK     256
#define WORDS     2   /* a thread of the last pass: their loads are on the way together */
#define MAX_TILES 528 /* of a picture: four blocks a multiprocessor of a big GPU */

typedef struct {
    double sum, square;
} moments;

template <typename T, int N> __device__ __forceinline__ void load(float v[N], const T *p)
{
    if (N == 1) {
        v[0] = to_f32(*p);
    } else {
        wide<T> w;

        w.load(p);
#pragma unroll
        for (int i = 0; i < N; i++)
            v[i] = w.v[i % wide<T>::N];
    }
}

/* Sums of each group within a tile: grid (tiles, pictures); partial (pictures, tiles, groups). A
 * place takes `lanes` threads of N channels; the block's others take other places, and all meet in
 * room (side, C). */
template <typename T, typename S, int N>
__global__ __launch_bounds__(BLOCK) void group_sums(moments *partial, const T *x, int64_t places,
                                                    int64_t tile, int channels, int groups)
{
    extern __shared__ char memory[];
    moments *room = (moments *)memory;
    const int lanes = channels / N, side = max(BLOCK / lanes, 1), mine = threadIdx.x / lanes;
    const int64_t first = blockIdx.x * tile, end = min(first + tile, places);

    x += (int64_t)blockIdx.y * places * channels;
    partial += ((int64_t)blockIdx.y * gridDim.x + blockIdx.x) * groups;
    for (int lane = threadIdx.x % lanes; lane < lanes && mine < side; lane += BLOCK) {
        S sum[N] = {}, square[N] = {};

#pragma unroll 4
        for (int64_t p = first + mine; p < end; p += side) {
            float v[N];

            load<T, N>(v, x + p * channels + N * lane);
#pragma unroll
            for (int i = 0; i < N; i++) {
                sum[i] += (S)v[i];
                square[i] += (S)v[i] * (S)v[i];
            }
        }
#pragma unroll
        for (int i = 0; i < N; i++)
            room[mine * channels + N * lane + i] = {(double)sum[i], (double)square[i]};
    }
    __syncthreads();
    for (int g = threadIdx.x; g < groups; g += BLOCK) {
        moments m = {0, 0};

        for (int i = 0; i < side; i++)
            for (int c = g * (channels / groups); c < (g + 1) * (channels / groups); c++) {
                m.sum += room[i * channels + c].sum;
                m.square += room[i * channels + c].square;
            }
        partial[g] = m;
    }
}

__device__ double block_add(double x, double *room)
{
    room[threadIdx.x] = x;
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        __syncthreads();
        if ((int)threadIdx.x < half)
            room[threadIdx.x] += room[threadIdx.x + half];
    }
    __syncthreads();
    x = room[0];
    __syncthreads();
    return x;
}

/* grid (groups, pictures); affine (pictures, 2, C): factor, shift. */
__global__ __launch_bounds__(BLOCK) void group_affine(float *affine, const moments *partial,
                                                      const float *w, const float *b, int tiles,
                                                      int channels, int64_t places, float eps)
{
    __shared__ double room[BLOCK];
    const int each = channels / gridDim.x, c0 = blockIdx.x * each;
    const double n = (double)places * each;
    moments m = {0, 0};

    partial += (int64_t)blockIdx.y * tiles * gridDim.x + blockIdx.x;
    affine += (int64_t)blockIdx.y * 2 * channels;
    for (int i = threadIdx.x; i < tiles; i += BLOCK) {
        const moments t = partial[(int64_t)i * gridDim.x];

        m.sum += t.sum;
        m.square += t.square;
    }
    const double mean = block_add(m.sum, room) / n;
    const double variance = fmax(block_add(m.square, room) / n - mean * mean, 0.0);
    const double rstd = 1.0 / sqrt(variance + (double)eps);

    for (int c = c0 + threadIdx.x; c < c0 + each; c += BLOCK) {
        const double factor = (double)w[c] * rstd;

        affine[c] = (float)factor;
        affine[channels + c] = (float)((double)b[c] - mean * factor);
    }
}

__device__ __forceinline__ float swish(float t, float)
{
    return t / (1.0f + expf(-t));
}

__device__ __forceinline__ float swish(float t, bf16)
{
    return silu(t);
}

template <typename T, int N> __device__ __forceinline__ void save(T *p, const float v[N])
{
    if (N == 1) {
        put(p, v[0]);
    } else {
        wide<T> w;

#pragma unroll
        for (int i = 0; i < N; i++)
            w.v[i % wide<T>::N] = v[i];
        w.store(p);
    }
}

template <int N> __device__ __forceinline__ void load_f32(float v[N], const float *p)
{
#pragma unroll
    for (int k = 0; k + 4 <= N; k += 4) {
        const float4 t = load4(p + k);

        v[k] = t.x, v[k + 1] = t.y, v[k + 2] = t.z, v[k + 3] = t.w;
    }
    if (N == 1)
        v[0] = *p;
}

/* grid (pieces of BLOCK·WORDS words of N numbers, pictures) */
template <typename T, int N>
__global__ __launch_bounds__(BLOCK) void apply(T *y, const T *x, const float *affine, int64_t n,
                                               int channels)
{
    const int64_t first = ((int64_t)blockIdx.x * BLOCK * WORDS + threadIdx.x) * N;
    float v[WORDS][N];

    affine += (int64_t)blockIdx.y * 2 * channels;
    x += (int64_t)blockIdx.y * n;
    y += (int64_t)blockIdx.y * n;
#pragma unroll
    for (int w = 0; w < WORDS; w++)
        if (first + w * BLOCK * N < n)
            load<T, N>(v[w], x + first + w * BLOCK * N);
#pragma unroll
    for (int w = 0; w < WORDS; w++) {
        const int64_t i = first + w * BLOCK * N;
        const int c = (int)((unsigned)(i / N) % (unsigned)(channels / N)) * N;
        float factor[N], shift[N];

        if (i >= n)
            continue;
        load_f32<N>(factor, affine + c);
        load_f32<N>(shift, affine + channels + c);
#pragma unroll
        for (int k = 0; k < N; k++)
            v[w][k] = swish(fmaf(v[w][k], factor[k], shift[k]), T());
        save<T, N>(y + i, v[w]);
    }
}

template <typename T, typename S, int N>
static skv_status run(skv_backend *be, const skv_group_norm_silu_args *a, int64_t first,
                      int pictures, int64_t tile)
{
    const int64_t places = a->x.shape[1] * a->x.shape[2];
    const int c = (int)a->x.shape[3], side = BLOCK / (c / N) > 1 ? BLOCK / (c / N) : 1;
    const unsigned tiles = (unsigned)div_up(places, tile);
    const size_t shared = (size_t)side * (size_t)c * sizeof(moments);
    const T *x = (const T *)a->x.data + first * places * c;
    T *y = (T *)a->y.data + first * places * c;
    char *workspace = skv_cuda__of(be)->workspace;
    moments *partial = (moments *)(workspace + SKV_CUDA_WORKSPACE / 2);
    float *affine = (float *)workspace;

    SKV_TRY(skv_cuda__shared(be, (const void *)group_sums<T, S, N>, shared));
    SKV_LAUNCH(be, (group_sums<T, S, N>), dim3(tiles, (unsigned)pictures), BLOCK, shared, partial,
               x, places, tile, c, a->groups);
    SKV_LAUNCH(be, group_affine, dim3((unsigned)a->groups, (unsigned)pictures), BLOCK, 0, affine,
               partial, (const float *)a->w.data, (const float *)a->b.data, (int)tiles, c, places,
               a->eps);
    SKV_LAUNCH(be, (apply<T, N>),
               dim3((unsigned)div_up(places * c / N, BLOCK * WORDS), (unsigned)pictures), BLOCK, 0,
               y, x, affine, places * c, c);
    return SKV_OK;
}

extern "C" skv_status skv_cuda_group_norm_silu(skv_backend *be, const skv_group_norm_silu_args *a)
{
    const int64_t places = a->x.shape[1] * a->x.shape[2], c = a->x.shape[3];
    const int64_t tile = div_up(places, MAX_TILES) > 16 ? div_up(places, MAX_TILES) : 16;
    const int64_t bytes = div_up(places, tile) * a->groups * (int64_t)sizeof(moments);
    const int64_t step = (int64_t)SKV_CUDA_WORKSPACE / 2 / bytes;

    if (c > 4096 || step < 1)
        return skv_fail(SKV_E_UNSUPPORTED, "group_norm_silu: %lld channels are too many",
                        (long long)c);
    for (int64_t b = 0; places > 0 && b < a->x.shape[0]; b += step) {
        const int n = (int)(a->x.shape[0] - b < step ? a->x.shape[0] - b : step);

        if (a->x.dtype == SKV_BF16 && c % 8 == 0)
            SKV_TRY((run<bf16, float, 8>(be, a, b, n, tile)));
        else if (a->x.dtype == SKV_BF16)
            SKV_TRY((run<bf16, float, 1>(be, a, b, n, tile)));
        else if (a->x.dtype == SKV_F32)
            SKV_TRY((run<float, double, 1>(be, a, b, n, tile)));
        else
            return skv_cuda__no_kernel(__func__, a->x.dtype);
    }
    return SKV_OK;
}
