/* Checks of the model's operations: shapes as kernels/ops.h gives them. */
#include "kernels/check.h"

#define ACT  (1u << be->act)
#define KV   (1u << be->kv)
#define ACTF (ACT | SKV_IS_F32)

#define MAX_HEAD_DIM 256

/* w and b for rows of k numbers. */
static skv_status weights_fit(const skv_backend *be, const skv_linear_args *a, const char *op,
                              int64_t k)
{
    SKV_TRY(SKV_WANT(op, a, w, 1u << be->weight, SKV_DENSE, -1, k));
    return a->b.data ? SKV_WANT(op, a, b, 1u << a->y.dtype, SKV_DENSE, a->w.shape[0]) : SKV_OK;
}

static skv_status linear(const skv_backend *be, const skv_linear_args *a, const char *op)
{
    SKV_TRY(SKV_WANT(op, a, x, ACTF, SKV_DENSE, -1, -1));
    SKV_TRY(weights_fit(be, a, op, a->x.shape[1]));
    return SKV_WANT(op, a, y, ACTF, SKV_DENSE, a->x.shape[0], a->w.shape[0]);
}

/* A batch of them. */
static skv_status linears(const skv_backend *be, const skv_linear_args *a, const char *op)
{
    const int64_t *x = a->x.shape;

    SKV_TRY(SKV_WANT(op, a, x, ACTF, SKV_FREE_FIRST, -1, -1, -1));
    SKV_TRY(weights_fit(be, a, op, x[2]));
    return SKV_WANT(op, a, y, ACTF, SKV_FREE_FIRST, x[0], x[1], a->w.shape[0]);
}

skv_status skv_check__linear(const skv_backend *be, const skv_linear_args *a)
{
    return (a->x.ndim == 3 ? linears : linear)(be, a, "linear");
}

skv_status skv_check__linear_gelu(const skv_backend *be, const skv_linear_gelu_args *a)
{
    return linear(be, a, "linear_gelu");
}

skv_status skv_check__norm(const skv_backend *be, const skv_norm_args *a)
{
    const int64_t r = a->x.shape[0], l = a->x.shape[1], c = a->x.shape[2];

    SKV_TRY(SKV_WANT("norm", a, x, SKV_IS_F32, SKV_DENSE, -1, -1, -1));
    SKV_TRY(SKV_WANT("norm", a, y, ACTF, SKV_DENSE, r, l, c));
    SKV_TRY(SKV_WANT("norm", a, scale, SKV_IS_F32, SKV_FREE_FIRST, r, c));
    return SKV_WANT("norm", a, shift, SKV_IS_F32, SKV_FREE_FIRST, r, c);
}

skv_status skv_check__gate_norm(const skv_backend *be, const skv_gate_norm_args *a)
{
    const int64_t r = a->x.shape[0], l = a->x.shape[1], c = a->x.shape[2];

    SKV_TRY(SKV_WANT("gate_norm", a, x, SKV_IS_F32, SKV_DENSE, -1, -1, -1));
    SKV_TRY(SKV_WANT("gate_norm", a, h, ACT, SKV_DENSE, r, l, c));
    SKV_TRY(SKV_WANT("gate_norm", a, y, ACTF, SKV_DENSE, r, l, c));
    SKV_TRY(SKV_WANT("gate_norm", a, gate, SKV_IS_F32, SKV_FREE_FIRST, r, c));
    SKV_TRY(SKV_WANT("gate_norm", a, scale, SKV_IS_F32, SKV_FREE_FIRST, r, c));
    if (a->bias.data)
        SKV_TRY(SKV_WANT("gate_norm", a, bias, ACT, SKV_DENSE, c));
    return SKV_WANT("gate_norm", a, shift, SKV_IS_F32, SKV_FREE_FIRST, r, c);
}

skv_status skv_check__gate_add(const skv_backend *be, const skv_gate_add_args *a)
{
    const int64_t r = a->x.shape[0], l = a->x.shape[1], c = a->x.shape[2];

    SKV_TRY(SKV_WANT("gate_add", a, x, SKV_IS_F32, SKV_DENSE, -1, -1, -1));
    SKV_TRY(SKV_WANT("gate_add", a, h, ACT, SKV_DENSE, r, l, c));
    return SKV_WANT("gate_add", a, gate, SKV_IS_F32, SKV_FREE_FIRST, r, c);
}

