/* Rows go in batches whose pictures fit a bound: read by all threads, then one metric after another
 * goes over the batch. A network sees one picture at a time, so that no number depends on what else
 * is in the batch. */
#include "eval/metrics/compare.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/parallel.h"

#define BATCH_BYTES ((size_t)1 << 30)

/* Some rows of the part, all their pictures in memory. */
typedef struct {
    const skv_eval_setup *setup;
    const skv_record_plan *plan;
    const skv_slot *slot;            /* the metric at work */
    const skv_feature_slot *feature; /* the network at work */
    int64_t first, n;
    skv_picture *picture; /* (n, n_sides) */
    float *input;         /* (n, n_sides, most inputs of a network) */
    uint8_t *bits[2];     /* of one row: reference, compared */
    skv_part out;         /* of these rows */
    double start;         /* of the stage at work */
} batch;

static double *record_at(const batch *b, int64_t row, int side)
{
    const size_t sides = (size_t)b->setup->pairs->n_sides - 1;

    return b->out.record + ((size_t)row * sides + (size_t)side - 1) * (size_t)b->plan->numbers;
}

static void lap(batch *b, const char *stage, int64_t n)
{
    const double now = skv_seconds();

    if (b->setup->lap)
        b->setup->lap(b->setup->lap_ctx, stage, now - b->start, n);
    b->start = now;
}

/* ------------------------------------------------------------------- pictures */

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

/* Pair i of the batch's usable rows and sides; false: its row is not usable. */
static bool picture_pair(skv_metric_pair *out, double **record, const batch *b, int64_t i)
{
    const skv_pairs *p = b->setup->pairs;
    const int64_t row = i / (p->n_sides - 1);
    const int side = 1 + (int)(i % (p->n_sides - 1));
    const skv_picture *x = &b->picture[row * p->n_sides];

    *out = (skv_metric_pair){.side = side,
                             .height = x->height,
                             .width = x->width,
                             .reference = x->rgb,
                             .compared = x[side].rgb};
    *record = record_at(b, row, side);
    return p->usable[b->first + row];
}

static skv_status find_identical(void *ctx, int64_t i)
{
    skv_metric_pair pair;
    double *record;

    if (picture_pair(&pair, &record, ctx, i))
        record[0] = memcmp(pair.reference, pair.compared,
                           (size_t)pair.height * (size_t)pair.width * 3) == 0;
    return SKV_OK;
}

static skv_status compare_pair(void *ctx, int64_t i)
{
    const batch *b = ctx;
    skv_metric_pair pair;
    double *record;

    if (!picture_pair(&pair, &record, b, i))
        return SKV_OK;
    return b->slot->metric->compare(record + b->slot->at, b->slot->network, &pair);
}

static skv_status compare_pictures(batch *b)
{
    const int64_t pairs = b->n * (b->setup->pairs->n_sides - 1);

    for (int i = 0; i < b->plan->n_slots; i++) {
        const skv_metric *m = b->plan->slot[i].metric;

        if (m->needs != SKV_NEEDS_PICTURES)
            continue;
        b->slot = &b->plan->slot[i];
        SKV_TRY(skv_parallel(m->network ? 1 : b->setup->threads, pairs, compare_pair, b));
        lap(b, m->name, m->network ? b->n * b->setup->pairs->n_sides : pairs);
    }
    return SKV_OK;
}

/* ------------------------------------------------------------------- features */

static skv_status prepare_input(void *ctx, int64_t i)
{
    const batch *b = ctx;
    const skv_metric_network *network = b->feature->network;
    const skv_picture *x = &b->picture[i];

    if (!x->rgb)
        return SKV_OK;
    return network->prepare(b->input + (size_t)i * network->n_inputs, x->rgb, x->height, x->width);
}

static skv_status extract_features(batch *b)
{
    const int64_t pictures = b->n * b->setup->pairs->n_sides;
    char stage[64];

    for (int k = 0; k < b->plan->n_networks; k++) {
        const skv_metric_network *network = b->plan->feature[k].network;

        b->feature = &b->plan->feature[k];
        SKV_TRY(skv_parallel(b->setup->threads, pictures, prepare_input, b));
        snprintf(stage, sizeof stage, "%s input", network->name);
        lap(b, stage, pictures);
        for (int64_t i = 0; i < pictures; i++)
            if (b->picture[i].rgb)
                SKV_TRY(network->extract(
                    b->out.feature + (size_t)i * (size_t)b->plan->features + b->feature->at,
                    b->feature->state, b->input + (size_t)i * network->n_inputs));
        lap(b, network->name, pictures);
    }
    return SKV_OK;
}

/* ----------------------------------------------------------------------- bits */

static skv_status compare_bits_of(batch *b, int64_t row)
{
    const skv_pairs *p = b->setup->pairs;
    const skv_run_path *path = skv_pairs_path(p, 0);
    skv_metric_pair pair = {.n_scales = p->n_scales,
                            .scale_offset = path->scale_offset,
                            .reference = b->bits[0],
                            .compared = b->bits[1]};

    SKV_TRY(skv_pairs_bits(b->bits[0], p, 0, b->first + row));
    for (pair.side = 1; pair.side < p->n_sides; pair.side++) {
        SKV_TRY(skv_pairs_bits(b->bits[1], p, pair.side, b->first + row));
        for (int i = 0; i < b->plan->n_slots; i++) {
            const skv_slot *slot = &b->plan->slot[i];

            if (slot->metric->needs == SKV_NEEDS_BITS)
                SKV_TRY(slot->metric->compare(record_at(b, row, pair.side) + slot->at,
                                              slot->network, &pair));
        }
    }
    return SKV_OK;
}

