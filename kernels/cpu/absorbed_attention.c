/* Cross attention with the text taken through the projections: keys and values by row and head,
 * then tiles of a map, whose scores stay in a thread's scratch. Texts are not padded here. */
#include "kernels/absorbed.h"
#include "kernels/cpu/cpu_internal.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#define TILE      64
#define MAX_HEADS 64

typedef struct {
    const skv_absorbed_attention_args *a;
    skv_absorbed_layout at;
    int64_t heads, dim, width, tiles;
} job;

static float *place(const job *j, size_t offset, int64_t row, int64_t size)
{
    return (float *)(void *)((char *)j->a->scratch.data + offset) + row * size;
}

/* One head of one text: keys = k·Wq_h, bias = k·b_q, values = v·Wo_hᵀ. */
static void absorb(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const skv_absorbed_attention_args *a = j->a;
    const int64_t h = i % j->heads, r = i / j->heads, n = j->at.text * j->heads, c = j->width;
    const int count = a->count[r], dim = (int)j->dim, width = (int)c, step = 2 * width;
    const float *k = skv_f32(&a->kv) + a->start[r] * 2 * c + h * j->dim, *v = k + c;
    float *bias = place(j, j->at.bias, r, n) + h;
    float *keys = place(j, j->at.keys, r, n * c) + h * c;
    float *values = place(j, j->at.values, r, n * c) + h * c;
    const int apart = (int)(j->heads * c);

    (void)scratch;
    cblas_sgemv(CblasRowMajor, CblasNoTrans, count, dim, 1.0f, k, step, skv_f32(&a->bq) + h * dim,
                1, 0.0f, bias, (int)j->heads);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, count, width, dim, 1.0f, k, step,
                skv_f32(&a->wq) + h * dim * c, width, 0.0f, keys, apart);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, count, width, dim, 1.0f, v, step,
                skv_f32(&a->wo) + h * dim, width, 0.0f, values, apart);
}

/* s (T,H), in place: softmax over t, head by head. */
SKV_CLONES static void soften(float *s, int64_t text, int64_t heads, float scale)
{
    float most[MAX_HEADS], sum[MAX_HEADS];

    for (int64_t h = 0; h < heads; h++) {
        most[h] = -INFINITY;
        sum[h] = 0;
    }
    for (int64_t t = 0; t < text; t++)
        for (int64_t h = 0; h < heads; h++)
            most[h] = s[t * heads + h] > most[h] ? s[t * heads + h] : most[h];
    for (int64_t t = 0; t < text; t++)
        for (int64_t h = 0; h < heads; h++)
            s[t * heads + h] = (s[t * heads + h] - most[h]) * scale;
    skv_cpu__exp(s, s, text * heads);
    for (int64_t t = 0; t < text; t++)
        for (int64_t h = 0; h < heads; h++)
            sum[h] += s[t * heads + h];
    for (int64_t t = 0; t < text; t++)
        for (int64_t h = 0; h < heads; h++)
            s[t * heads + h] /= sum[h];
}

static void attend(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const skv_absorbed_attention_args *a = j->a;
    const int64_t tokens = a->x.shape[1], first = i % j->tiles * TILE, r = i / j->tiles;
    const int64_t padded = j->at.text * j->heads, n = a->count[r] * j->heads, c = j->width;
    const int64_t rows = first + TILE < tokens ? TILE : tokens - first;
    const float *bias = place(j, j->at.bias, r, padded), *bo = skv_f32(&a->bo);
    const float *x = skv_f32(&a->x) + r * a->x.stride[0] + first * c;
    float *y = skv_f32(&a->y) + r * a->y.stride[0] + first * c, *s = scratch;

    for (int64_t l = 0; l < rows; l++)
        memcpy(s + l * n, bias, (size_t)n * sizeof *s);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)n, (int)c, 1.0f, x, (int)c,
                place(j, j->at.keys, r, padded * c), (int)c, 1.0f, s, (int)n);
    for (int64_t l = 0; l < rows; l++) {
        soften(s + l * n, a->count[r], j->heads, a->scale);
        memcpy(y + l * c, bo, (size_t)c * sizeof *y);
    }
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)c, (int)n, 1.0f, s,
                (int)n, place(j, j->at.values, r, padded * c), (int)c, 1.0f, y, (int)c);
}

skv_status skv_cpu_absorbed_attention(skv_backend *be, const skv_absorbed_attention_args *a)
{
    const int64_t rows = a->x.shape[0], tokens = a->x.shape[1], heads = a->kv.shape[2];
    const int64_t longest = skv_absorbed__longest(a), c = a->x.shape[2];
    job j = {.a = a,
             .at = skv_absorbed__layout(be, rows, tokens, longest, heads, a->kv.shape[3]),
             .heads = heads,
             .dim = a->kv.shape[3],
             .width = c,
             .tiles = (tokens + TILE - 1) / TILE};

    if (heads > MAX_HEADS || (size_t)(longest * heads * TILE) * sizeof(float) > SKV_CPU_SCRATCH)
        return skv_fail(SKV_E_UNSUPPORTED,
                        "absorbed_attention: %lld text tokens of %lld heads are too many",
                        (long long)longest, (long long)heads);
    for (int64_t r = 0; r < rows; r++)
        be->flops += 4 * a->count[r] * heads * c * (tokens + j.dim);
    skv_cpu__parallel(be, rows * heads, absorb, &j);
    skv_cpu__parallel(be, rows * j.tiles, attend, &j);
    return SKV_OK;
}
