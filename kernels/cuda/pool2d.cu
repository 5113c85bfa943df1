/* pool2d: a thread a number of the output. Bound by bandwidth. */
#include "kernels/cuda/device.cuh"

#define BLOCK 256

template <bool MEAN>
__global__ void pool2d(float *y, const float *x, int64_t all, int h, int w, int c, int ho, int wo,
                       int64_t far, int kernel, int stride, int pad)
{
    for (int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x; i < all;
         i += (int64_t)gridDim.x * BLOCK) {
        const int channel = (int)(i % c);
        const int64_t place = i / c, picture = place / ((int64_t)ho * wo);
        const int y0 = (int)(place / wo % ho) * stride - pad, x0 = (int)(place % wo) * stride - pad;
        float t = MEAN ? 0.0f : -INFINITY;
        int cells = 0;

        for (int sy = max(y0, 0); sy < min(y0 + kernel, h); sy++)
            for (int sx = max(x0, 0); sx < min(x0 + kernel, w); sx++, cells++) {
                const float v = x[((picture * h + sy) * w + sx) * c + channel];

                t = MEAN ? t + v : fmaxf(t, v);
            }
        y[place * far + channel] = MEAN ? t / (float)cells : t;
    }
}

extern "C" skv_status skv_cuda_pool2d(skv_backend *be, const skv_pool2d_args *a)
{
    const int64_t *x = a->x.shape, *s = a->y.shape, all = s[0] * s[1] * s[2] * s[3];
    const int64_t blocks = div_up(all, BLOCK);
    const unsigned grid = (unsigned)(blocks < 65536 ? blocks : 65536);

    if (a->mean)
        SKV_LAUNCH(be, pool2d<true>, grid, BLOCK, 0, (float *)a->y.data, (const float *)a->x.data,
                   all, (int)x[1], (int)x[2], (int)x[3], (int)s[1], (int)s[2], a->y.stride[2],
                   a->kernel, a->stride, a->pad);
    else
        SKV_LAUNCH(be, pool2d<false>, grid, BLOCK, 0, (float *)a->y.data, (const float *)a->x.data,
                   all, (int)x[1], (int)x[2], (int)x[3], (int)s[1], (int)s[2], a->y.stride[2],
                   a->kernel, a->stride, a->pad);
    return SKV_OK;
}