static skv_status compare_bits(batch *b)
{
    const skv_pairs *p = b->setup->pairs;

    if (p->n_scales == 0)
        return SKV_OK;
    for (int64_t row = 0; row < b->n; row++)
        if (p->usable[b->first + row])
            SKV_TRY(compare_bits_of(b, row));
    lap(b, "bits", b->n * (p->n_sides - 1));
    return SKV_OK;
}

/* --------------------------------------------------------------------- a part */

static skv_status compare_batch(batch *b)
{
    const skv_pairs *p = b->setup->pairs;
    const int64_t n = b->n * p->n_sides;

    b->start = skv_seconds();
    if (p->no_pictures)
        return compare_bits(b);
    SKV_TRY(skv_parallel(p->concurrent ? b->setup->threads : 1, n, read_picture, b));
    SKV_TRY(check_sizes(b));
    SKV_TRY(skv_parallel(b->setup->threads, b->n * (p->n_sides - 1), find_identical, b));
    lap(b, "read", n);
    SKV_TRY(compare_pictures(b));
    SKV_TRY(extract_features(b));
    return compare_bits(b);
}

static size_t most_inputs(const skv_record_plan *plan)
{
    size_t most = 0;

    for (int i = 0; i < plan->n_networks; i++)
        if (plan->feature[i].network->n_inputs > most)
            most = plan->feature[i].network->n_inputs;
    return most;
}

/* Rows whose pictures fit a bound, and enough of them for all threads. */
static int64_t batch_rows(const skv_eval_setup *s, int64_t left, const skv_picture *sample,
                          size_t inputs)
{
    const size_t picture =
        (size_t)sample->height * (size_t)sample->width * 3 + inputs * sizeof(float);
    const int64_t fit = (int64_t)(BATCH_BYTES / (picture * (size_t)s->pairs->n_sides));
    const int64_t most = fit < 4 * s->threads ? fit : 4 * s->threads;

    return most < 1 ? 1 : most < left ? most : left;
}

/* The size of the part's first picture stands for all. */
static skv_status first_size(skv_picture *out, const skv_pairs *p, const skv_part *part)
{
    *out = (skv_picture){.height = 1, .width = 1};
    for (int64_t row = part->first; row < part->first + part->n; row++) {
        if (!p->usable[row] || p->no_pictures)
            continue;
        SKV_TRY(skv_pairs_picture(out, p, 0, row));
        free(out->rgb);
        out->rgb = NULL;
        break;
    }
    return SKV_OK;
}

static skv_status make_batch(batch *b, const skv_part *part, int64_t *rows)
{
    const skv_pairs *p = b->setup->pairs;
    const size_t sides = (size_t)p->n_sides, inputs = most_inputs(b->plan);
    skv_picture sample;

    SKV_TRY(first_size(&sample, p, part));
    *rows = batch_rows(b->setup, part->n, &sample, inputs);
    SKV_TRY(skv_alloc(&b->picture, (size_t)*rows * sides, sizeof *b->picture, "pictures"));
    if (inputs > 0)
        SKV_TRY(skv_alloc(&b->input, (size_t)*rows * sides, inputs * sizeof *b->input,
                          "inputs of networks"));
    for (int i = 0; i < 2 && p->n_scales > 0; i++)
        SKV_TRY(skv_alloc(&b->bits[i], (size_t)skv_pairs_path(p, 0)->bits_bytes, 1, "bits"));
    return SKV_OK;
}

static void clear_pictures(batch *b)
{
    for (int64_t i = 0; i < b->n * b->setup->pairs->n_sides; i++) {
        free(b->picture[i].rgb);
        b->picture[i] = (skv_picture){0};
    }
}

skv_status skv_compare_rows(skv_part *part, const skv_eval_setup *setup,
                            const skv_record_plan *plan)
{
    const size_t sides = (size_t)setup->pairs->n_sides;
    batch b = {.setup = setup, .plan = plan};
    int64_t rows = 0;
    skv_status st = SKV_OK;

    if (part->n == 0)
        return SKV_OK;
    SKV_TRY_GOTO(make_batch(&b, part, &rows), done);
    for (int64_t at = 0; at < part->n && st == SKV_OK; at += rows) {
        if (setup->stop && *setup->stop) {
            st = skv_fail(SKV_E_STOPPED,
                          "stopped while pictures were compared: nothing of this eval is kept, "
                          "results of an earlier one stay; run the same command again, perhaps "
                          "with fewer --paths at a time");
            break;
        }
        b.first = part->first + at;
        b.n = part->n - at < rows ? part->n - at : rows;
        b.out.record = part->record + (size_t)at * (sides - 1) * (size_t)plan->numbers;
        b.out.feature = part->feature + (size_t)at * sides * (size_t)plan->features;
        st = compare_batch(&b);
        clear_pictures(&b);
    }
done:
    free(b.picture);
    free(b.input);
    free(b.bits[0]);
    free(b.bits[1]);
    return st;
}
