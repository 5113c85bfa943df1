/* Attention and convolutions as cuDNN graphs.
 *
 * cuDNN counts dimensions as (rows, heads, tokens, dim) and (N,C,H,W) whatever the memory order is:
 * only the strides say that heads lie inside tokens, and channels inside places. */
#include "core/dtype.h"
#include "kernels/cuda/cudnn_plans.h"

#define MAX_DIM 128
#define STEP    8 /* bf16 numbers in SKV_CUDNN_ALIGN bytes */

#define OUR_HEADS 256 /* at most, for our own attention */

/* Of what is compared with our own kernels. */
#define PLAIN_TOKENS 64
#define PLAIN_LINES  3 /* the last of them lacks the one below */

static bool aligned(const void *p)
{
    return (uintptr_t)p % SKV_CUDNN_ALIGN == 0;
}

/* ------------------------------------------------------------------- attention */

static int build_attention(skv_cudnn__parts *p, const int64_t *shape, int variant,
                           cudnnBackendDescriptor_t *op)
{
    const int64_t r = shape[0], l = shape[1], h = shape[2], d = shape[3], len = shape[4];
    const skv_cudnn__tensor q = {.id = 1,
                                 .type = CUDNN_DATA_BFLOAT16,
                                 .dim = {r, h, l, d},
                                 .stride = {l * h * d, d, h * d, 1}};
    const skv_cudnn__tensor k = {.id = 2,
                                 .type = CUDNN_DATA_BFLOAT16,
                                 .dim = {r, h, len, d},
                                 .stride = {shape[5], shape[6], d, 1}};
    const skv_cudnn__tensor v = {.id = 3,
                                 .type = CUDNN_DATA_BFLOAT16,
                                 .dim = {r, h, len, d},
                                 .stride = {shape[7], shape[8], d, 1}};
    const skv_cudnn__tensor scale = {.id = 5,
                                     .type = CUDNN_DATA_FLOAT,
                                     .dim = {1, 1, 1, 1},
                                     .stride = {1, 1, 1, 1},
                                     .by_value = true};
    skv_cudnn__tensor o = q;
    cudnnBackendDescriptor_t part[5];

    (void)variant;
    o.id = 4;
    part[0] = skv_cudnn__tensor_part(p, &q);
    part[1] = skv_cudnn__tensor_part(p, &k);
    part[2] = skv_cudnn__tensor_part(p, &v);
    part[3] = skv_cudnn__tensor_part(p, &o);
    part[4] = skv_cudnn__tensor_part(p, &scale);
    op[0] = skv_cudnn__part(p, CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
    skv_cudnn__set_part(p, op[0], CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, part[0]);
    skv_cudnn__set_part(p, op[0], CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, part[1]);
    skv_cudnn__set_part(p, op[0], CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, part[2]);
    skv_cudnn__set_part(p, op[0], CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, part[3]);
    skv_cudnn__set_part(p, op[0], CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC, part[4]);
    skv_cudnn__finalize(p, op[0]);
    return 1;
}

static double attention_operations(const int64_t *s)
{
    return 4.0 * (double)s[0] * (double)s[1] * (double)s[2] * (double)s[3] * (double)s[4];
}

/* By our own kernels: len has room for OUR_HEADS numbers. False: they cannot do it. */
static bool as_flash(skv_cuda__flash_args *f, int32_t *len, const skv_cudnn__request *r)
{
    const int64_t *s = r->shape;
    const float *scale = r->data[4];

    if (s[5] != s[7] || s[6] != s[8] || s[2] > OUR_HEADS)
        return false;
    for (int64_t h = 0; h < s[2]; h++)
        len[h] = (int32_t)s[4];
    *f = (skv_cuda__flash_args){.o = r->data[3],
                                .q = r->data[0],
                                .k = r->data[1],
                                .v = r->data[2],
                                .rows = s[0],
                                .tokens = s[1],
                                .heads = s[2],
                                .dim = s[3],
                                .row_stride = s[5],
                                .head_stride = s[6],
                                .token_stride = s[3],
                                .len = len,
                                .scale = *scale};
    return true;
}

/* The first queries of the first row. */
static skv_status attention_plain(skv_backend *be, const skv_cudnn__request *r, int64_t *n)
{
    skv_cuda__flash_args f;
    int32_t len[OUR_HEADS];

    *n = 0;
    if (!as_flash(&f, len, r))
        return SKV_OK;
    f.o = skv_cuda__of(be)->workspace;
    f.rows = 1;
    f.tokens = f.tokens < PLAIN_TOKENS ? f.tokens : PLAIN_TOKENS;
    *n = f.tokens * f.heads * f.dim;
    return skv_cuda__attend(be, &f);
}

static skv_status attention_by_flash(skv_backend *be, const skv_cudnn__request *r)
{
    skv_cuda__flash_args f;
    int32_t len[OUR_HEADS];

    if (!as_flash(&f, len, r))
        return skv_fail(SKV_E_UNSUPPORTED, "keys and values lie in different strides");
    return skv_cuda__attend(be, &f);
}

static const skv_cudnn__kind attention = {.name = "sdpa",
                                          .what = "attention",
                                          .number = 0,
                                          .n_key = 5,
                                          .n_variants = 1,
                                          .n_measured = 2,
                                          .n_data = {5},
                                          .build = build_attention,
                                          .output = 3,
                                          .operations = attention_operations,
                                          .plain = attention_plain,
                                          .rival = "kernel=flash",
                                          .run_rival = attention_by_flash};

skv_status skv_cuda__cudnn_attention(skv_backend *be, const skv_attention_args *a, bool *done)
{
    const int64_t r = a->q.shape[0], l = a->q.shape[1], h = a->q.shape[2], d = a->q.shape[3];
    const int64_t *ks = a->k.stride, *vs = a->v.stride;
    float scale = a->scale;
    const skv_cudnn__request request = {
        .kind = &attention,
        /* one row has no next one: its stride would only make another plan of the same */
        .shape = {r, l, h, d, a->len[0], r == 1 ? h * ks[1] : ks[0], ks[1],
                  r == 1 ? h * vs[1] : vs[0], vs[1]},
        .data = {a->q.data, a->k.data, a->v.data, a->o.data, &scale}};

    *done = false;
    if (d % STEP != 0 || d > MAX_DIM || ks[0] % STEP != 0 || ks[1] % STEP != 0 ||
        vs[0] % STEP != 0 || vs[1] % STEP != 0)
        return SKV_OK;
    if (!aligned(a->q.data) || !aligned(a->k.data) || !aligned(a->v.data) || !aligned(a->o.data))
        return SKV_OK;
    return skv_cudnn__run(be, &request, done);
}

/* ----------------------------------------------------------------- convolution */

enum { FUSED = 0, PLAIN = 1 }; /* bias and r are in the graph, or a kernel of its own adds them */

/* (n,h,w,c), h·w places `scale` times those of shape. */
static cudnnBackendDescriptor_t places_part(skv_cudnn__parts *p, const int64_t *shape,
                                            int64_t scale, int64_t c, int64_t id)
{
    const bool is_virtual = id > SKV_CUDNN_DATA;
    const int64_t n = shape[0], h = scale * shape[1], w = scale * shape[2];
    const skv_cudnn__tensor t = {.id = id,
                                 .type = is_virtual ? CUDNN_DATA_FLOAT : CUDNN_DATA_BFLOAT16,
                                 .dim = {n, c, h, w},
                                 .stride = {h * w * c, 1, w * c, c},
                                 .is_virtual = is_virtual};

    return skv_cudnn__tensor_part(p, &t);
}

/* What a convolution with a padding of 1 is. */
static cudnnBackendDescriptor_t convolution_part(skv_cudnn__parts *p, int64_t stride)
{
    static const int64_t ones[2] = {1, 1}, axes = 2;
    const int64_t strides[2] = {stride, stride};
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    cudnnBackendDescriptor_t d = skv_cudnn__part(p, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);

    skv_cudnn__set(p, d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute);
    skv_cudnn__set(p, d, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
    skv_cudnn__set(p, d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &axes);
    skv_cudnn__set(p, d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, ones);
    skv_cudnn__set(p, d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, ones);
    skv_cudnn__set(p, d, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, ones);
    skv_cudnn__set(p, d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, strides);
    skv_cudnn__finalize(p, d);
    return d;
}

static cudnnBackendDescriptor_t bias_part(skv_cudnn__parts *p, int64_t co)
{
    const skv_cudnn__tensor bias = {
        .id = 4, .type = CUDNN_DATA_FLOAT, .dim = {1, co, 1, 1}, .stride = {co, 1, co, co}};

    return skv_cudnn__tensor_part(p, &bias);
}

/* y = x + b */
static cudnnBackendDescriptor_t add_op(skv_cudnn__parts *p, cudnnBackendDescriptor_t y,
                                       cudnnBackendDescriptor_t x, cudnnBackendDescriptor_t b)
{
    const cudnnPointwiseMode_t mode = CUDNN_POINTWISE_ADD;
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    cudnnBackendDescriptor_t add = skv_cudnn__part(p, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    cudnnBackendDescriptor_t op;

    skv_cudnn__set(p, add, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    skv_cudnn__set(p, add, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &compute);
    skv_cudnn__finalize(p, add);
    op = skv_cudnn__part(p, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    skv_cudnn__set_part(p, op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, add);
    skv_cudnn__set_part(p, op, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    skv_cudnn__set_part(p, op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b);
    skv_cudnn__set_part(p, op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    skv_cudnn__finalize(p, op);
    return op;
}

/* shape: n, h, w, ci, co, whether there is an r */
static int build_convolution(skv_cudnn__parts *p, const int64_t *shape, int variant,
                             cudnnBackendDescriptor_t *op)
{
    static const float one = 1.0f, zero = 0.0f;
    const int64_t ci = shape[3], co = shape[4];
    const bool fused = variant == FUSED, adds = fused && shape[5] != 0;
    const skv_cudnn__tensor weight = {.id = 2,
                                      .type = CUDNN_DATA_BFLOAT16,
                                      .dim = {co, ci, 3, 3},
                                      .stride = {9 * ci, 1, 3 * ci, ci}};
    cudnnBackendDescriptor_t x = places_part(p, shape, 1, ci, 1);
    cudnnBackendDescriptor_t w = skv_cudnn__tensor_part(p, &weight);
    cudnnBackendDescriptor_t y = places_part(p, shape, 1, co, 3);
    cudnnBackendDescriptor_t sum = fused ? places_part(p, shape, 1, co, 6) : y;
    cudnnBackendDescriptor_t biased = adds ? places_part(p, shape, 1, co, 7) : y;
    cudnnBackendDescriptor_t convolution = convolution_part(p, 1);

    op[0] = skv_cudnn__part(p, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    skv_cudnn__set(p, op[0], CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1,
                   &one);
    skv_cudnn__set(p, op[0], CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 1,
                   &zero);
    skv_cudnn__set_part(p, op[0], CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution);
    skv_cudnn__set_part(p, op[0], CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
    skv_cudnn__set_part(p, op[0], CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w);
    skv_cudnn__set_part(p, op[0], CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, sum);
    skv_cudnn__finalize(p, op[0]);
    if (!fused)
        return 1;
    op[1] = add_op(p, biased, sum, bias_part(p, co));
    if (!adds)
        return 2;
    op[2] = add_op(p, y, biased, places_part(p, shape, 1, co, 5));
    return 3;
}

static skv_status finish_convolution(skv_backend *be, const skv_cudnn__request *r, int variant)
{
    const int64_t *s = r->shape;

    if (variant == FUSED)
        return SKV_OK;
    return skv_cuda__add_bias(be, r->data[2], r->data[3], r->data[4], s[0] * s[1] * s[2], s[4]);
}

/* Whether that many bf16 numbers fit the half of the workspace that is for them. */
static bool fits(int64_t n)
{
    return (size_t)n <= SKV_CUDA_WORKSPACE / 2 / sizeof(uint16_t);
}

static double convolution_operations(const int64_t *s)
{
    return 18.0 * (double)s[0] * (double)s[1] * (double)s[2] * (double)s[3] * (double)s[4];
}

/* The first lines of the first picture, but for the last of them. */
static skv_status convolution_plain(skv_backend *be, const skv_cudnn__request *r, int64_t *n)
{
    const int64_t *s = r->shape, lines = s[1] < PLAIN_LINES ? s[1] : PLAIN_LINES;
    const int64_t whole = lines == s[1] ? lines : lines - 1;
    skv_conv3x3_args a = {
        .y = SKV_TENSOR(skv_cuda__of(be)->workspace, SKV_BF16, be->device, 1, lines, s[2], s[4]),
        .x = SKV_TENSOR(r->data[0], SKV_BF16, be->device, 1, lines, s[2], s[3]),
        .w = SKV_TENSOR(r->data[1], SKV_BF16, be->device, s[4], 3, 3, s[3]),
        .b = SKV_TENSOR(r->data[3], SKV_F32, be->device, s[4])};

    *n = 0;
    if (!fits(lines * s[2] * s[4]))
        return SKV_OK;
    if (r->data[4])
        a.r = SKV_TENSOR(r->data[4], SKV_BF16, be->device, 1, lines, s[2], s[4]);
    *n = whole * s[2] * s[4];
    return skv_cuda__conv_product(be, &a, skv_cuda__matmul_plain);
}

static const skv_cudnn__kind convolution3x3 = {.name = "conv",
                                               .what = "convolution",
                                               .number = 1,
                                               .n_key = 5,
                                               .n_variants = 2,
                                               .n_measured = 8,
                                               .n_data = {4, 3},
                                               .build = build_convolution,
                                               .finish = finish_convolution,
                                               .output = 2,
                                               .operations = convolution_operations,
                                               .plain = convolution_plain};
static const skv_cudnn__kind convolution3x3_add = {.name = "conv add",
                                                   .what = "convolution",
                                                   .number = 1,
                                                   .n_key = 5,
                                                   .n_variants = 2,
                                                   .n_measured = 8,
                                                   .n_data = {5, 3},
                                                   .build = build_convolution,
                                                   .finish = finish_convolution,
                                                   .output = 2,
                                                   .operations = convolution_operations,
                                                   .plain = convolution_plain};

skv_status skv_cuda__cudnn_conv3x3(skv_backend *be, const skv_conv3x3_args *a, bool *done)
{
    const int64_t *xs = a->x.shape;
    const int64_t ci = xs[3], co = a->w.shape[0];
    const bool adds = a->r.data != NULL;
    const skv_cudnn__request request = {
        .kind = adds ? &convolution3x3_add : &convolution3x3,
        .shape = {xs[0], xs[1], xs[2], ci, co, adds},
        .data = {a->x.data, a->w.data, a->y.data, a->b.data, a->r.data}};

    *done = false;
    if (a->x.dtype != SKV_BF16 || a->y.dtype != SKV_BF16 || ci % STEP != 0 || co % STEP != 0)
        return SKV_OK;
    if (!aligned(a->x.data) || !aligned(a->w.data) || !aligned(a->y.data) || !aligned(a->b.data) ||
        !aligned(a->r.data))
        return SKV_OK;
    return skv_cudnn__run(be, &request, done);
}

/* ------------------------------------------------------ upsampling and convolution */

/* shape: n, h, w of x, ci, co. As the gradient of a convolution from y to x with a stride of 2;
 * with the bias in the graph cuDNN takes twice as long. */
static int build_upsampling(skv_cudnn__parts *p, const int64_t *shape, int variant,
                            cudnnBackendDescriptor_t *op)
{
    static const float one = 1.0f, zero = 0.0f;
    const int64_t ci = shape[3], co = shape[4];
    const skv_cudnn__tensor weight = {.id = 2,
                                      .type = CUDNN_DATA_BFLOAT16,
                                      .dim = {ci, co, 4, 4},
                                      .stride = {16 * co, 1, 4 * co, co}};
    cudnnBackendDescriptor_t x = places_part(p, shape, 1, ci, 1);
    cudnnBackendDescriptor_t w = skv_cudnn__tensor_part(p, &weight);
    cudnnBackendDescriptor_t y = places_part(p, shape, 2, co, 3);
    cudnnBackendDescriptor_t convolution = convolution_part(p, 2);

    (void)variant;
    op[0] = skv_cudnn__part(p, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
    skv_cudnn__set(p, op[0], CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_TYPE_FLOAT, 1,
                   &one);
    skv_cudnn__set(p, op[0], CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, CUDNN_TYPE_FLOAT, 1,
                   &zero);
    skv_cudnn__set_part(p, op[0], CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, convolution);
    skv_cudnn__set_part(p, op[0], CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, x);
    skv_cudnn__set_part(p, op[0], CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, w);
    skv_cudnn__set_part(p, op[0], CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, y);
    skv_cudnn__finalize(p, op[0]);
    return 1;
}

static skv_status finish_upsampling(skv_backend *be, const skv_cudnn__request *r, int variant)
{
    const int64_t *s = r->shape;

    (void)variant;
    return skv_cuda__add_bias(be, r->data[2], r->data[3], NULL, 4 * s[0] * s[1] * s[2], s[4]);
}

static double upsampling_operations(const int64_t *s)
{
    return 32.0 * (double)s[0] * (double)s[1] * (double)s[2] * (double)s[3] * (double)s[4];
}

/* As convolution_plain; two lines of y for one of x. */
static skv_status upsampling_plain(skv_backend *be, const skv_cudnn__request *r, int64_t *n)
{
    const int64_t *s = r->shape, lines = s[1] < PLAIN_LINES ? s[1] : PLAIN_LINES;
    const int64_t whole = lines == s[1] ? lines : lines - 1;
    const skv_upsample_conv_args a = {
        .y = SKV_TENSOR(skv_cuda__of(be)->workspace, SKV_BF16, be->device, 1, 2 * lines, 2 * s[2],
                        s[4]),
        .x = SKV_TENSOR(r->data[0], SKV_BF16, be->device, 1, lines, s[2], s[3]),
        .w = SKV_TENSOR(r->data[1], SKV_BF16, be->device, s[3], 4, 4, s[4]),
        .b = SKV_TENSOR(r->data[3], SKV_F32, be->device, s[4])};

    *n = 0;
    if (!fits(4 * lines * s[2] * s[4]))
        return SKV_OK;
    *n = 4 * whole * s[2] * s[4];
    return skv_cuda__upsample_plain(be, &a);
}

static const skv_cudnn__kind upsampling = {.name = "upsample conv",
                                           .what = "upsampling convolution",
                                           .number = 2,
                                           .n_key = 5,
                                           .n_variants = 1,
                                           .n_measured = 8,
                                           .n_data = {3},
                                           .build = build_upsampling,
                                           .finish = finish_upsampling,
                                           .output = 2,
                                           .operations = upsampling_operations,
                                           .plain = upsampling_plain};

skv_status skv_cuda__cudnn_upsample_conv(skv_backend *be, const skv_upsample_conv_args *a,
                                         bool *done)
{
    const int64_t *xs = a->x.shape;
    const int64_t ci = xs[3], co = a->w.shape[3];
    const skv_cudnn__request request = {.kind = &upsampling,
                                        .shape = {xs[0], xs[1], xs[2], ci, co},
                                        .data = {a->x.data, a->w.data, a->y.data, a->b.data}};

    *done = false;
    if (ci % STEP != 0 || co % STEP != 0 || !aligned(a->x.data) || !aligned(a->w.data) ||
        !aligned(a->y.data) || !aligned(a->b.data))
        return SKV_OK;
    return skv_cudnn__run(be, &request, done);
}
