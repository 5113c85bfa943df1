#include "eval/metrics/record.h"

#include <stdlib.h>

#include "core/mem.h"

static bool can_compute(const skv_metric *m, const skv_pairs *pairs, const skv_networks *networks,
                        const skv_against *against)
{
    if (skv_metric_has_reference(m) ? pairs->no_reference || pairs->n_sides < 2 : !against)
        return false;
    if (m->needs == SKV_NEEDS_BITS ? pairs->n_scales == 0 : pairs->no_pictures != NULL)
        return false;
    return !m->network || skv_networks_state(networks, m->network);
}

static int width_of(const skv_metric *m, const skv_pairs *pairs)
{
    switch (m->kind) {
    case SKV_METRIC_OF_PICTURE:
        return 1;
    case SKV_METRIC_OF_SCALE:
        return pairs->n_scales;
    case SKV_METRIC_OF_SET:
        break;
    }
    return 0;
}

/* Where the network's features begin; a new one's come after all others. */
static int place_features(skv_record_plan *plan, const skv_metric_network *network, void *state)
{
    for (int i = 0; i < plan->n_networks; i++)
        if (plan->feature[i].network == network)
            return plan->feature[i].at;
    plan->feature[plan->n_networks++] = (skv_feature_slot){network, state, plan->features};
    plan->features += network->n_features;
    return plan->features - network->n_features;
}

skv_status skv_record_plan_make(skv_record_plan *out, const skv_pairs *pairs,
                                const skv_networks *networks, const skv_against *against)
{
    size_t n = 0;

    *out = (skv_record_plan){.numbers = 1};
    while (skv_metrics[n])
        n++;
    SKV_TRY(skv_alloc(&out->slot, n, sizeof *out->slot, "metrics"));
    SKV_TRY(skv_alloc(&out->feature, n, sizeof *out->feature, "metrics"));
    for (size_t i = 0; i < n; i++) {
        const skv_metric *m = skv_metrics[i];
        skv_slot *slot = &out->slot[out->n_slots];

        if (!can_compute(m, pairs, networks, against))
            continue;
        *slot = (skv_slot){.metric = m,
                           .network = skv_networks_state(networks, m->network),
                           .at = out->numbers,
                           .width = width_of(m, pairs)};
        out->numbers += slot->width;
        if (m->kind == SKV_METRIC_OF_SET)
            slot->feature_at = place_features(out, m->network, slot->network);
        out->n_slots++;
    }
    return SKV_OK;
}

void skv_record_plan_clear(skv_record_plan *plan)
{
    free(plan->slot);
    free(plan->feature);
    *plan = (skv_record_plan){0};
}
