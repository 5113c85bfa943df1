/* Checks of the metric networks' operations. */
#include "kernels/check.h"

/* Side of an output map; 0 or less: the window does not fit. */
static int64_t side(int64_t in, int kernel, int stride, int pad)
{
    return in + 2 * pad < kernel ? 0 : (in + 2 * pad - kernel) / stride + 1;
}

/* y (B,Ho,Wo,C): places row by row, `stride[2]` apart. */
static skv_status check_places(const skv_backend *be, const char *op, const skv_tensor *y,
                               const int64_t shape[4])
{
    const skv_wanted want = {.op = op,
                             .arg = "y",
                             .t = y,
                             .types = SKV_IS_F32,
                             .free_strides = SKV_FREE_ALL,
                             .ndim = 4,
                             .shape = {shape[0], shape[1], shape[2], shape[3]}};
    const int64_t place = y->stride[2];

    SKV_TRY(skv_check__tensor(be, &want));
    if (place < shape[3] || (y->shape[1] > 1 && y->stride[1] != y->shape[2] * place) ||
        (y->shape[0] > 1 && y->stride[0] != y->shape[1] * y->shape[2] * place))
        return skv_fail(SKV_E_SHAPE, "%s: y's places do not lie one distance apart", op);
    return SKV_OK;
}

static skv_status check_window(const char *op, int kernel, int stride, int pad)
{
    SKV_TRY(skv_check__range(op, "the kernel", kernel, 1, 64));
    SKV_TRY(skv_check__range(op, "the stride", stride, 1, 64));
    return skv_check__range(op, "the padding", pad, 0, kernel / 2);
}

skv_status skv_check__conv_relu(const skv_backend *be, const skv_conv_relu_args *a)
{
    const int64_t *x = a->x.shape, co = a->w.shape[0];
    int64_t y[4];

    SKV_TRY(check_window("conv_relu", a->kh, a->stride, a->pad_h));
    SKV_TRY(check_window("conv_relu", a->kw, a->stride, a->pad_w));
    SKV_TRY(SKV_WANT("conv_relu", a, x, SKV_IS_F32, SKV_DENSE, -1, -1, -1, -1));
    SKV_TRY(SKV_WANT("conv_relu", a, w, SKV_IS_F32, SKV_DENSE, -1,
                     (int64_t)a->kh * a->kw * a->x.shape[3]));
    SKV_TRY(SKV_WANT("conv_relu", a, b, SKV_IS_F32, SKV_DENSE, co));
    y[0] = x[0];
    y[1] = side(x[1], a->kh, a->stride, a->pad_h);
    y[2] = side(x[2], a->kw, a->stride, a->pad_w);
    y[3] = co;
    return check_places(be, "conv_relu", &a->y, y);
}

skv_status skv_check__pool2d(const skv_backend *be, const skv_pool2d_args *a)
{
    const int64_t *x = a->x.shape;
    int64_t y[4];

    SKV_TRY(check_window("pool2d", a->kernel, a->stride, a->pad));
    SKV_TRY(SKV_WANT("pool2d", a, x, SKV_IS_F32, SKV_DENSE, -1, -1, -1, -1));
    y[0] = x[0];
    y[1] = side(x[1], a->kernel, a->stride, a->pad);
    y[2] = side(x[2], a->kernel, a->stride, a->pad);
    y[3] = x[3];
    return check_places(be, "pool2d", &a->y, y);
}

skv_status skv_check__mean_positions(const skv_backend *be, const skv_mean_positions_args *a)
{
    SKV_TRY(SKV_WANT("mean_positions", a, x, SKV_IS_F32, SKV_DENSE, -1, -1, -1, -1));
    return SKV_WANT("mean_positions", a, y, SKV_IS_F32, SKV_DENSE, a->x.shape[0], a->x.shape[3]);
}

skv_status skv_check__lpips_layer(const skv_backend *be, const skv_lpips_layer_args *a)
{
    const int64_t *s = a->a.shape;

    SKV_TRY(SKV_WANT("lpips_layer", a, a, SKV_IS_F32, SKV_DENSE, -1, -1, -1, -1));
    SKV_TRY(SKV_WANT("lpips_layer", a, b, SKV_IS_F32, SKV_DENSE, s[0], s[1], s[2], s[3]));
    SKV_TRY(SKV_WANT("lpips_layer", a, w, SKV_IS_F32, SKV_DENSE, s[3]));
    return SKV_WANT("lpips_layer", a, d, SKV_IS_F32, SKV_DENSE, s[0]);
}