skv_status skv_check__rms_norm(const skv_backend *be, const skv_rms_norm_args *a)
{
    const int64_t m = a->x.shape[0], c = a->x.shape[1];

    SKV_TRY(SKV_WANT("rms_norm", a, x, SKV_IS_F32, SKV_DENSE, -1, -1));
    SKV_TRY(SKV_WANT("rms_norm", a, w, SKV_IS_F32, SKV_DENSE, c));
    return SKV_WANT("rms_norm", a, y, ACTF, SKV_DENSE, m, c);
}

/* Two dense tensors of equal shape. */
static skv_status pair(const skv_backend *be, const char *op, const skv_tensor *y,
                       const skv_tensor *x, unsigned y_types, unsigned x_types)
{
    skv_wanted w = {.op = op, .arg = "x", .t = x, .types = x_types, .ndim = x->ndim};

    for (int i = 0; i < x->ndim; i++)
        w.shape[i] = -1;
    SKV_TRY(skv_check__tensor(be, &w));
    for (int i = 0; i < x->ndim; i++)
        w.shape[i] = x->shape[i];
    w.arg = "y";
    w.t = y;
    w.types = y_types;
    return skv_check__tensor(be, &w);
}

skv_status skv_check__silu(const skv_backend *be, const skv_silu_args *a)
{
    return pair(be, "silu", &a->y, &a->x, SKV_IS_F32, SKV_IS_F32);
}

skv_status skv_check__gated_gelu(const skv_backend *be, const skv_gated_gelu_args *a)
{
    return pair(be, "gated_gelu", &a->y, &a->x, ACT, ACT);
}

skv_status skv_check__add(const skv_backend *be, const skv_add_args *a)
{
    return pair(be, "add", &a->y, &a->x, ACTF, ACTF);
}

skv_status skv_check__copy(const skv_backend *be, const skv_copy_args *a)
{
    if (a->y.dtype == a->x.dtype)
        return pair(be, "copy", &a->y, &a->x, 1u << a->x.dtype, 1u << a->x.dtype);
    return pair(be, "copy", &a->y, &a->x, ACTF | KV, ACTF | KV);
}

skv_status skv_check__zero(const skv_backend *be, const skv_zero_args *a)
{
    return pair(be, "zero", &a->y, &a->y, 1u << a->y.dtype, 1u << a->y.dtype);
}

skv_status skv_check__add_rows(const skv_backend *be, const skv_add_rows_args *a)
{
    SKV_TRY(pair(be, "add_rows", &a->y, &a->x, SKV_IS_F32, SKV_IS_F32));
    SKV_TRY(SKV_WANT("add_rows", a, x, SKV_IS_F32, SKV_DENSE, -1, -1));
    return SKV_WANT("add_rows", a, b, SKV_IS_F32, SKV_DENSE, a->x.shape[1]);
}

skv_status skv_check__guide_mix(const skv_backend *be, const skv_guide_mix_args *a)
{
    SKV_TRY(SKV_WANT("guide_mix", a, x, SKV_IS_F32, SKV_DENSE, -1, -1, -1));
    if (a->x.shape[0] % 2 != 0)
        return skv_fail(SKV_E_SHAPE, "guide_mix: x has %lld rows, want an even number",
                        (long long)a->x.shape[0]);
    return SKV_OK;
}

/* Every head's tokens base[h] .. base[h]+n-1 lie inside the views. */
static skv_status spans_fit(const char *op, const int32_t *base, int64_t heads, int64_t n,
                            int64_t room)
{
    for (int64_t h = 0; h < heads; h++)
        SKV_TRY(skv_check__range(op, "a head's base", base[h], 0, room - n));
    return SKV_OK;
}

