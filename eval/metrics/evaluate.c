/* Rows go in rounds: each rank takes a part of a round, rank 0 collects it. So memory is bounded,
 * and moments are summed over the same blocks however many ranks there are. */
#include "eval/metrics/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/parallel.h"
#include "eval/metrics/psnr.h"
#include "eval/metrics/resize.h"
#include "eval/metrics/ssim.h"
#include "eval/metrics/summary.h"

#define ROUND        2048 /* rows; a block of the moments */
#define BATCH_BYTES  ((size_t)1 << 30)
#define INPUT_SIDE   299
#define INPUT_FLOATS ((size_t)INPUT_SIDE * INPUT_SIDE * 3)
#define FIXED        3 /* PSNR, SSIM, LPIPS; the bits follow */

/* Some rows of this rank, all their pictures in memory. */
typedef struct {
    const skv_eval_setup *setup;
    skv_eval_seconds seconds;
    int64_t first, n;
    skv_picture *picture; /* (n, n_sides) */
    float *input;         /* (n, n_sides, INPUT_FLOATS) Inception's */
    double *record;       /* (n, n_sides - 1, FIXED + n_scales) */
    float *feature;       /* (n, n_sides, SKV_FEATURES) */
} batch;

static size_t record_size(const skv_pairs *p)
{
    return (size_t)(p->n_sides - 1) * (size_t)(FIXED + p->n_scales);
}

static double *record_at(const batch *b, int64_t row, int side)
{
    const skv_pairs *p = b->setup->pairs;

    return b->record + (size_t)row * record_size(p) +
           (size_t)(side - 1) * (size_t)(FIXED + p->n_scales);
}

/* --------------------------------------------------------- stages of a batch */

static skv_status read_picture(void *ctx, int64_t i)
{
    const batch *b = ctx;
    const skv_pairs *p = b->setup->pairs;
    const int64_t row = b->first + i / p->n_sides;

    return p->usable[row] ? skv_pairs_picture(&b->picture[i], p, (int)(i % p->n_sides), row)
                          : SKV_OK;
}

static skv_status check_sizes(const batch *b)
{
    const skv_pairs *p = b->setup->pairs;

    for (int64_t i = 0; i < b->n * p->n_sides; i++) {
        const skv_picture *x = &b->picture[i], *ref = &b->picture[i - i % p->n_sides];

        if (x->height != ref->height || x->width != ref->width)
            return skv_fail(SKV_E_SHAPE, "%s: %s has %dx%d pixels, %s has %dx%d",
                            p->id[b->first + i / p->n_sides], p->side[0], ref->width, ref->height,
                            p->side[i % p->n_sides], x->width, x->height);
    }
    return SKV_OK;
}

static skv_status compare_pixels(void *ctx, int64_t i)
{
    const batch *b = ctx;
    const skv_pairs *p = b->setup->pairs;
    const int64_t row = i / (p->n_sides - 1);
    const int side = 1 + (int)(i % (p->n_sides - 1));
    const skv_picture *x = &b->picture[row * p->n_sides], *y = x + side;
    double *record = record_at(b, row, side);

    if (!p->usable[b->first + row])
        return SKV_OK;
    record[0] = skv_psnr(x->rgb, y->rgb, (size_t)x->height * (size_t)x->width * 3);
    return skv_ssim(&record[1], NULL, x->rgb, y->rgb, x->height, x->width);
}

static skv_status make_input(void *ctx, int64_t i)
{
    const batch *b = ctx;
    const skv_picture *x = &b->picture[i];

    if (!x->rgb)
        return SKV_OK;
    return skv_resize_bicubic(b->input + (size_t)i * INPUT_FLOATS, x->rgb, x->height, x->width,
                              INPUT_SIDE, INPUT_SIDE);
}

/* Adds the time since *start to *stage, and starts anew. */
static void lap(double *stage, double *start)
{
    const double now = skv_seconds();

    *stage += now - *start;
    *start = now;
}

/* The reference's taps are computed once for all sides. One picture at a time, so that no number
 * depends on what else is in the batch. */
