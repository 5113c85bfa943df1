#include "calibrate/expectation.h"

#include <stdlib.h>

#include "core/mem.h"

#define PERCENT 10 /* of the released tables */

/* The rules for one index of one K': as many pairs as released, the gap, as many layers as the
 * first released scale has, layers before the gap. */
static skv_status try_rules(skv_expectation *out, int *n, const skv_asi *asi,
                            const skv_drafters *want, const skv_asi_choice *choice, int first)
{
    const skv_draft_choice rules[] = {
        {SKV_DRAFT_COUNT, skv_drafters_count(want, first, asi->scales), first},
        {SKV_DRAFT_GAP, 0, first},
        {SKV_DRAFT_LAYERS, skv_drafters_count(want, first, first + 1), first},
        {SKV_DRAFT_LAYERS, 0, first}};

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        skv_drafters set;

        SKV_TRY(skv_drafters_choose(&set, asi, &rules[i]));
        out[(*n)++] = (skv_expectation){*choice, rules[i].rule, rules[i].count,
                                        skv_drafters_overlap(&set, want, first, asi->scales)};
    }
    return SKV_OK;
}

skv_status skv_expect_released(skv_expectation *out, int *n, const skv_calibration *c,
                               const skv_dims *dims)
{
    const skv_measures *m = &c->what;
    const int first = skv_first_on_cut(&m->schedule, skv_policy_base(PERCENT, &m->schedule));
    double *mean = NULL;
    skv_drafters want;
    skv_status st = SKV_OK;

    *n = 0;
    SKV_TRY(skv_drafters_known(&want, dims));
    SKV_TRY(skv_alloc(&mean, skv_briefs(m), sizeof *mean, "figures"));
    skv_brief_mean(mean, c, NULL, c->n);
    for (int i = 0; i < m->n_tops * 9 && st == SKV_OK; i++) {
        const skv_asi_choice choice = {(skv_which_rows)(i % 3), (skv_index)(i / 3 % 3), i / 9};
        skv_asi asi;

        if (choice.rows != SKV_ROWS_COND && m->kinds < 2)
            continue;
        skv_asi_make(&asi, m, mean, &choice);
        st = try_rules(out, n, &asi, &want, &choice, first);
    }
    free(mean);
    return st;
}