skv_status skv_check__qkv_rope(const skv_backend *be, const skv_qkv_rope_args *a)
{
    const int64_t r = a->q.shape[0], l = a->q.shape[1], h = a->q.shape[2], d = a->q.shape[3];

    SKV_TRY(SKV_WANT("qkv_rope", a, q, ACT, SKV_DENSE, -1, -1, -1, -1));
    SKV_TRY(SKV_WANT("qkv_rope", a, qkv, ACT, SKV_DENSE, r, l, 3 * h * d));
    SKV_TRY(SKV_WANT("qkv_rope", a, k, KV, SKV_FREE_TWO, r, h, -1, d));
    SKV_TRY(SKV_WANT("qkv_rope", a, v, KV, SKV_FREE_TWO, r, h, a->k.shape[2], d));
    SKV_TRY(SKV_WANT("qkv_rope", a, q_bias, SKV_IS_F32, SKV_DENSE, h * d));
    SKV_TRY(SKV_WANT("qkv_rope", a, v_bias, SKV_IS_F32, SKV_DENSE, h * d));
    SKV_TRY(SKV_WANT("qkv_rope", a, scale, SKV_IS_F32, SKV_DENSE, h));
    SKV_TRY(SKV_WANT("qkv_rope", a, rope, SKV_IS_F32, SKV_DENSE, l, d / 2, 2));
    SKV_TRY(skv_check__range("qkv_rope", "the head dimension", d, 4, MAX_HEAD_DIM));
    if (d % 4 != 0)
        return skv_fail(SKV_E_SHAPE, "qkv_rope: the head dimension is %lld, want a multiple of 4",
                        (long long)d);
    SKV_TRY(spans_fit("qkv_rope", a->base, h, l, a->k.shape[2]));
    for (int i = 0; i < a->n_window; i++)
        SKV_TRY(skv_check__range("qkv_rope", "a window token", a->window[i], 0, l - 1));
    if (a->n_window == 0)
        return SKV_OK;
    return SKV_WANT("qkv_rope", a, q_raw, SKV_IS_F32, SKV_DENSE, r, a->n_window, h, d);
}

skv_status skv_check__attention(const skv_backend *be, const skv_attention_args *a)
{
    const int64_t r = a->q.shape[0], l = a->q.shape[1], h = a->q.shape[2], d = a->q.shape[3];

    SKV_TRY(SKV_WANT("attention", a, q, ACT, SKV_DENSE, -1, -1, -1, -1));
    SKV_TRY(SKV_WANT("attention", a, o, ACT, SKV_DENSE, r, l, h, d));
    SKV_TRY(SKV_WANT("attention", a, k, KV, SKV_FREE_TWO, r, h, -1, d));
    SKV_TRY(SKV_WANT("attention", a, v, KV, SKV_FREE_TWO, r, h, a->k.shape[2], d));
    SKV_TRY(skv_check__range("attention", "the head dimension", d, 1, MAX_HEAD_DIM));
    for (int64_t i = 0; i < h; i++)
        SKV_TRY(skv_check__range("attention", "a head's length", a->len[i], 1, a->k.shape[2]));
    return SKV_OK;
}

/* Every row reads `least` tokens or more, which are there. */
static skv_status texts_fit(const char *op, const int32_t *start, const int32_t *count,
                            int64_t rows, int64_t least, int64_t tokens)
{
    for (int64_t r = 0; r < rows; r++) {
        SKV_TRY(skv_check__range(op, "a row's count", count[r], least, tokens));
        SKV_TRY(skv_check__range(op, "a row's start", start[r], 0, tokens - count[r]));
    }
    return SKV_OK;
}

skv_status skv_check__cross_attention(const skv_backend *be, const skv_cross_attention_args *a)
{
    const int64_t r = a->q.shape[0], l = a->q.shape[1], h = a->q.shape[2], d = a->q.shape[3];

    SKV_TRY(SKV_WANT("cross_attention", a, q, ACT, SKV_DENSE, -1, -1, -1, -1));
    SKV_TRY(SKV_WANT("cross_attention", a, o, ACT, SKV_DENSE, r, l, h, d));
    SKV_TRY(SKV_WANT("cross_attention", a, kv, KV, SKV_DENSE, -1, 2, h, d));
    return texts_fit("cross_attention", a->start, a->count, r, 0, a->kv.shape[0]);
}

