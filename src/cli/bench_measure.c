#include "cli/bench_measure.h"

#include <stdlib.h>

#include "core/clock.h"
#include "io/formula.h"
#include "kernels/ops.h"
#include "sample/text_features.h"

#define GEMM_RUNS  5
#define FLOOR_RUNS 3
#define FILL_COUNT ((size_t)4 << 20) /* numbers */

/* ----------------------------------------------------------------- yardstick */

static skv_status best_product(double *seconds, skv_backend *be, const skv_linear_args *a)
{
    *seconds = 0;
    for (int i = 0; i < GEMM_RUNS; i++) {
        double one = 0;

        SKV_TRY(skv_backend_mark(be, 0));
        SKV_TRY(skv_linear(be, a));
        SKV_TRY(skv_backend_mark(be, 1));
        SKV_TRY(skv_backend_elapsed(be, 0, 1, &one));
        if (i == 0 || one < *seconds)
            *seconds = one;
    }
    return SKV_OK;
}

skv_status skv_bench_gemm(int *side, double *rate, skv_backend *be)
{
    const int64_t n = be->act == SKV_F32 ? 2048 : 8192;
    const size_t count = (size_t)(n * n), bytes = count * skv_dtype_bytes(be->act);
    const size_t packed = be->ops->packed_linear_bytes(be, n, n);
    void *x = NULL, *y = NULL, *w = NULL, *typed = NULL;
    skv_linear_args a = {0};
    float *host = NULL;
    double seconds = 0;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&host, count, sizeof *host, "GEMM operands"), done);
    SKV_TRY_GOTO(skv_alloc(&typed, bytes, 1, "GEMM operands"), done);
    skv_formula_uniform(host, "gemm", 0, n * n);
    skv_from_f32(typed, be->act, host, count);
    SKV_TRY_GOTO(skv_backend_alloc(be, &x, bytes, "GEMM operands"), done);
    SKV_TRY_GOTO(skv_backend_alloc(be, &y, bytes, "GEMM operands"), done);
    if (packed > 0)
        SKV_TRY_GOTO(skv_backend_alloc(be, &w, packed, "GEMM operands"), done);
    SKV_TRY_GOTO(skv_backend_upload(be, x, typed, bytes), done);
    SKV_TRY_GOTO(skv_pack_linear(be, &a.w, w, host, SKV_F32, n, n), done);
    a.y = SKV_TENSOR(y, be->act, be->device, n, n);
    a.x = SKV_TENSOR(x, be->act, be->device, n, n);
    SKV_TRY_GOTO(best_product(&seconds, be, &a), done);
    *side = (int)n;
    *rate = 2.0 * (double)n * (double)n * (double)n / seconds;
done:
    skv_backend_free(be, x);
    skv_backend_free(be, y);
    skv_backend_free(be, w);
    free(host);
    free(typed);
    return st;
}

/* --------------------------------------------------------------------- groups */

int skv_bench_tokens(const skv_ints *lengths, int prompt)
{
    return (int)lengths->value[prompt % lengths->n];
}

int skv_bench_all_tokens(const skv_ints *lengths, int n_prompts)
{
    int sum = 0;

    for (int i = 0; i < n_prompts; i++)
        sum += skv_bench_tokens(lengths, i);
    return sum;
}

/* Made-up texts, one after another; the seconds are those from features that are on the device. */
static skv_status fill_text(const skv_bench *b, double *seconds)
{
    const int n_prompts = b->setup->max_prompts;
    skv_text_span *spans = NULL;
    skv_status st;
    double start;
    int total = 0;

    SKV_TRY(skv_alloc(&spans, 2 * (size_t)n_prompts, sizeof *spans, "text"));
    for (int i = 0; i < n_prompts; i++) {
        const int n = skv_bench_tokens(b->text_tokens, i);

        spans[i] = (skv_text_span){.start = total, .n = n};
        spans[n_prompts + i] = (skv_text_span){.uncond = true, .n = n};
        total += n;
    }
    SKV_TRY_GOTO(skv_text_features(b->engine, b->be, NULL, total), done);
    SKV_TRY_GOTO(skv_backend_sync(b->be), done); /* T5 leaves them on the device */
    start = skv_seconds();
    SKV_TRY_GOTO(
        skv_engine_condition(b->engine, spans, b->setup->guided ? 2 * n_prompts : n_prompts), done);
    SKV_TRY_GOTO(skv_backend_sync(b->be), done);
    *seconds = skv_seconds() - start;
done:
    free(spans);
    return st;
}

static skv_status run_path(const skv_bench *b, skv_path_result *r)
{
    skv_seed seed[SKV_BENCH_MAX_BATCH];

    for (int i = 0; i < b->setup->max_prompts; i++)
        seed[i] = (skv_seed){.value = (uint64_t)i};
    r->image = b->image;
    return skv_engine_path(b->engine, b->setup->paths, b->setup->max_prompts, seed, NULL, r);
}

skv_status skv_bench_run(skv_bench_group *out, const skv_bench *b)
{
    const int64_t before = b->be->flops;
    skv_path_result r = {.scale_cost = out->scale};

    SKV_TRY(fill_text(b, &out->text));
    out->text_flops = b->be->flops - before;
    SKV_TRY(run_path(b, &r));
    out->transformer = r.transformer_seconds;
    out->vae = r.vae_seconds;
    out->vae_flops = r.vae_flops;
    out->transformer_flops = b->be->flops - before - out->text_flops - r.vae_flops;
    out->seconds = out->text + out->transformer + out->vae;
    out->pool_peak = r.pool_peak;
    return SKV_OK;
}

/* ---------------------------------------------------------------------- floor */