static skv_status run_networks(batch *b, int64_t row)
{
    const skv_eval_setup *s = b->setup;
    const int n = s->pairs->n_sides;
    const skv_picture *x = &b->picture[row * n];
    double start = skv_seconds();

    for (int side = 0; side < n && s->lpips; side++) {
        SKV_TRY(skv_lpips_set(s->lpips, side > 0, x[side].rgb, x[side].height, x[side].width));
        if (side > 0)
            SKV_TRY(skv_lpips_distance(&record_at(b, row, side)[2], NULL, s->lpips));
    }
    lap(&b->seconds.lpips, &start);
    for (int64_t i = row * n; i < (row + 1) * n && s->inception; i++)
        SKV_TRY(skv_inception_features(s->inception, b->input + (size_t)i * INPUT_FLOATS, 1,
                                       b->feature + (size_t)i * SKV_FEATURES));
    lap(&b->seconds.inception, &start);
    return SKV_OK;
}

static skv_status compare_bits(const batch *b, int64_t row)
{
    const skv_pairs *p = b->setup->pairs;

    for (int side = 1; side < p->n_sides && p->n_scales > 0; side++)
        SKV_TRY(skv_pairs_bits(record_at(b, row, side) + FIXED, p, side, b->first + row));
    return SKV_OK;
}

static skv_status compare_pictures(batch *b)
{
    const skv_eval_setup *s = b->setup;
    const int64_t n = b->n * s->pairs->n_sides;
    double start = skv_seconds();

    if (s->pairs->no_pictures)
        return SKV_OK;
    SKV_TRY(skv_parallel(s->pairs->concurrent ? s->threads : 1, n, read_picture, b));
    SKV_TRY(check_sizes(b));
    lap(&b->seconds.read, &start);
    SKV_TRY(skv_parallel(s->threads, b->n * (s->pairs->n_sides - 1), compare_pixels, b));
    lap(&b->seconds.pixels, &start);
    if (s->inception)
        SKV_TRY(skv_parallel(s->threads, n, make_input, b));
    lap(&b->seconds.resize, &start);
    for (int64_t row = 0; row < b->n; row++)
        if (s->pairs->usable[b->first + row])
            SKV_TRY(run_networks(b, row));
    return SKV_OK;
}

static skv_status compare_all_bits(batch *b)
{
    double start = skv_seconds();

    for (int64_t row = 0; row < b->n; row++)
        if (b->setup->pairs->usable[b->first + row])
            SKV_TRY(compare_bits(b, row));
    lap(&b->seconds.bits, &start);
    return SKV_OK;
}

/* ------------------------------------------------------------- a rank's part */

/* What a rank sends after a round: records of its rows, then their features. */
typedef struct {
    int64_t first, n;
    double *record;
    float *feature;
    void *block; /* both */
    size_t bytes;
} part;

static skv_status make_part(part *out, const skv_eval_setup *s, int64_t first, int64_t n)
{
    const size_t records = (size_t)n * record_size(s->pairs);
    const size_t features = s->inception ? (size_t)n * (size_t)s->pairs->n_sides * SKV_FEATURES : 0;

    *out = (part){
        .first = first, .n = n, .bytes = records * sizeof(double) + features * sizeof(float)};
    SKV_TRY(skv_alloc(&out->block, out->bytes + 1, 1, "results of a round"));
    out->record = out->block;
    out->feature = (float *)(out->record + records);
    for (size_t i = 0; i < records; i++)
        out->record[i] = NAN;
    return SKV_OK;
}

/* Rows whose pictures fit a bound, and enough of them for all threads. */
static int64_t batch_rows(const skv_eval_setup *s, int64_t left, const skv_picture *sample)
{
    const size_t picture = (size_t)sample->height * (size_t)sample->width * 3 +
                           (s->inception ? INPUT_FLOATS * sizeof(float) : 0);
    const int64_t fit = (int64_t)(BATCH_BYTES / (picture * (size_t)s->pairs->n_sides));
    const int64_t most = fit < 4 * s->threads ? fit : 4 * s->threads;

    return most < 1 ? 1 : most < left ? most : left;
}

static void clear_pictures(batch *b, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        free(b->picture[i].rgb);
        b->picture[i] = (skv_picture){0};
    }
}

/* The size of the rank's first picture stands for all. */
static skv_status first_size(skv_picture *out, const skv_pairs *p, const part *mine)
{
    *out = (skv_picture){.height = 1, .width = 1};
    for (int64_t row = mine->first; row < mine->first + mine->n; row++) {
        if (!p->usable[row] || p->no_pictures)
            continue;
        SKV_TRY(skv_pairs_picture(out, p, 0, row));
        free(out->rgb);
        out->rgb = NULL;
        break;
    }
    return SKV_OK;
}

