/* Tolerances: of the tiny recordings five times what correct fp32 implementations reach, of the
 * full-size ones the reference's own bf16 error (src/sample/README.md, Recordings). */
#include "cli/verify_compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"

#define TOL_LOGITS  2e-4  /* seen 4e-5 */
#define TOL_NMSE    1e-11 /* seen 2.1e-12 */
#define TOL_BLOCK0  2e-5  /* seen 2.4e-6 */
#define TOL_Z       1e-5  /* seen 1.2e-6 */
#define TOL_DECODED 1e-4  /* seen 2.0e-5 */
#define TOL_RGB     1e-3  /* share of bytes off by one; seen 2e-4 */
#define TOL_TIE     2e-5  /* a kept position may differ if its score lies this near the cut */
/* bf16 against tiny recordings: see report_rounded */
#define ROUNDED_NMSE    1e-3
#define ROUNDED_AGREE   0.98
#define ROUNDED_DECODED 0.02
#define ROUNDED_OVERLAP 0.9
#define ROUNDED_DRAWN   0.97
/* a cache in codes, tiny recordings: see report_codes */
#define CODES_NMSE  2e-3  /* seen 4.4e-4 */
#define CODES_AGREE 0.98  /* seen 0.994 */
#define DRAWN_SHARE 0.995 /* of the full-size form's bits in bf16, recorded ones fed back */
#define POOL_KERNEL 5     /* of the recordings' ScaleKV */
#define KEPT_HEADS  2     /* full-size form: heads 0 and 5 of the conditional row */

static const int kept_head[KEPT_HEADS] = {0, 5};

static void add(skv_error *e, double a, double b)
{
    const double d = a - b;

    if (!(fabs(d) <= e->largest)) /* NaN counts as the largest */
        e->largest = isnan(d) ? INFINITY : fabs(d);
    e->sum += d * d;
    e->ref += b * b;
    e->n++;
}

static double nmse(const skv_error *e)
{
    return e->ref > 0 ? e->sum / e->ref : e->sum;
}

/* ---------------------------------------------------------------------- probe */

static skv_status fetch(const skv_comparison *c, float **out, const skv_tensor *t)
{
    SKV_TRY(skv_alloc(out, (size_t)skv_tensor_count(t), sizeof **out, "comparison"));
    return skv_backend_download(c->be, *out, t->data, skv_tensor_bytes(t));
}

static skv_status on_block(void *ctx, int si, int layer, const skv_tensor *x)
{
    skv_comparison *c = ctx;
    const skv_recorded_scale *s = &c->recording->scale[si];
    float *host = NULL;
    skv_status st;

    if (layer != 0 || !s->block0)
        return SKV_OK;
    st = fetch(c, &host, x);
    for (int64_t i = 0; st == SKV_OK && i < skv_tensor_count(x); i++)
        add(&c->block0, (double)host[i], (double)s->block0[i]);
    free(host);
    return st;
}

/* Compares the bits as drawn, and leaves those that the next scale is to see. */
static skv_status settle_bits(skv_comparison *c, int si, skv_tensor *bits, const float *guided)
{
    const skv_recorded_scale *s = &c->recording->scale[si];
    const size_t n = (size_t)(s->tokens * s->bits);
    const skv_draws *of = &c->drawn.of;
    uint8_t *drawn = NULL;
    bool changed = false;
    skv_status st;

    if (of->wanted) {
        SKV_TRY(skv_alloc(&drawn, n, 1, "comparison"));
        st = skv_backend_download(c->be, drawn, bits->data, n);
        if (st == SKV_OK)
            skv_drawn_add(&c->drawn, &changed, c->recording, si, drawn, guided);
        if (st == SKV_OK && changed && of->free_run && !c->adrift)
            st = skv_backend_upload(c->be, bits->data, drawn, n);
        free(drawn);
        SKV_TRY(st);
    }
    return of->free_run ? SKV_OK : skv_backend_upload(c->be, bits->data, s->bit, n);
}

