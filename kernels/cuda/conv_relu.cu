/* conv_relu: places laid out as rows of kh·kw·Ci numbers in the workspace (a 1×1 kernel reads them
 * where they lie), a product by cuBLASLt in true fp32, then bias, ReLU and the distance between
 * places in one pass. Some places at a time: the workspace holds rows and products.
 * Layout and last pass are bound by bandwidth, the product by the fp32 units. */
#include "kernels/cuda/device.cuh"

#define BLOCK 256

/* What a thread must know of the convolution. */
typedef struct {
    int h, w, ci, wo, map; /* map: places of a picture's output */
    int kw, k, stride, pad_h, pad_w;
} geometry;

__global__ void lay_out(float *rows, const float *x, geometry g, int64_t first, int n)
{
    const int64_t all = (int64_t)n * g.k;

    for (int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x; i < all;
         i += (int64_t)gridDim.x * BLOCK) {
        const int t = (int)(i % g.k), c = t % g.ci, tap = t / g.ci;
        const int64_t at = first + i / g.k;
        const int place = (int)(at % g.map);
        const int y = place / g.wo * g.stride - g.pad_h + tap / g.kw;
        const int col = place % g.wo * g.stride - g.pad_w + tap % g.kw;
        const bool inside = y >= 0 && y < g.h && col >= 0 && col < g.w;

        rows[i] = inside ? x[((at / g.map * g.h + y) * g.w + col) * g.ci + c] : 0.0f;
    }
}

__global__ void finish(float *y, const float *product, const float *b, int64_t far, int co, int n)
{
    const int64_t all = (int64_t)n * co;

    for (int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x; i < all;
         i += (int64_t)gridDim.x * BLOCK) {
        const int c = (int)(i % co);

        y[i / co * far + c] = fmaxf(product[i] + b[c], 0.0f);
    }
}

static unsigned blocks_for(int64_t n)
{
    const int64_t blocks = div_up(n, BLOCK);

    return (unsigned)(blocks < 65536 ? blocks : 65536);
}

extern "C" skv_status skv_cuda_conv_relu(skv_backend *be, const skv_conv_relu_args *a)
{
    const int64_t *x = a->x.shape, k = a->w.shape[1], co = a->w.shape[0], far = a->y.stride[2];
    const int64_t all = a->y.shape[0] * a->y.shape[1] * a->y.shape[2];
    const bool direct =
        a->kh == 1 && a->kw == 1 && a->stride == 1 && a->pad_h == 0 && a->pad_w == 0;
    const geometry g = {
        (int)x[1], (int)x[2], (int)x[3], (int)a->y.shape[2], (int)(a->y.shape[1] * a->y.shape[2]),
        a->kw,     (int)k,    a->stride, a->pad_h,           a->pad_w};
    const int64_t room = (int64_t)(SKV_CUDA_WORKSPACE / 2 / sizeof(float));
    const int64_t step = room / (co + (direct ? 0 : k));
    float *product = (float *)(skv_cuda__of(be)->workspace + SKV_CUDA_WORKSPACE / 2);
    float *rows = product + step * co;

    if (step < 1)
        return skv_fail(SKV_E_UNSUPPORTED, "conv_relu: %lld numbers a place are too many",
                        (long long)k);
    be->flops += 2 * all * k * co;
    for (int64_t first = 0; first < all; first += step) {
        const int n = (int)(all - first < step ? all - first : step);
        skv_cuda__matmul_args m = {};

        m.y = product;
        m.x = direct ? (const float *)a->x.data + first * k : rows;
        m.w = a->w.data;
        m.m = n;
        m.n = co;
        m.k = k;
        m.y_type = m.x_type = SKV_F32;
        m.exact = true;
        if (!direct)
            SKV_LAUNCH(be, lay_out, blocks_for(n * k), BLOCK, 0, rows, (const float *)a->x.data, g,
                       first, n);
        SKV_TRY(skv_cuda__matmul(be, &m));
        SKV_LAUNCH(be, finish, blocks_for(n * co), BLOCK, 0, (float *)a->y.data + first * far,
                   product, (const float *)a->b.data, far, (int)co, n);
    }
    return SKV_OK;
}
