/* linear, linear_gelu: sizes around the tiles, no bias, weights of every file type. */
#include "opcheck.h"

#include <math.h>

#include "ref/ref.h"

typedef struct {
    int64_t m, n, k;
    skv_dtype file; /* of the weights */
    bool bias;
} shape;

static const shape shapes[] = {
    {1, 1, 1, SKV_F32, true},      {1, 5, 3, SKV_F32, false},     {7, 33, 17, SKV_F16, true},
    {64, 64, 64, SKV_BF16, true},  {65, 129, 100, SKV_F32, true}, {300, 70, 257, SKV_BF16, false},
    {3, 1030, 512, SKV_F32, true}, {520, 48, 64, SKV_F16, true},
};

/* Weights as in a file of that type, packed; *w is set to their values. */
static skv_tensor pack(opcheck *t, const shape *s, float **w)
{
    const int64_t n = s->n * s->k;
    const size_t packed = t->be->ops->packed_linear_bytes(t->be, s->n, s->k);
    const int64_t bytes = packed > 0 ? (int64_t)packed : n * 4;
    uint8_t *file = opcheck_u8s(t, n * 4);
    skv_tensor room = {0}, out = {0};

    *w = opcheck_normal(t, n, 1 / sqrtf((float)s->k));
    skv_from_f32(file, s->file, *w, (size_t)n);
    skv_to_f32(*w, file, s->file, (size_t)n);
    if (packed > 0 || s->file != SKV_F32)
        room = OPCHECK_RAW(t, SKV_U8, opcheck_u8s(t, bytes), bytes);
    opcheck_succeeded(t, skv_pack_linear(t->be, &out, room.data, file, s->file, s->n, s->k));
    /* what the backend's own type makes of them */
    if (t->be->weight != SKV_F32) {
        skv_from_f32(file, t->be->weight, *w, (size_t)n);
        skv_to_f32(*w, file, t->be->weight, (size_t)n);
    }
    return out;
}

/* The errors of K rounded sums grow as sqrt(K) when their signs are random; 4 times that, and the
 * roundings at the end. GELU's slope is below 1.13, its own error as in gated_gelu. */
static double tolerance_of(const shape *s)
{
    return (4 + 4 * sqrt((double)s->k)) * OPCHECK_UNIT;
}

/* x of another type than the weights' is rounded to theirs. */
static void as_product_sees(opcheck *t, float *x, int64_t n, skv_dtype x_type)
{
    void *rounded = opcheck_u8s(t, 4 * n);

    if (t->be->weight == x_type)
        return;
    skv_from_f32(rounded, t->be->weight, x, (size_t)n);
    skv_to_f32(x, rounded, t->be->weight, (size_t)n);
}

static void linear_case(opcheck *t, const shape *s, bool gelu, skv_dtype x_type, skv_dtype y_type)
{
    float *x, *w, *b = NULL;
    double *want, *size;
    skv_linear_args a = {0};

    opcheck_case(t, "(%lld,%lld)x(%lld,%lld) %s%s, %s to %s", (long long)s->m, (long long)s->k,
                 (long long)s->n, (long long)s->k, skv_dtype_name(s->file), s->bias ? " bias" : "",
                 skv_dtype_name(x_type), skv_dtype_name(y_type));
    x = opcheck_normal(t, s->m * s->k, 1);
    a.x = OPCHECK_F(t, x_type, x, s->m, s->k);
    as_product_sees(t, x, s->m * s->k, x_type);
    a.w = pack(t, s, &w);
    if (s->bias) {
        b = opcheck_normal(t, s->n, 1);
        a.b = OPCHECK_F(t, y_type, b, s->n);
    }
    a.y = OPCHECK_F(t, y_type, opcheck_unset(t, s->m * s->n), s->m, s->n);
    OPCHECK_RUN(t, gelu ? skv_linear_gelu(t->be, &a) : skv_linear(t->be, &a));
    if (t->perf)
        return;
    want = opcheck_doubles(t, s->m * s->n);
    size = opcheck_doubles(t, s->m * s->n);
    ref_linear(&(ref_linear_args){
        .y = want, .size = size, .x = x, .w = w, .b = b, .m = s->m, .n = s->n, .k = s->k});
    for (int64_t i = 0; gelu && i < s->m * s->n; i++) {
        size[i] = 1.13 * size[i] + 2;
        want[i] = ref_gelu(want[i]);
    }
    /* at odd sizes cuBLASLt rounds the product to y's type before it adds the bias */
    opcheck_near(t, "y", &a.y, want, size,
                 tolerance_of(s) + (y_type == SKV_F32 ? OPCHECK_FUNCTION(t) : OPCHECK_INSIDE(t)));
}