static skv_status on_logits(void *ctx, int si, const skv_tensor *guided, skv_tensor *bits)
{
    skv_comparison *c = ctx;
    const skv_recorded_scale *s = &c->recording->scale[si];
    const float *want = c->scalekv && s->logits_scalekv ? s->logits_scalekv : s->logits;
    float *host = NULL;
    skv_status st;

    if (s->bits != bits->shape[2])
        return skv_fail(SKV_E_SHAPE, "the recording has %lld bits a token, the model %lld",
                        (long long)s->bits, (long long)bits->shape[2]);
    st = fetch(c, &host, guided);
    for (int64_t i = 0; st == SKV_OK && i < s->n_logits; i++) {
        const float *row = host + 2 * s->bits * (s->token ? s->token[i] : i);

        for (int64_t b = 0; b < 2 * s->bits; b++)
            add(&c->logits[si], (double)row[b], (double)want[2 * s->bits * i + b]);
        for (int64_t b = 0; b < s->bits; b++) {
            const float *w = want + 2 * (s->bits * i + b);

            c->bits_same[si] += (row[2 * b + 1] > row[2 * b]) == (w[1] > w[0]);
            c->bits_all[si]++;
        }
    }
    if (st == SKV_OK)
        st = settle_bits(c, si, bits, host);
    free(host);
    skv_debug("scale %d: logits' NMSE %.3g", si, nmse(&c->logits[si]));
    return st;
}

/* Recorded sets go back in, as the bits do: then one near-tie does not spoil the scales that
 * follow. */
static skv_status on_forced(void *ctx, int si, int layer, skv_tensor *forced)
{
    skv_comparison *c = ctx;
    const skv_recorded_scale *s = &c->recording->scale[si];
    const int64_t *shape = s->kept_shape[layer];
    size_t bytes;

    if (!s->kept[layer] || c->recording->full_size || c->adrift)
        return SKV_OK;
    bytes = (size_t)(shape[0] * shape[1] * shape[2]) * sizeof(int32_t);
    if (bytes > c->forced_bytes) {
        skv_backend_free(c->be, c->forced_memory);
        c->forced_memory = NULL;
        SKV_TRY(skv_backend_alloc(c->be, &c->forced_memory, bytes, "recorded positions"));
        c->forced_bytes = bytes;
    }
    SKV_TRY(skv_backend_upload(c->be, c->forced_memory, s->kept[layer], bytes));
    *forced = SKV_TENSOR(c->forced_memory, SKV_I32, c->be->device, shape[0], shape[1] * shape[2]);
    return SKV_OK;
}

/* ScaleKV's pooled scores of one row and head, in double, from the very keys and queries. */
static void pooled_scores(double *pooled, const skv_cut *cut, const float *q, const float *k,
                          int len, int head_dim, const bool *window)
{
    const int half = POOL_KERNEL / 2;
    double *s = pooled + len;

    for (int j = 0; j < len; j++) {
        s[j] = 0;
        for (int w = 0; w < cut->n_window; w++)
            for (int d = 0; d < head_dim; d++)
                s[j] += (double)q[w * (int)cut->q_raw.stride[1] + d] *
                        (double)k[(size_t)j * (size_t)head_dim + (size_t)d];
        s[j] = window[j] ? -INFINITY : s[j] / sqrt((double)head_dim);
    }
    for (int j = 0; j < len; j++) {
        pooled[j] = -INFINITY;
        for (int i = j - half; i <= j + half; i++)
            if (i >= 0 && i < len && s[i] > pooled[j])
                pooled[j] = s[i];
    }
}

static bool contains(const int32_t *set, int n, int value)
{
    int low = 0, high = n;

    while (low < high) {
        const int mid = (low + high) / 2;

        if (set[mid] < value)
            low = mid + 1;
        else
            high = mid;
    }
    return low < n && set[low] == value;
}

/* Positions in only one of the two sets must score within TOL_TIE of the cut (the least score
 * kept). Unsorted or repeated recorded positions make a bad set. */
