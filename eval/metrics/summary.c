#include "eval/metrics/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "eval/metrics/feature_pool.h"

struct skv_summary {
    const skv_pairs *pairs;
    const skv_record_plan *plan;
    skv_results result;
    int64_t n_seen;          /* usable rows so far */
    skv_feature_pool **pool; /* (plan.n_networks) */
};

static skv_status make_path(skv_path_results *p, const skv_summary *s, int side,
                            const char *weights)
{
    const skv_record_plan *plan = s->plan;

    SKV_TRY(skv_path_join(&p->name, NULL, s->pairs->side[side]));
    if (skv_pairs_run(s->pairs))
        SKV_TRY(skv_path_join(&p->digest, NULL, skv_pairs_path(s->pairs, side)->digest));
    SKV_TRY(skv_alloc(&p->column, (size_t)plan->n_slots + 1, sizeof *p->column, "metrics"));
    for (int i = 0; i < plan->n_slots; i++) {
        const skv_slot *slot = &plan->slot[i];

        SKV_TRY(
            skv_column_make(&p->column[p->n_columns++], slot->metric, slot->width, s->pairs->n));
        if (slot->network)
            SKV_TRY(skv_path_join(&p->column[i].weights, NULL, weights));
    }
    return SKV_OK;
}

skv_status skv_summary_create(skv_summary **out, const skv_pairs *pairs,
                              const skv_record_plan *plan, const char *weights)
{
    const size_t paths = (size_t)pairs->n_sides - 1;
    skv_summary *s = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&s, 1, sizeof *s, "metrics"), done);
    s->pairs = pairs;
    s->plan = plan;
    s->result.n = pairs->n;
    SKV_TRY_GOTO(skv_alloc(&s->result.path, paths, sizeof *s->result.path, "metrics"), done);
    for (int side = 1; side < pairs->n_sides; side++)
        SKV_TRY_GOTO(make_path(&s->result.path[s->result.n_paths++], s, side, weights), done);
    SKV_TRY_GOTO(skv_alloc(&s->pool, (size_t)plan->n_networks + 1, sizeof *s->pool, "features"),
                 done);
    for (int i = 0; i < plan->n_networks; i++)
        SKV_TRY_GOTO(skv_feature_pool_create(&s->pool[i], plan->feature[i].network->n_features,
                                             pairs->n_sides, pairs->n_usable),
                     done);
    *out = s;
    s = NULL;
done:
    skv_summary_destroy(s);
    return st;
}

void skv_summary_destroy(skv_summary *s)
{
    if (!s)
        return;
    for (int i = 0; s->pool && i < s->plan->n_networks; i++)
        skv_feature_pool_destroy(s->pool[i]);
    free(s->pool);
    skv_results_clear(&s->result);
    free(s);
}

/* ----------------------------------------------------------------------- rows */

static void add_record(skv_path_results *p, const skv_record_plan *plan, int64_t row,
                       const double *record)
{
    p->n_pairs++;
    p->n_identical += record[0] == 1;
    for (int i = 0; i < plan->n_slots; i++) {
        const skv_slot *slot = &plan->slot[i];

        if (slot->width > 0)
            memcpy(p->column[i].value + row * slot->width, record + slot->at,
                   (size_t)slot->width * sizeof *record);
    }
}

skv_status skv_summary_add(skv_summary *s, int64_t first, int64_t n, const double *record,
                           const float *feature)
{
    const skv_record_plan *plan = s->plan;
    const size_t sides = (size_t)s->pairs->n_sides;

    for (int64_t i = 0; i < n; i++) {
        const double *row = record + (size_t)i * (sides - 1) * (size_t)plan->numbers;
        const float *features = feature + (size_t)i * sides * (size_t)plan->features;

        if (!s->pairs->usable[first + i])
            continue;
        s->n_seen++;
        for (int k = 0; k < s->result.n_paths; k++)
            add_record(&s->result.path[k], plan, first + i,
                       row + (size_t)k * (size_t)plan->numbers);
        for (int k = 0; k < plan->n_networks; k++)
            SKV_TRY(skv_feature_pool_add(s->pool[k], features + plan->feature[k].at,
                                         (size_t)plan->features));
    }
    return SKV_OK;
}

skv_status skv_summary_end_round(skv_summary *s)
{
    for (int k = 0; k < s->plan->n_networks; k++)
        SKV_TRY(skv_feature_pool_end_round(s->pool[k]));
    return SKV_OK;
}

/* --------------------------------------------------------------------- numbers */

/* The features of a side by the slot's network, held against the reference's. */
static skv_feature_sets sets_of(const skv_summary *s, const skv_slot *slot, int side, int threads)
{
    int k = 0;

    while (s->plan->feature[k].at != slot->feature_at)
        k++;
    return (skv_feature_sets){.d = s->plan->feature[k].network->n_features,
                              .reference = skv_feature_pool_set(s->pool[k], 0),
                              .compared = skv_feature_pool_set(s->pool[k], side),
                              .threads = threads};
}

static skv_status finish_path(const skv_summary *s, int path, int threads)
{
    skv_path_results *p = &s->result.path[path];

    for (int i = 0; i < s->plan->n_slots; i++) {
        const skv_slot *slot = &s->plan->slot[i];

        if (slot->width > 0) {
            skv_column_summarise(&p->column[i], s->pairs->n, s->pairs->usable);
        } else if (s->n_seen >= 2) {
            const skv_feature_sets sets = sets_of(s, slot, path + 1, threads);

            SKV_TRY(slot->metric->reduce(&p->column[i].mean, &sets));
        }
    }
    return SKV_OK;
}

skv_status skv_summary_finish(skv_results *out, skv_summary *s, int threads)
{
    for (int k = 0; k < s->plan->n_networks && s->n_seen >= 2; k++)
        SKV_TRY(skv_feature_pool_finish(s->pool[k]));
    for (int i = 0; i < s->result.n_paths; i++)
        SKV_TRY(finish_path(s, i, threads));
    *out = s->result;
    s->result = (skv_results){0};
    return SKV_OK;
}