skv_status skv_check__absorbed_attention(const skv_backend *be,
                                         const skv_absorbed_attention_args *a)
{
    const int64_t r = a->x.shape[0], l = a->x.shape[1], c = a->x.shape[2];
    const int64_t h = a->kv.shape[2], d = a->kv.shape[3];
    int64_t bytes;

    SKV_TRY(SKV_WANT("absorbed_attention", a, x, ACT, SKV_DENSE, -1, -1, -1));
    SKV_TRY(SKV_WANT("absorbed_attention", a, y, ACT, SKV_DENSE, r, l, c));
    SKV_TRY(SKV_WANT("absorbed_attention", a, kv, KV, SKV_DENSE, -1, 2, -1, -1));
    SKV_TRY(skv_check__range("absorbed_attention", "heads times head dimension", h * d, c, c));
    SKV_TRY(SKV_WANT("absorbed_attention", a, wq, 1u << be->weight, SKV_DENSE, c, c));
    SKV_TRY(SKV_WANT("absorbed_attention", a, bq, ACT, SKV_DENSE, c));
    SKV_TRY(SKV_WANT("absorbed_attention", a, wo, 1u << be->weight, SKV_DENSE, c, c));
    SKV_TRY(skv_check__range("absorbed_attention", "rows", r, 1, SKV_ABSORBED_ROWS));
    SKV_TRY(
        skv_check__range("absorbed_attention", "rows at once", a->at_once, 1, SKV_ABSORBED_ROWS));
    SKV_TRY(skv_check__range("absorbed_attention", "the longest text", a->longest, 1, INT32_MAX));
    SKV_TRY(texts_fit("absorbed_attention", a->start, a->count, r, 0, a->kv.shape[0]));
    for (int64_t i = 0; i < r; i++)
        SKV_TRY(
            skv_check__range("absorbed_attention", "a row's count", a->count[i], 0, a->longest));
    SKV_TRY(SKV_WANT("absorbed_attention", a, scratch, SKV_IS_U8, SKV_DENSE, -1));
    bytes = (int64_t)skv_absorbed_bytes(be, a->at_once, l, a->longest, h, d);
    return skv_check__range("absorbed_attention", "scratch bytes", a->scratch.shape[0], bytes,
                            INT64_MAX);
}

skv_status skv_check__pool_attention(const skv_backend *be, const skv_pool_attention_args *a)
{
    const int64_t h = a->q.shape[0], d = a->q.shape[1];

    SKV_TRY(SKV_WANT("pool_attention", a, q, SKV_IS_F32, SKV_DENSE, -1, -1));
    SKV_TRY(SKV_WANT("pool_attention", a, kv, SKV_IS_F32, SKV_DENSE, -1, 2, h, d));
    SKV_TRY(SKV_WANT("pool_attention", a, o, SKV_IS_F32, SKV_DENSE, -1, h, d));
    SKV_TRY(skv_check__range("pool_attention", "the head dimension", d, 1, MAX_HEAD_DIM));
    return texts_fit("pool_attention", a->start, a->count, a->o.shape[0], 1, a->kv.shape[0]);
}

skv_status skv_check__check_finite(const skv_backend *be, const skv_check_finite_args *a)
{
    SKV_TRY(SKV_WANT("check_finite", a, x, SKV_IS_F32, SKV_DENSE, -1, -1));
    SKV_TRY(SKV_WANT("check_finite", a, fault, SKV_IS_I32, SKV_DENSE, -1));
    SKV_TRY(
        skv_check__range("check_finite", "the number of faults", a->fault.shape[0], 1, INT32_MAX));
    return texts_fit("check_finite", a->start, a->count, a->n_spans, 0, a->x.shape[0]);
}

skv_status skv_check__t5_attention(const skv_backend *be, const skv_t5_attention_args *a)
{
    const int64_t t = a->q.shape[0], h = a->q.shape[1], d = a->q.shape[2];

    SKV_TRY(SKV_WANT("t5_attention", a, q, ACTF, SKV_DENSE, -1, -1, -1));
    SKV_TRY(SKV_WANT("t5_attention", a, k, ACTF, SKV_DENSE, t, h, d));
    SKV_TRY(SKV_WANT("t5_attention", a, v, ACTF, SKV_DENSE, t, h, d));
    SKV_TRY(SKV_WANT("t5_attention", a, o, ACTF, SKV_DENSE, t, h, d));
    SKV_TRY(SKV_WANT("t5_attention", a, table, SKV_IS_F32, SKV_DENSE, -1, h));
    for (int p = 0; p < a->n_prompts; p++) {
        SKV_TRY(skv_check__range("t5_attention", "a prompt's start", a->start[p], 0, t - 1));
        SKV_TRY(skv_check__range("t5_attention", "a prompt's end", a->start[p + 1],
                                 (int64_t)a->start[p] + 1, t));
    }
    SKV_TRY(skv_check__range("t5_attention", "n_rel", a->n_rel, 0, INT32_MAX));
    for (int64_t i = 0; i < 2 * (int64_t)a->n_rel + 1; i++)
        SKV_TRY(skv_check__range("t5_attention", "a bucket", a->bucket_of[i], 0,
                                 a->table.shape[0] - 1));
    return SKV_OK;
}