static skv_status judge_difference(skv_comparison *c, const skv_cut *cut, int row, int head,
                                   const int32_t *ours, const int32_t *theirs, int n)
{
    const int len = cut->len[head], dim = (int)cut->k.shape[3];
    const int base = len - skv_schedule_tokens(&c->recording->schedule, cut->si);
    const size_t k_at = (size_t)(row * cut->k.stride[0] + head * cut->k.stride[1]);
    const size_t q_at = (size_t)(row * cut->q_raw.stride[0] + head * cut->q_raw.stride[2]);
    const size_t k_bytes = (size_t)len * (size_t)dim * sizeof(float);
    const size_t q_count = (size_t)(cut->n_window * cut->q_raw.stride[1]);
    double *pooled = NULL, least = INFINITY;
    float *k = NULL, *q = NULL;
    bool *window = NULL, near = true;
    skv_status st;

    if (!cut->q_raw.data || cut->k.dtype != SKV_F32) { /* rounded keys: the overlap is judged */
        c->sets_bad++;
        return SKV_OK;
    }
    SKV_TRY_GOTO(skv_alloc(&k, 1, k_bytes, "keys"), done);
    SKV_TRY_GOTO(skv_alloc(&q, q_count, sizeof *q, "queries"), done);
    SKV_TRY_GOTO(skv_alloc(&pooled, 2 * (size_t)len, sizeof *pooled, "scores"), done);
    SKV_TRY_GOTO(skv_alloc(&window, (size_t)len, sizeof *window, "window"), done);
    SKV_TRY_GOTO(skv_backend_download(c->be, k, (const float *)cut->k.data + k_at, k_bytes), done);
    SKV_TRY_GOTO(
        skv_backend_download(
            c->be, q, (const float *)cut->q_raw.data + q_at,
            ((size_t)(cut->n_window - 1) * (size_t)cut->q_raw.stride[1] + (size_t)dim) * sizeof *q),
        done);
    for (int w = 0; w < cut->n_window; w++)
        window[base + cut->window[w]] = true;
    pooled_scores(pooled, cut, q, k, len, dim, window);
    for (int i = 0; i < n; i++)
        if (!window[ours[i]] && pooled[ours[i]] < least)
            least = pooled[ours[i]];
    for (int i = 0; i < n; i++) {
        const bool valid =
            theirs[i] >= 0 && theirs[i] < len && (i == 0 || theirs[i] > theirs[i - 1]);

        near = near && valid &&
               (contains(theirs, n, ours[i]) || fabs(pooled[ours[i]] - least) <= TOL_TIE) &&
               (contains(ours, n, theirs[i]) || fabs(pooled[theirs[i]] - least) <= TOL_TIE);
    }
    c->sets_near += near;
    c->sets_bad += !near;
done:
    free(k);
    free(q);
    free(pooled);
    free(window);
    return st;
}

/* The share of our positions that the recording kept too. */
static void note_overlap(skv_comparison *c, const int32_t *ours, int n, const int32_t *theirs,
                         int64_t n_theirs)
{
    double share = 0;

    for (int j = 0; n == n_theirs && j < n; j++)
        share += (double)contains(theirs, n, ours[j]) / n;
    c->overlap_sum += share;
    if (c->sets == 0 || share < c->overlap_least)
        c->overlap_least = share;
    c->sets++;
}

/* Full-size form: two heads, compared by token; positions are shown. */
static skv_status judge_tokens(skv_comparison *c, const skv_cut *cut, const int32_t *host)
{
    const skv_recorded_scale *s = &c->recording->scale[cut->si];
    const int64_t *shape = s->kept_shape[cut->layer];
    const int heads = (int)cut->k.shape[1], n = (int)(cut->keep.shape[1] / heads);

    for (int i = 0; i < SKV_KEPT_HEADS && i < shape[0]; i++) {
        const int32_t *ours = host + (ptrdiff_t)kept_head[i] * n;
        const int32_t *theirs = s->kept[cut->layer] + i * shape[1];
        skv_kept *a = &c->ours[cut->layer][i], *b = &c->theirs[cut->layer][i];
        double share;

        note_overlap(c, ours, n, theirs, shape[1]);
        SKV_TRY(skv_kept_follow(a, &c->recording->schedule, cut->si, ours, n));
        SKV_TRY(skv_kept_follow(b, &c->recording->schedule, cut->si, theirs, (int)shape[1]));
        share = skv_kept_overlap(a, b);
        skv_debug("scale %d, layer %d, head %d: %.4f of %d tokens", cut->si, cut->layer,
                  kept_head[i], share, n);
        c->tokens_sum += share;
        if (c->sets == 1 || share < c->tokens_least)
            c->tokens_least = share;
    }
    return SKV_OK;
}

