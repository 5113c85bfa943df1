/* Cross attention with the text taken through the projections: keys and values by row and head,
 * then tiles of a map, whose scores stay in a thread's scratch. Nothing is computed for padding. */
#include "kernels/absorbed.h"
#include "kernels/cpu/cpu_internal.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#define TILE      64
#define MAX_HEADS 64

/* A row of the batch at hand, and where its text lies in the scratch. */
typedef struct {
    int64_t row, text;
} place;

typedef struct {
    const skv_absorbed_attention_args *a;
    skv_absorbed_layout at;
    int64_t heads, dim, width, tiles;
    place rows[SKV_ABSORBED_ROWS];
    int n_rows;
} job;

/* `size` numbers a text token of row r of the batch. */
static float *inside(const job *j, size_t offset, const place *r, int64_t size)
{
    return (float *)(void *)((char *)j->a->scratch.data + offset) + r->text * size;
}

/* One head of one text: keys = k·Wq_h, bias = k·b_q, values = v·Wo_hᵀ. */
static void absorb(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const skv_absorbed_attention_args *a = j->a;
    const place *r = &j->rows[i / j->heads];
    const int64_t h = i % j->heads, c = j->width;
    const int count = a->count[r->row], dim = (int)j->dim, width = (int)c, step = 2 * width;
    const float *k = skv_f32(&a->kv) + a->start[r->row] * 2 * c + h * j->dim, *v = k + c;
    float *bias = inside(j, j->at.bias, r, j->heads) + h;
    float *keys = inside(j, j->at.keys, r, j->heads * c) + h * c;
    float *values = inside(j, j->at.values, r, j->heads * c) + h * c;
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
    const place *r = &j->rows[i / j->tiles];
    const int64_t tokens = a->x.shape[1], first = i % j->tiles * TILE, c = j->width;
    const int64_t rows = first + TILE < tokens ? TILE : tokens - first;
    const int64_t n = a->count[r->row] * j->heads, map = (r->row * tokens + first) * c;
    const float *bias = inside(j, j->at.bias, r, j->heads);
    const float *x = skv_f32(&a->x) + map;
    float *y = skv_f32(&a->y) + map, *s = scratch;

    for (int64_t l = 0; l < rows; l++)
        memcpy(s + l * n, bias, (size_t)n * sizeof *s);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)n, (int)c, 1.0f, x, (int)c,
                inside(j, j->at.keys, r, j->heads * c), (int)c, 1.0f, s, (int)n);
    for (int64_t l = 0; l < rows; l++)
        soften(s + l * n, a->count[r->row], j->heads, a->scale);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)c, (int)n, 1.0f, s,
                (int)n, inside(j, j->at.values, r, j->heads * c), (int)c, 0.0f, y, (int)c);
}

/* The rows of a batch's runs; false: none is left. */
static bool next_batch(job *j, bool *served)
{
    skv_absorbed_run runs[SKV_ABSORBED_ROWS];
    int64_t text;
    const int n = skv_absorbed__runs(runs, served, &text, j->a, &j->at);

    j->n_rows = 0;
    for (int k = 0; k < n; k++)
        for (int i = 0; i < runs[k].n; i++)
            j->rows[j->n_rows++] =
                (place){runs[k].first + i * runs[k].apart, runs[k].at + i * runs[k].text};
    return n > 0;
}

skv_status skv_cpu_absorbed_attention(skv_backend *be, const skv_absorbed_attention_args *a)
{
    const int64_t tokens = a->x.shape[1], heads = a->kv.shape[2], c = a->x.shape[2];
    bool served[SKV_ABSORBED_ROWS] = {false};
    job j = {.a = a,
             .at = skv_absorbed__layout(be, a),
             .heads = heads,
             .dim = a->kv.shape[3],
             .width = c,
             .tiles = (tokens + TILE - 1) / TILE};

    if (heads > MAX_HEADS || (size_t)(a->longest * heads * TILE) * sizeof(float) > SKV_CPU_SCRATCH)
        return skv_fail(SKV_E_UNSUPPORTED,
                        "absorbed_attention: %d text tokens of %lld heads are too many", a->longest,
                        (long long)heads);
    for (int64_t r = 0; r < a->x.shape[0]; r++)
        be->flops += 4 * a->count[r] * heads * c * (tokens + j.dim);
    while (next_batch(&j, served)) {
        skv_cpu__parallel(be, j.n_rows * heads, absorb, &j);
        skv_cpu__parallel(be, j.n_rows * j.tiles, attend, &j);
    }
    return SKV_OK;
}
