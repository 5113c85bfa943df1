/* Self attention: for each row, head and tile of queries, blocks of keys with a running maximum and
 * sum (online softmax); both products by OpenBLAS. */
#include "kernels/cpu/cpu_internal.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#define TILE_Q  128
#define TILE_K  512
#define MAX_DIM 256

typedef struct {
    const skv_attention_args *a;
    int64_t tiles; /* of queries */
} job;

typedef struct {
    float score[TILE_Q * TILE_K];
    float out[TILE_Q * MAX_DIM];
    float most[TILE_Q], sum[TILE_Q];
} workspace;

_Static_assert(sizeof(workspace) <= SKV_CPU_SCRATCH, "attention's tiles fit the scratch");

static float largest(const float *x, int64_t n)
{
    float lane[16], m;
    int64_t i = 0;

    for (int l = 0; l < 16; l++)
        lane[l] = -INFINITY;
    for (; i + 16 <= n; i += 16)
        for (int l = 0; l < 16; l++)
            lane[l] = x[i + l] > lane[l] ? x[i + l] : lane[l];
    m = lane[0];
    for (int l = 1; l < 16; l++)
        m = lane[l] > m ? lane[l] : m;
    for (; i < n; i++)
        m = x[i] > m ? x[i] : m;
    return m;
}

/* Sixteen sums, folded in a fixed order. */
static float total(const float *x, int64_t n)
{
    float lane[16] = {0}, s = 0;
    int64_t i = 0;

    for (; i + 16 <= n; i += 16)
        for (int l = 0; l < 16; l++)
            lane[l] += x[i + l];
    for (int l = 0; l < 16; l++)
        s += lane[l];
    for (; i < n; i++)
        s += x[i];
    return s;
}

/* score <- exp(score - new maximum); what was summed before shrinks by the change of the maximum.
 */
SKV_CLONES static void soften(workspace *ws, int64_t rows, int64_t keys, int64_t dim)
{
    for (int64_t r = 0; r < rows; r++) {
        float *s = ws->score + r * TILE_K, *o = ws->out + r * dim;
        const float most = fmaxf(ws->most[r], largest(s, keys));
        float shrink = ws->most[r] - most;

        skv_cpu__exp(&shrink, &shrink, 1);
        for (int64_t j = 0; j < keys; j++)
            s[j] -= most;
        skv_cpu__exp(s, s, keys);
        ws->sum[r] = ws->sum[r] * shrink + total(s, keys);
        if (shrink != 1.0f)
            for (int64_t d = 0; d < dim; d++)
                o[d] *= shrink;
        ws->most[r] = most;
    }
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const skv_attention_args *a = j->a;
    const int64_t tokens = a->q.shape[1], heads = a->q.shape[2], dim = a->q.shape[3];
    const int64_t first = i % j->tiles * TILE_Q, h = i / j->tiles % heads, r = i / j->tiles / heads;
    const int64_t rows = first + TILE_Q < tokens ? TILE_Q : tokens - first, len = a->len[h];
    const int64_t at = (r * tokens + first) * heads * dim + h * dim;
    const float *k = skv_f32(&a->k) + r * a->k.stride[0] + h * a->k.stride[1];
    const float *v = skv_f32(&a->v) + r * a->v.stride[0] + h * a->v.stride[1];
    workspace *ws = scratch;

    memset(ws->out, 0, (size_t)(rows * dim) * sizeof(float));
    for (int64_t q = 0; q < rows; q++) {
        ws->most[q] = -INFINITY;
        ws->sum[q] = 0;
    }
    for (int64_t key = 0; key < len; key += TILE_K) {
        const int64_t keys = key + TILE_K < len ? TILE_K : len - key;

        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)keys, (int)dim,
                    a->scale, skv_f32(&a->q) + at, (int)(heads * dim), k + key * dim, (int)dim,
                    0.0f, ws->score, TILE_K);
        soften(ws, rows, keys, dim);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)dim, (int)keys, 1.0f,
                    ws->score, TILE_K, v + key * dim, (int)dim, 1.0f, ws->out, (int)dim);
    }
    for (int64_t q = 0; q < rows; q++) {
        float *o = skv_f32(&a->o) + at + q * heads * dim;

        for (int64_t d = 0; d < dim; d++)
            o[d] = ws->out[q * dim + d] / ws->sum[q];
    }
}

skv_status skv_cpu_attention(skv_backend *be, const skv_attention_args *a)
{
    const int64_t rows = a->q.shape[0], tokens = a->q.shape[1], heads = a->q.shape[2];
    job j = {.a = a, .tiles = (tokens + TILE_Q - 1) / TILE_Q};

    skv_cpu__parallel(be, rows * heads * j.tiles, tile, &j);
    for (int64_t h = 0; h < heads; h++)
        be->flops += 4 * rows * tokens * a->len[h] * a->q.shape[3];
    return SKV_OK;
}