static skv_status on_cut(void *ctx, const skv_cut *cut)
{
    skv_comparison *c = ctx;
    const skv_recorded_scale *s = &c->recording->scale[cut->si];
    const int64_t *shape = s->kept_shape[cut->layer];
    const int heads = (int)cut->k.shape[1];
    int32_t *host = NULL;
    skv_status st;

    if (!s->kept[cut->layer] || (c->recording->full_size && !c->scalekv) || c->adrift)
        return SKV_OK;
    SKV_TRY(skv_alloc(&host, (size_t)skv_tensor_count(&cut->keep), sizeof *host, "positions"));
    st = skv_backend_download(c->be, host, cut->keep.data, skv_tensor_bytes(&cut->keep));
    if (st == SKV_OK && c->recording->full_size) {
        st = judge_tokens(c, cut, host);
        free(host);
        return st;
    }
    if (st == SKV_OK && (shape[0] != cut->keep.shape[0] || shape[1] != heads ||
                         shape[1] * shape[2] != cut->keep.shape[1]))
        st = skv_fail(SKV_E_SHAPE,
                      "scale %d, layer %d keeps %lld positions a row, the recording %lld", cut->si,
                      cut->layer, (long long)cut->keep.shape[1], (long long)(shape[1] * shape[2]));
    for (int i = 0; st == SKV_OK && i < (int)shape[0] * heads; i++) {
        const int n = (int)shape[2];
        const int32_t *ours = host + (ptrdiff_t)i * n,
                      *theirs = s->kept[cut->layer] + (ptrdiff_t)i * n;

        note_overlap(c, ours, n, theirs, n);
        if (memcmp(ours, theirs, (size_t)n * sizeof *ours) == 0)
            c->sets_equal++;
        else
            st = judge_difference(c, cut, i / heads, i % heads, ours, theirs, n);
    }
    free(host);
    return st;
}

void skv_comparison_init(skv_comparison *c, const skv_recording *r, skv_backend *be,
                         const skv_path *path, const skv_draws *draws)
{
    const bool codes = path->kv_dtype != SKV_KV_WORK;

    *c = (skv_comparison){.recording = r,
                          .be = be,
                          .scalekv = strcmp(path->policy->name, "scalekv") == 0,
                          .codes = codes,
                          .adrift = draws->free_run && (be->act != SKV_F32 || codes),
                          .drawn.of = *draws};
}

void skv_comparison_deinit(skv_comparison *c)
{
    for (int i = 0; i < SKV_MAX_DEPTH * SKV_KEPT_HEADS; i++) {
        skv_kept_clear(&c->ours[i / SKV_KEPT_HEADS][i % SKV_KEPT_HEADS]);
        skv_kept_clear(&c->theirs[i / SKV_KEPT_HEADS][i % SKV_KEPT_HEADS]);
    }
    skv_backend_free(c->be, c->forced_memory);
    c->forced_memory = NULL;
}

skv_probe skv_comparison_probe(skv_comparison *c)
{
    return (skv_probe){
        .ctx = c, .block = on_block, .logits = on_logits, .forced = on_forced, .cut = on_cut};
}

static float clamp(float x)
{
    return x < -1 ? -1 : x > 1 ? 1 : x;
}

void skv_comparison_picture(skv_comparison *c, const float *map, const float *rgb,
                            const uint8_t *image)
{
    const skv_recording *r = c->recording;
    const int64_t w = skv_picture_width(&r->schedule), h = skv_picture_height(&r->schedule);
    const int64_t places = r->z_shape[1] * r->z_shape[2];

    for (int64_t d = 0; r->z && d < r->z_shape[0]; d++)
        for (int64_t i = 0; i < places; i++)
            add(&c->z, (double)map[i * r->z_shape[0] + d], (double)r->z[d * places + i]);
    for (int64_t ch = 0; ch < 3; ch++)
        for (int64_t y = 0; y < r->decoded_shape[1]; y++)
            for (int64_t x = 0; x < r->decoded_shape[2]; x++)
                add(&c->decoded, (double)clamp(rgb[(y * r->step * w + x * r->step) * 3 + ch]),
                    (double)r->decoded[(ch * r->decoded_shape[1] + y) * r->decoded_shape[2] + x]);
    c->rgb_all = r->rgb ? h * w * 3 : 0;
    for (int64_t i = 0; i < c->rgb_all; i++) {
        const int d = abs((int)image[i] - (int)r->rgb[i]);

        c->rgb_off_by_one += d == 1;
        c->rgb_worse += d > 1;
    }
}

/* --------------------------------------------------------------------- report */

typedef struct {
    skv_json_maker *rows;
    bool judged, good;
} table;

