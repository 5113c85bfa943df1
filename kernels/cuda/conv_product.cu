/* conv3x3 as a product: the places' neighbourhoods are laid out as rows of 9·Ci numbers, as many as
 * fit the workspace, and multiplied by the packed weights, whose order is the same. Bound by the
 * tensor cores, or by the rows' bandwidth. */
#include "kernels/cuda/device.cuh"

#define BLOCK 256

/* V: two or four bytes, or 16. rows (n,3,3,words) of places first.. */
template <typename V>
__global__ void lay_out(V *rows, const V *x, int64_t first, int64_t n, int height, int width,
                        int words)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i >= n * 9 * words)
        return;
    const int c = (int)(i % words), tap = (int)(i / words % 9);
    const int64_t place = first + i / words / 9;
    const int px = (int)(place % width) + tap % 3 - 1;
    const int py = (int)(place / width % height) + tap / 3 - 1;
    const int64_t line = place / width / height * height + py;
    const bool inside = px >= 0 && px < width && py >= 0 && py < height;

    rows[i] = inside ? x[(line * width + px) * words + c] : V();
}

template <typename V>
static skv_status lay(skv_backend *be, void *rows, const skv_tensor *x, int64_t first, int64_t n)
{
    const int words = (int)(x->shape[3] * (int64_t)skv_dtype_bytes(x->dtype) / (int64_t)sizeof(V));

    SKV_LAUNCH(be, lay_out<V>, (unsigned)div_up(n * 9 * words, BLOCK), BLOCK, 0, (V *)rows,
               (const V *)x->data, first, n, (int)x->shape[1], (int)x->shape[2], words);
    return SKV_OK;
}

static skv_status lay_rows(skv_backend *be, void *rows, const skv_tensor *x, int64_t first,
                           int64_t n)
{
    const size_t place = (size_t)x->shape[3] * skv_dtype_bytes(x->dtype);

    if (place % sizeof(uint4) == 0 && (uintptr_t)x->data % sizeof(uint4) == 0)
        return lay<uint4>(be, rows, x, first, n);
    if (place % sizeof(uint32_t) == 0)
        return lay<uint32_t>(be, rows, x, first, n);
    return lay<uint16_t>(be, rows, x, first, n);
}

extern "C" skv_status skv_cuda__conv_product(skv_backend *be, const skv_conv3x3_args *a,
                                             skv_cuda__product multiply)
{
    const int64_t places = a->x.shape[0] * a->x.shape[1] * a->x.shape[2];
    const int64_t k = 9 * a->x.shape[3], co = a->w.shape[0];
    char *half = skv_cuda__of(be)->workspace + SKV_CUDA_WORKSPACE / 2;
    const size_t bias_bytes = ((size_t)co * sizeof(float) + 255) / 256 * 256;
    const int64_t step = (int64_t)((SKV_CUDA_WORKSPACE / 2 - bias_bytes) /
                                   ((size_t)k * skv_dtype_bytes(a->x.dtype)));
    skv_cuda__matmul_args m = {};
    skv_add_args sum = {};

    if (step < 1)
        return skv_fail(SKV_E_UNSUPPORTED, "conv3x3: %lld channels are too many",
                        (long long)a->x.shape[3]);
    m.x = half + bias_bytes;
    m.w = a->w.data;
    m.b = a->b.data;
    m.n = co;
    m.k = k;
    m.x_type = a->x.dtype;
    m.y_type = a->y.dtype;
    if (a->y.dtype != SKV_F32) {
        SKV_TRY(skv_cuda__convert(be, half, a->y.dtype, a->b.data, SKV_F32, co, false));
        m.b = half;
    }
    for (int64_t first = 0; first < places; first += step) {
        m.m = places - first < step ? places - first : step;
        m.y = (char *)a->y.data + (size_t)(first * co) * skv_dtype_bytes(a->y.dtype);
        SKV_TRY(lay_rows(be, half + bias_bytes, &a->x, first, m.m));
        SKV_TRY(multiply(be, &m));
    }
    if (!a->r.data)
        return SKV_OK;
    sum.y = a->y;
    sum.x = a->r;
    return skv_cuda_add(be, &sum);
}
