/* After the QKV product: biases, unit queries and keys, rotation, and the store into the cache.
 *
 * Heads have their own place in the cache: token l of head h goes to base[h] + l. Window tokens'
 * queries are copied before any bias or norm. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/cpu/tiles.h"

#include <math.h>
#include <string.h>

#define TILE_TOKENS 8

typedef struct {
    const skv_qkv_rope_args *a;
    int64_t tiles; /* of a row */
} job;

/* max(‖t‖, 1e-12) */
static inline float norm_of(const float *t, int64_t n)
{
    double lane[4] = {0}, sum;
    int64_t i = 0;

    for (; i + 4 <= n; i += 4)
        for (int l = 0; l < 4; l++)
            lane[l] += (double)t[i + l] * (double)t[i + l];
    for (; i < n; i++)
        lane[0] += (double)t[i] * (double)t[i];
    sum = (lane[0] + lane[2]) + (lane[1] + lane[3]);
    return (float)fmax(sqrt(sum), 1e-12);
}

/* Rotates t / length · scale by the angles of a table row (cos, sin) per pair. */
static inline void rotate(float *y, const float *t, const float *angle, int64_t n, float length,
                          float scale)
{
    for (int64_t i = 0; i < n; i += 2) {
        const float a = t[i] / length * scale, b = t[i + 1] / length * scale;

        y[i] = a * angle[i] - b * angle[i + 1];
        y[i + 1] = a * angle[i + 1] + b * angle[i];
    }
}

/* One head of one token. `bias_q`, `angle` are its own; y_* its places. q may not overlap src. */
typedef struct {
    float *q, *k, *v;
    const float *src, *bias_q, *bias_v, *angle;
    float scale;
} head;

/* src: this head of the query; its key and value follow `width` and 2·width later. */
SKV_CLONES static void one_head(const head *h, int64_t width, int64_t dim)
{
    const float *k = h->src + width, *v = h->src + 2 * width;

    for (int64_t d = 0; d < dim; d++) {
        h->q[d] = h->src[d] + h->bias_q[d];
        h->v[d] = v[d] + h->bias_v[d];
    }
    rotate(h->q, h->q, h->angle, dim, norm_of(h->q, dim), h->scale);
    rotate(h->k, k, h->angle, dim, norm_of(k, dim), 1.0f);
}

static void tile(void *ctx, int64_t i, void *scratch)
{
    const job *j = ctx;
    const skv_qkv_rope_args *a = j->a;
    const int64_t tokens = a->q.shape[1], heads = a->q.shape[2], dim = a->q.shape[3];
    const int64_t width = heads * dim, r = i / j->tiles, first = i % j->tiles * TILE_TOKENS;
    const int64_t end = first + skv_cpu__tile_length(i % j->tiles, tokens, TILE_TOKENS);
    float *k = skv_f32(&a->k) + r * a->k.stride[0], *v = skv_f32(&a->v) + r * a->v.stride[0];

    (void)scratch;
    for (int64_t l = first; l < end; l++)
        for (int64_t h = 0; h < heads; h++)
            one_head(&(head){.q = skv_f32(&a->q) + (r * tokens + l) * width + h * dim,
                             .k = k + h * a->k.stride[1] + (a->base[h] + l) * dim,
                             .v = v + h * a->v.stride[1] + (a->base[h] + l) * dim,
                             .src = skv_f32(&a->qkv) + (r * tokens + l) * 3 * width + h * dim,
                             .bias_q = skv_f32(&a->q_bias) + h * dim,
                             .bias_v = skv_f32(&a->v_bias) + h * dim,
                             .angle = skv_f32(&a->rope) + l * dim,
                             .scale = skv_f32(&a->scale)[h]},
                     width, dim);
}

static void copy_window(const skv_qkv_rope_args *a)
{
    const int64_t rows = a->q.shape[0], tokens = a->q.shape[1];
    const int64_t width = a->q.shape[2] * a->q.shape[3];

    for (int64_t r = 0; r < rows; r++)
        for (int64_t w = 0; w < a->n_window; w++)
            memcpy(skv_f32(&a->q_raw) + (r * a->n_window + w) * width,
                   skv_f32(&a->qkv) + (r * tokens + a->window[w]) * 3 * width,
                   (size_t)width * sizeof(float));
}

skv_status skv_cpu_qkv_rope(skv_backend *be, const skv_qkv_rope_args *a)
{
    job j = {.a = a, .tiles = skv_cpu__tiles(a->q.shape[1], TILE_TOKENS)};

    copy_window(a);
    skv_cpu__parallel(be, a->q.shape[0] * j.tiles, tile, &j);
    return SKV_OK;
}