static void row(table *t, const char *what, double value, double bound, bool at_least)
{
    const bool good = at_least ? value >= bound : value <= bound;

    t->good = t->good && good;
    printf("%-30s %14.6g %s %-12.6g %s\n", what, value, at_least ? ">=" : "<=", bound,
           !t->judged ? "not judged"
           : good     ? "ok"
                      : "FAIL");
    skv_json_append(t->rows, json_pack("{s:s, s:f, s:f, s:b, s:b}", "quantity", what, "value",
                                       isfinite(value) ? value : 1e300, "bound", bound, "at_least",
                                       at_least, "ok", good));
}

/* A row without a bound. */
static void show(table *t, const char *what, double value)
{
    printf("%-30s %14.6g\n", what, value);
    skv_json_append(t->rows, json_pack("{s:s, s:f}", "quantity", what, "value",
                                       isfinite(value) ? value : 1e300));
}

/* The share of all bits whose higher logit is the recorded one. */
static double agreeing(const skv_comparison *c)
{
    int64_t same = 0, all = 0;

    for (int si = 0; si < c->recording->schedule.n_scales; si++) {
        same += c->bits_same[si];
        all += c->bits_all[si];
    }
    return (double)same / (double)all;
}

static void report_tiny(const skv_comparison *c, table *t)
{
    skv_error worst = {0};
    double worst_nmse = 0;

    for (int si = 0; si < c->recording->schedule.n_scales; si++) {
        worst.largest = fmax(worst.largest, c->logits[si].largest);
        worst_nmse = fmax(worst_nmse, nmse(&c->logits[si]));
    }
    row(t, "logits, largest difference", worst.largest, TOL_LOGITS, false);
    row(t, "logits, NMSE of a scale", worst_nmse, TOL_NMSE, false);
    if (c->block0.n > 0)
        row(t, "first block", c->block0.largest, TOL_BLOCK0, false);
    if (c->z.n > 0)
        row(t, "residual map", c->z.largest, TOL_Z, false);
    row(t, "decoder output", c->decoded.largest, TOL_DECODED, false);
    if (c->rgb_all > 0) {
        row(t, "bytes off by one, share", (double)c->rgb_off_by_one / (double)c->rgb_all, TOL_RGB,
            false);
        row(t, "bytes off by more", (double)c->rgb_worse, 0, false);
    }
    if (c->recording->scalekv) {
        row(t, "kept sets equal or near-ties", (double)(c->sets_equal + c->sets_near),
            (double)c->sets, true);
        row(t, "kept sets compared", (double)c->sets, 1, true);
        printf("%-30s %14lld of %lld\n", "kept sets equal", (long long)c->sets_equal,
               (long long)c->sets);
    }
}

/* A backend that rounds to bf16: a rounding errs by 2^-9 at most, NMSE 1.3e-6, and some hundred of
 * them meet in a logit (the reference's own bf16 run: 1.1e-4 over 32 layers). Bits decided by less
 * than that, and scores as near to the cut, may flip; random weights make many of both. */
static void report_rounded(const skv_comparison *c, table *t)
{
    double worst = 0;

    for (int si = 0; si < c->recording->schedule.n_scales; si++)
        worst = fmax(worst, nmse(&c->logits[si]));
    row(t, "logits, NMSE of a scale", worst, ROUNDED_NMSE, false);
    row(t, "higher logit agrees, share", agreeing(c), ROUNDED_AGREE, true);
    if (c->z.n > 0) /* of the recorded bits: nothing is rounded */
        row(t, "residual map", c->z.largest, TOL_Z, false);
    row(t, "decoder output, rms", sqrt(c->decoded.sum / (double)c->decoded.n), ROUNDED_DECODED,
        false);
    if (c->recording->scalekv) {
        row(t, "kept sets overlap, mean", c->overlap_sum / (double)c->sets, ROUNDED_OVERLAP, true);
        printf("%-30s %14.6g\n", "kept sets overlap, least", c->overlap_least);
    }
}

/* A cache in codes, whose numbers err by 2.6 % (NMSE 7e-4), of which attention takes means. What
 * the first scale computes does not come from the cache. */