static void add_seconds(skv_eval_seconds *to, const skv_eval_seconds *more)
{
    to->read += more->read;
    to->pixels += more->pixels;
    to->resize += more->resize;
    to->lpips += more->lpips;
    to->inception += more->inception;
    to->bits += more->bits;
}

static skv_status compute_part(part *mine, const skv_eval_setup *s)
{
    const size_t sides = (size_t)s->pairs->n_sides;
    batch b = {.setup = s};
    skv_picture sample;
    int64_t rows;
    skv_status st;

    if (mine->n == 0)
        return SKV_OK;
    SKV_TRY(first_size(&sample, s->pairs, mine));
    rows = batch_rows(s, mine->n, &sample);
    SKV_TRY_GOTO(skv_alloc(&b.picture, (size_t)rows * sides, sizeof *b.picture, "pictures"), done);
    if (s->inception)
        SKV_TRY_GOTO(skv_alloc(&b.input, (size_t)rows * sides, INPUT_FLOATS * sizeof *b.input,
                               "resized pictures"),
                     done);
    for (int64_t at = 0; at < mine->n; at += rows) {
        b.first = mine->first + at;
        b.n = mine->n - at < rows ? mine->n - at : rows;
        b.record = mine->record + (size_t)at * record_size(s->pairs);
        b.feature = mine->feature + (size_t)at * sides * SKV_FEATURES;
        st = compare_pictures(&b);
        if (st == SKV_OK)
            st = compare_all_bits(&b);
        clear_pictures(&b, b.n * s->pairs->n_sides);
        if (st != SKV_OK)
            goto done;
    }
    if (s->seconds)
        add_seconds(s->seconds, &b.seconds);
done:
    free(b.picture);
    free(b.input);
    return st;
}

/* ---------------------------------------------------------------- all rounds */

/* Rows of rank r in a round of n. */
static void share_out(int64_t *first, int64_t *count, int64_t n, int rank, int size)
{
    *first = n * rank / size;
    *count = n * (rank + 1) / size - *first;
}

static skv_status collect(skv_summary *summary, const skv_eval_setup *s, const skv_blob *blobs,
                          int64_t first, int64_t n)
{
    for (int rank = 0; rank < skv_comm_size(s->comm); rank++) {
        const double *record = blobs[rank].data;
        int64_t at, count;

        share_out(&at, &count, n, rank, skv_comm_size(s->comm));
        SKV_TRY(skv_summary_add(summary, first + at, count, record,
                                (const float *)(record + (size_t)count * record_size(s->pairs))));
    }
    return skv_summary_end_round(summary);
}

static skv_status run_round(skv_summary *summary, const skv_eval_setup *s, int64_t first, int64_t n)
{
    part mine = {0};
    skv_blob *blobs = NULL;
    int64_t at, count;
    skv_status st;

    share_out(&at, &count, n, skv_comm_rank(s->comm), skv_comm_size(s->comm));
    st = make_part(&mine, s, first + at, count);
    if (st == SKV_OK)
        st = compute_part(&mine, s);
    SKV_TRY_GOTO(skv_comm_agree(s->comm, st), done);
    SKV_TRY_GOTO(skv_comm_gather_blobs(&blobs, s->comm, mine.block, mine.bytes), done);
    if (summary)
        st = collect(summary, s, blobs, first, n);
    st = skv_comm_agree(s->comm, st);
done:
    free(blobs);
    free(mine.block);
    return st;
}

skv_status skv_evaluate(skv_eval_result *out, const skv_eval_setup *setup)
{
    const bool root = skv_comm_rank(setup->comm) == 0;
    const int64_t n = setup->pairs->n;
    skv_summary *summary = NULL;
    skv_status st = SKV_OK;

    *out = (skv_eval_result){0};
    if (root)
        st = skv_summary_create(&summary, setup->pairs, setup->lpips, setup->inception,
                                setup->threads);
    SKV_TRY_GOTO(skv_comm_agree(setup->comm, st), done);
    for (int64_t first = 0; first < n; first += ROUND) {
        const int64_t rows = n - first < ROUND ? n - first : ROUND;

        SKV_TRY_GOTO(run_round(summary, setup, first, rows), done);
        if (root && n > ROUND)
            skv_info("%lld of %lld pictures compared", (long long)(first + rows), (long long)n);
    }
    if (root)
        st = skv_summary_finish(out, summary);
    st = skv_comm_agree(setup->comm, st);
done:
    skv_summary_destroy(summary);
    return st;
}