#define X(op)                                                                                      \
    static skv_status no_##op(skv_backend *be, const skv_##op##_args *a)                           \
    {                                                                                              \
        (void)be;                                                                                  \
        (void)a;                                                                                   \
        return SKV_OK;                                                                             \
    }
SKV_OPS(X)
#undef X

/* Copying a picture to the host is not part of the floor, but waiting for it ends the clock. */
static skv_status only_wait(skv_backend *be, void *dst, const void *src, size_t bytes)
{
    (void)dst;
    (void)src;
    (void)bytes;
    return skv_backend_sync(be);
}

/* First member: what be->ops points to meanwhile. Outputs go to a buffer of their own, so that
 * inputs keep the values they were filled with: fed with each other's outputs, without the norms
 * between, the operations would soon multiply rows that are all alike, which a GPU does faster. */
typedef struct {
    skv_ops ops;
    const skv_ops *all;
    void *junk; /* takes the outputs; NULL: only the size of the largest is determined */
    size_t largest;
} floor_run;

static floor_run *floor_of(const skv_backend *be)
{
    return (floor_run *)(uintptr_t)be->ops;
}

static bool aside(floor_run *f, skv_tensor *y)
{
    const size_t bytes = skv_tensor_bytes(y);

    f->largest = bytes > f->largest ? bytes : f->largest;
    *y = skv_tensor_view(f->junk, y->dtype, y->device, y->ndim, y->shape);
    return f->junk != NULL;
}

#define FLOOR_OP(op, out)                                                                          \
    static skv_status floor_##op(skv_backend *be, const skv_##op##_args *a)                        \
    {                                                                                              \
        skv_##op##_args b = *a;                                                                    \
                                                                                                   \
        return aside(floor_of(be), &b.out) ? floor_of(be)->all->op(be, &b) : SKV_OK;               \
    }
FLOOR_OP(linear, y)
FLOOR_OP(linear_gelu, y)
FLOOR_OP(attention, o)
FLOOR_OP(cross_attention, o)
FLOOR_OP(conv3x3, y)
FLOOR_OP(upsample_conv, y)

/* Its intermediate results would overwrite the values that other operations read. */
static skv_status floor_absorbed_attention(skv_backend *be, const skv_absorbed_attention_args *a)
{
    skv_absorbed_attention_args b = *a;
    floor_run *f = floor_of(be);
    const size_t y = skv_align_up(skv_tensor_bytes(&b.y)), all = y + skv_tensor_bytes(&b.scratch);

    f->largest = all > f->largest ? all : f->largest;
    if (!f->junk)
        return SKV_OK;
    b.y.data = f->junk;
    b.scratch.data = (char *)f->junk + y;
    return f->all->absorbed_attention(be, &b);
}

static void floor_init(floor_run *f, const skv_ops *all)
{
    *f = (floor_run){.ops = *all, .all = all};
#define X(op) f->ops.op = no_##op;
    SKV_OPS(X)
#undef X
    f->ops.linear = floor_linear;
    f->ops.linear_gelu = floor_linear_gelu;
    f->ops.attention = floor_attention;
    f->ops.cross_attention = floor_cross_attention;
    f->ops.absorbed_attention = floor_absorbed_attention;
    f->ops.conv3x3 = floor_conv3x3;
    f->ops.upsample_conv = floor_upsample_conv;
    f->ops.download = only_wait;
}

/* Fills the operands of the remaining operations with numbers of a plausible size: what was there
 * may be NaN in this type, and a GPU multiplies those at higher clocks. */
static skv_status fill_scratch(const skv_bench *b)
{
    const skv_arena *scratch = skv_engine_scratch(b->engine);
    const size_t element = skv_dtype_bytes(b->be->act);
    float *host = NULL;
    void *typed = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&host, FILL_COUNT, sizeof *host, "floor"), done);
    SKV_TRY_GOTO(skv_alloc(&typed, FILL_COUNT, element, "floor"), done);
    skv_formula_uniform(host, "floor", 0, FILL_COUNT);
    skv_from_f32(typed, b->be->act, host, FILL_COUNT);
    for (size_t at = 0; at < scratch->bytes; at += FILL_COUNT * element) {
        const size_t left = scratch->bytes - at, all = FILL_COUNT * element;

        SKV_TRY_GOTO(skv_backend_upload(b->be, scratch->base + at, typed, left < all ? left : all),
                     done);
    }
    st = skv_backend_sync(b->be);
done:
    free(host);
    free(typed);
    return st;
}

static skv_status measure_floor(skv_bench_floor *out, const skv_bench *b)
{
    for (int i = 0; i <= FLOOR_RUNS; i++) { /* the first one warms up */
        const int64_t before = b->be->flops;
        skv_path_result r = {0};

        SKV_TRY(fill_scratch(b));
        SKV_TRY(run_path(b, &r));
        out->flops = b->be->flops - before;
        if (i <= 1 || r.transformer_seconds < out->transformer)
            out->transformer = r.transformer_seconds;
        if (i <= 1 || r.vae_seconds < out->vae)
            out->vae = r.vae_seconds;
    }
    return SKV_OK;
}

skv_status skv_bench_run_floor(skv_bench_floor *out, const skv_bench *b)
{
    skv_path_result r = {0};
    floor_run f;
    skv_status st;

    floor_init(&f, b->be->ops);
    b->be->ops = &f.ops;
    SKV_TRY_GOTO(run_path(b, &r), done);
    SKV_TRY_GOTO(f.all->alloc(b->be, &f.junk, f.largest, "outputs of the floor"), done);
    st = measure_floor(out, b);
done:
    b->be->ops = f.all;
    skv_backend_free(b->be, f.junk);
    return st;
}