static void report_codes(const skv_comparison *c, table *t)
{
    const double first = c->be->act == SKV_F32 ? TOL_NMSE : ROUNDED_NMSE;
    const int n = c->recording->schedule.n_scales;
    char what[64];

    for (int si = 0; si < n; si++) {
        snprintf(what, sizeof what, "logits, NMSE of scale %d", si);
        if (si > 0 && c->recording->full_size)
            show(t, what, nmse(&c->logits[si]));
        else
            row(t, what, nmse(&c->logits[si]), si > 0 ? CODES_NMSE : first, false);
    }
    for (int si = 0; si < n; si++) {
        snprintf(what, sizeof what, "bits flipped, scale %d", si);
        show(t, what, 1 - (double)c->bits_same[si] / (double)c->bits_all[si]);
    }
    if (c->recording->full_size)
        show(t, "higher logit agrees, share", agreeing(c));
    else
        row(t, "higher logit agrees, share", agreeing(c), CODES_AGREE, true);
    if (c->sets > 0)
        show(t, "kept sets overlap, mean", c->overlap_sum / (double)c->sets);
}

static void report_full_size(const skv_comparison *c, table *t)
{
    const skv_recording *r = c->recording;
    double sum = 0, ref = 0, allowed = 0;
    char what[64];

    for (int si = 0; si < r->schedule.n_scales; si++) {
        const double own = c->scalekv ? r->scale[si].nmse_scalekv : r->scale[si].nmse;

        sum += c->logits[si].sum;
        ref += c->logits[si].ref;
        allowed += own * c->logits[si].ref;
        snprintf(what, sizeof what, "logits, NMSE of scale %d", si);
        row(t, what, nmse(&c->logits[si]), si < 3 ? 2.5e-4 : 1.3 * own, false);
    }
    row(t, "logits, NMSE pooled", sum / ref, 1.1 * allowed / ref, false);
    row(t, "higher logit agrees, share", agreeing(c), 0.995, true);
    if (c->scalekv) {
        row(t, "kept tokens overlap, mean", c->tokens_sum / (double)c->sets, 0.94, true);
        row(t, "kept tokens overlap, least", c->tokens_least, 0.90, true);
        printf("%-30s %14.6g mean, %.6g least\n", "the same by cache position",
               c->overlap_sum / (double)c->sets, c->overlap_least);
    }
    row(t, "picture, mean squared error", c->decoded.sum / (double)c->decoded.n, 1.3 * r->image_mse,
        false);
}

/* Rounded logits turn bits, also where they are fed back; fp32 turns none but near-ties. */
static void report_drawn(const skv_comparison *c, table *t)
{
    const skv_drawn *d = &c->drawn;
    int64_t same, all;
    char what[64];

    for (int si = 0; si < c->recording->schedule.n_scales; si++) {
        snprintf(what, sizeof what, "bits equal, scale %d", si);
        show(t, what, (double)d->same[si] / (double)d->all[si]);
    }
    skv_drawn_count(&same, &all, d);
    printf("%-30s %14lld of %lld\n", "bits equal", (long long)same, (long long)all);
    if (c->be->act == SKV_F32 && !c->codes) {
        show(t, "bits that differ, near-ties", (double)d->near);
        row(t, "bits that differ otherwise", (double)d->wrong, 0, false);
    } else if (c->adrift || c->codes) {
        show(t, "bits equal, share", skv_drawn_share(d));
    } else {
        row(t, "bits equal, share", skv_drawn_share(d),
            c->recording->full_size ? DRAWN_SHARE : ROUNDED_DRAWN, true);
    }
}

static void report_psnr(const skv_comparison *c, table *t)
{
    show(t, "picture, PSNR in dB", 10 * log10(4 * (double)c->decoded.n / c->decoded.sum));
}

bool skv_comparison_report(const skv_comparison *c, const char *title, bool reduced,
                           skv_json_maker *rows)
{
    table t = {.rows = rows, .judged = !reduced, .good = true};

    printf("%s\n%-30s %14s    %-12s\n", title, "quantity", "measured", "bound");
    if (c->drawn.of.wanted)
        report_drawn(c, &t);
    if (c->recording->full_size || c->adrift)
        report_psnr(c, &t);
    if (c->adrift)
        return true;
    if (c->codes)
        report_codes(c, &t);
    else if (c->recording->full_size)
        report_full_size(c, &t);
    else if (c->be->act != SKV_F32)
        report_rounded(c, &t);
    else
        report_tiny(c, &t);
    return t.good || reduced;
}
