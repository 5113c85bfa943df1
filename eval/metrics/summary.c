#include "eval/metrics/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"
#include "eval/metrics/feature_pool.h"

struct skv_summary {
    const skv_pairs *pairs;
    const skv_record_plan *plan;
    const skv_against *against; /* NULL: nothing */
    int first_side;             /* of result.path[0]: the reference's only with `against` */
    skv_results result;
    int64_t n_seen;          /* usable rows so far */
    skv_feature_pool **pool; /* (plan.n_networks) */
};

static skv_status make_path(skv_path_results *p, const skv_summary *s, int side,
                            const char *weights)
{
    const skv_record_plan *plan = s->plan;

    SKV_TRY(skv_text_copy(&p->name, s->pairs->side[side]));
    if (skv_pairs_run(s->pairs))
        SKV_TRY(skv_text_copy(&p->digest, skv_pairs_path(s->pairs, side)->digest));
    SKV_TRY(skv_alloc(&p->column, (size_t)plan->n_slots + 1, sizeof *p->column, "metrics"));
    for (int i = 0; i < plan->n_slots; i++) {
        const skv_slot *slot = &plan->slot[i];
        skv_column *c = &p->column[p->n_columns];

        if (side == 0 && skv_metric_has_reference(slot->metric))
            continue;
        p->n_columns++;
        SKV_TRY(skv_column_make(c, slot->metric, slot->width, s->pairs->n));
        if (slot->network)
            SKV_TRY(skv_text_copy(&c->weights, weights));
    }
    return SKV_OK;
}

static skv_status name_against(skv_results *r, const skv_against *against)
{
    SKV_TRY(skv_text_copy(&r->against, against->name));
    SKV_TRY(skv_text_copy(&r->against_digest, against->digest));
    r->n_against = against->features.n;
    return SKV_OK;
}

skv_status skv_summary_create(skv_summary **out, const skv_pairs *pairs,
                              const skv_record_plan *plan, const char *weights,
                              const skv_against *against)
{
    const size_t paths = (size_t)pairs->n_sides;
    skv_summary *s = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&s, 1, sizeof *s, "metrics"), done);
    s->pairs = pairs;
    s->plan = plan;
    s->against = against;
    s->first_side = against ? 0 : 1;
    s->result.n = pairs->n;
    if (against)
        SKV_TRY_GOTO(name_against(&s->result, against), done);
    SKV_TRY_GOTO(skv_alloc(&s->result.path, paths, sizeof *s->result.path, "metrics"), done);
    for (int side = s->first_side; side < pairs->n_sides; side++)
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

/* A column of p that a slot's numbers go to; NULL: the reference's, which has none. */
static skv_column *column_of(const skv_path_results *p, const skv_slot *slot)
{
    for (int i = 0; i < p->n_columns; i++)
        if (p->column[i].metric == slot->metric)
            return &p->column[i];
    return NULL;
}

/* record: of a compared side, NULL of the reference. */
static void add_record(skv_path_results *p, const skv_record_plan *plan, int64_t row,
                       const double *record)
{
    p->n_pairs++;
    p->n_identical += record && record[0] == 1;
    for (int i = 0; i < plan->n_slots && record; i++) {
        const skv_slot *slot = &plan->slot[i];

        if (slot->width > 0)
            memcpy(column_of(p, slot)->value + row * slot->width, record + slot->at,
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
        for (int k = 0; k < s->result.n_paths; k++) {
            const int side = s->first_side + k;
            const bool compared = side > 0 && !s->pairs->no_reference;

            add_record(&s->result.path[k], plan, first + i,
                       compared ? row + (size_t)(side - 1) * (size_t)plan->numbers : NULL);
        }
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

/* The features of a side by the slot's network, and those that they are held against. */
static skv_feature_sets sets_of(const skv_summary *s, const skv_slot *slot, int side, int threads)
{
    int k = 0;

    while (s->plan->feature[k].at != slot->feature_at)
        k++;
    return (skv_feature_sets){.d = s->plan->feature[k].network->n_features,
                              .reference = skv_metric_has_reference(slot->metric)
                                               ? skv_feature_pool_set(s->pool[k], 0)
                                               : skv_kept_features_set(&s->against->features),
                              .compared = skv_feature_pool_set(s->pool[k], side),
                              .threads = threads};
}

static skv_status finish_path(const skv_summary *s, int path, int threads)
{
    skv_path_results *p = &s->result.path[path];

    for (int i = 0; i < s->plan->n_slots; i++) {
        const skv_slot *slot = &s->plan->slot[i];
        skv_column *c = column_of(p, slot);

        if (c && slot->width > 0) {
            skv_column_summarise(c, s->pairs->n, s->pairs->usable);
        } else if (c && s->n_seen >= 2) {
            const skv_feature_sets sets = sets_of(s, slot, s->first_side + path, threads);

            SKV_TRY(slot->metric->reduce(&c->mean, &sets));
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
