/* lpips_layer: a warp a place, its sum to the workspace; then one block a picture adds them in a
 * fixed order. Norms and sums in double: a distance is a small difference of large maps. Bound by
 * bandwidth. */
#include "kernels/cuda/device.cuh"

#define BLOCK 256
#define EPS   1e-10

__device__ __forceinline__ double warp_sum_double(double x)
{
    for (int step = WARP / 2; step > 0; step /= 2)
        x += __shfl_xor_sync(ALL, x, step);
    return x;
}

__global__ void distances(double *out, const float *a, const float *b, const float *w,
                          int64_t places, int c)
{
    const int lane = threadIdx.x % WARP;

    for (int64_t p = ((int64_t)blockIdx.x * BLOCK + threadIdx.x) / WARP; p < places;
         p += (int64_t)gridDim.x * (BLOCK / WARP)) {
        const float *x = a + p * c, *y = b + p * c;
        double na = 0, nb = 0, sum = 0;

        for (int i = lane; i < c; i += WARP) {
            na += (double)x[i] * (double)x[i];
            nb += (double)y[i] * (double)y[i];
        }
        na = 1 / (sqrt(warp_sum_double(na)) + EPS);
        nb = 1 / (sqrt(warp_sum_double(nb)) + EPS);
        for (int i = lane; i < c; i += WARP) {
            /* no fused multiply-add here: equal maps are exactly 0 apart */
            const double d = __dmul_rn(x[i], na) - __dmul_rn(y[i], nb);

            sum += (double)w[i] * d * d;
        }
        sum = warp_sum_double(sum);
        if (lane == 0)
            out[p] = sum;
    }
}

/* grid: pictures */
__global__ void add_up(float *d, const double *part, int places)
{
    __shared__ double room[BLOCK];
    double sum = 0;

    part += (int64_t)blockIdx.x * places;
    for (int p = threadIdx.x; p < places; p += BLOCK)
        sum += part[p];
    room[threadIdx.x] = sum;
    __syncthreads();
    for (int step = BLOCK / 2; step > 0; step /= 2) {
        if (threadIdx.x < step)
            room[threadIdx.x] += room[threadIdx.x + step];
        __syncthreads();
    }
    if (threadIdx.x == 0)
        d[blockIdx.x] = (float)(room[0] / places);
}

extern "C" skv_status skv_cuda_lpips_layer(skv_backend *be, const skv_lpips_layer_args *a)
{
    const int64_t *s = a->a.shape, map = s[1] * s[2], places = s[0] * map;
    const int64_t blocks = div_up(places, BLOCK / WARP);
    double *part = (double *)skv_cuda__of(be)->workspace;

    if ((size_t)places * sizeof(double) > SKV_CUDA_WORKSPACE)
        return skv_fail(SKV_E_UNSUPPORTED, "lpips_layer: %lld places are too many",
                        (long long)places);
    SKV_LAUNCH(be, distances, (unsigned)(blocks < 65536 ? blocks : 65536), BLOCK, 0, part,
               (const float *)a->a.data, (const float *)a->b.data, (const float *)a->w.data, places,
               (int)s[3]);
    SKV_LAUNCH(be, add_up, (unsigned)s[0], BLOCK, 0, (float *)a->d.data, part, (int)map);
    return SKV_OK;
}