static const shape batched[] = {
    {9, 16, 64, SKV_F32, true}, {7, 5, 9, SKV_F32, false}, {300, 64, 128, SKV_BF16, true}};

/* The first and the last rows of (m,n). */
static skv_tensor both_ends(const skv_tensor *all, int64_t rows)
{
    skv_tensor ends = SKV_TENSOR(all->data, all->dtype, all->device, 2, rows, all->shape[1]);

    ends.stride[0] = (all->shape[0] - rows) * all->shape[1];
    return ends;
}

/* Two products in one, of the first and the last rows of x; y between them is left alone. */
static void batch_case(opcheck *t, const shape *s, int64_t rows, skv_dtype x_type)
{
    const int64_t outputs = s->m * s->n;
    float *x, *y, *w, *b = NULL;
    double *want, *size;
    skv_linear_args a = {0};
    skv_tensor all_x, all_y;

    opcheck_case(t, "2 of (%lld,%lld)x(%lld,%lld) in %lld rows%s, %s", (long long)rows,
                 (long long)s->k, (long long)s->n, (long long)s->k, (long long)s->m,
                 s->bias ? " bias" : "", skv_dtype_name(x_type));
    x = opcheck_normal(t, s->m * s->k, 1);
    all_x = OPCHECK_F(t, x_type, x, s->m, s->k);
    as_product_sees(t, x, s->m * s->k, x_type);
    y = opcheck_floats(t, outputs);
    for (int64_t i = 0; i < outputs; i++)
        y[i] = OPCHECK_KEPT;
    all_y = OPCHECK_F(t, t->be->act, y, s->m, s->n);
    a.x = both_ends(&all_x, rows);
    a.y = both_ends(&all_y, rows);
    a.w = pack(t, s, &w);
    if (s->bias) {
        b = opcheck_normal(t, s->n, 1);
        a.b = OPCHECK_F(t, t->be->act, b, s->n);
    }
    OPCHECK_RUN(t, skv_linear(t->be, &a));
    want = opcheck_doubles(t, outputs);
    size = opcheck_doubles(t, outputs);
    ref_linear(&(ref_linear_args){
        .y = want, .size = size, .x = x, .w = w, .b = b, .m = s->m, .n = s->n, .k = s->k});
    for (int64_t i = rows * s->n; i < (s->m - rows) * s->n; i++)
        want[i] = (double)OPCHECK_KEPT;
    opcheck_near(t, "y", &all_y, want, size, tolerance_of(s) + OPCHECK_INSIDE(t));
}

static void check(opcheck *t, bool gelu)
{
    const shape large = {4096, 2048, 2048, SKV_F32, true};
    skv_linear_args a = {0};
    float *w;

    if (t->perf) {
        linear_case(t, &large, gelu, t->be->act, t->be->act);
        return;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        linear_case(t, &shapes[i], gelu, t->be->act, SKV_F32);
    for (size_t i = 0; t->be->act != SKV_F32 && i < sizeof shapes / sizeof *shapes; i++)
        linear_case(t, &shapes[i], gelu, i % 2 ? t->be->act : SKV_F32, t->be->act);
    for (size_t i = 0; !gelu && i < sizeof batched / sizeof *batched; i++) {
        batch_case(t, &batched[i], 3, t->be->act);
        batch_case(t, &batched[i], 2, SKV_F32);
    }
    opcheck_case(t, "refusals");
    a.w = pack(t, &(shape){.n = 3, .k = 4, .file = SKV_F32}, &w);
    a.x = OPCHECK_F(t, t->be->act, opcheck_unset(t, 10), 2, 5);
    a.y = OPCHECK_F(t, t->be->act, opcheck_unset(t, 6), 2, 3);
    opcheck_refused(t, "x wider than w", gelu ? skv_linear_gelu(t->be, &a) : skv_linear(t->be, &a));
    a.x = OPCHECK_F(t, t->be->act, opcheck_unset(t, 8), 2, 4);
    a.b = OPCHECK_F(t, t->be->act, opcheck_unset(t, 4), 4);
    opcheck_refused(t, "bias longer than y",
                    gelu ? skv_linear_gelu(t->be, &a) : skv_linear(t->be, &a));
}

void check_linear(opcheck *t)
{
    check(t, false);
}

void check_linear_gelu(opcheck *t)
{
    check(t, true);
}