/* --------------------------------------------------------------------------- VAE */

skv_status skv_check__conv3x3(const skv_backend *be, const skv_conv3x3_args *a)
{
    const skv_tensor *x = &a->x;
    const int64_t co = a->w.shape[0];

    SKV_TRY(SKV_WANT("conv3x3", a, x, ACT, SKV_DENSE, -1, -1, -1, -1));
    SKV_TRY(SKV_WANT("conv3x3", a, w, 1u << be->weight, SKV_DENSE, -1, 3, 3, x->shape[3]));
    SKV_TRY(SKV_WANT("conv3x3", a, b, SKV_IS_F32, SKV_DENSE, co));
    if (a->r.data) {
        SKV_TRY(pair(be, "conv3x3", &a->y, &a->r, ACT, ACT));
        if (a->r.data == a->y.data)
            return skv_fail(SKV_E_SHAPE, "conv3x3: r is y");
    }
    return SKV_WANT("conv3x3", a, y, ACTF, SKV_DENSE, x->shape[0], x->shape[1], x->shape[2], co);
}

skv_status skv_check__upsample_conv(const skv_backend *be, const skv_upsample_conv_args *a)
{
    const skv_tensor *x = &a->x;
    const int64_t co = a->w.shape[3];

    SKV_TRY(SKV_WANT("upsample_conv", a, x, ACT, SKV_DENSE, -1, -1, -1, -1));
    SKV_TRY(SKV_WANT("upsample_conv", a, w, 1u << be->weight, SKV_DENSE, x->shape[3], 4, 4, -1));
    SKV_TRY(SKV_WANT("upsample_conv", a, b, SKV_IS_F32, SKV_DENSE, co));
    return SKV_WANT("upsample_conv", a, y, ACT, SKV_DENSE, x->shape[0], 2 * x->shape[1],
                    2 * x->shape[2], co);
}

skv_status skv_check__group_norm_silu(const skv_backend *be, const skv_group_norm_silu_args *a)
{
    const int64_t c = a->x.shape[3];

    SKV_TRY(SKV_WANT("group_norm_silu", a, x, ACT, SKV_DENSE, -1, -1, -1, -1));
    SKV_TRY(pair(be, "group_norm_silu", &a->y, &a->x, ACT, ACT));
    SKV_TRY(SKV_WANT("group_norm_silu", a, w, SKV_IS_F32, SKV_DENSE, c));
    SKV_TRY(SKV_WANT("group_norm_silu", a, b, SKV_IS_F32, SKV_DENSE, c));
    SKV_TRY(skv_check__range("group_norm_silu", "the number of groups", a->groups, 1, c));
    if (c % a->groups != 0)
        return skv_fail(SKV_E_SHAPE, "group_norm_silu: %lld channels do not divide by %d groups",
                        (long long)c, a->groups);
    return SKV_OK;
}

skv_status skv_check__to_pixels(const skv_backend *be, const skv_to_pixels_args *a)
{
    const skv_tensor *x = &a->x;

    SKV_TRY(SKV_WANT("to_pixels", a, x, SKV_IS_F32, SKV_DENSE, -1, -1, -1, 3));
    if (a->fault.data)
        SKV_TRY(SKV_WANT("to_pixels", a, fault, SKV_IS_I32, SKV_DENSE, x->shape[0]));
    return SKV_WANT("to_pixels", a, y, SKV_IS_U8, SKV_DENSE, x->shape[0], x->shape[1], x->shape[2],
                    3);
}
