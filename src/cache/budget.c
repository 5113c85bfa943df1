#include "cache/budget.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cache/budget_internal.h"
#include "core/mem.h"

#define FLOOR_AT_650 200 /* the released tables' least Min, at an average of 650 */

static int count_bits(uint64_t bits)
{
    int n = 0;

    for (; bits; bits &= bits - 1)
        n++;
    return n;
}

skv_status skv_drafters_known(skv_drafters *out, const skv_dims *dims)
{
    uint64_t layers;

    if (strcmp(dims->name, "2b") == 0)
        layers = (uint64_t)1 | (uint64_t)1 << 23;
    else if (strcmp(dims->name, "8b") == 0)
        layers = 7;
    else
        return skv_fail(SKV_E_NOTFOUND,
                        "no drafter layers are known for model %s: name them with --drafters, or "
                        "give a budget file",
                        dims->name[0] ? dims->name : "of these dimensions");
    for (int si = 0; si < SKV_MAX_SCALES; si++)
        out->layers[si] = layers;
    if (strcmp(dims->name, "2b") == 0)
        out->layers[13 - 2] = 1;
    return SKV_OK;
}

skv_status skv_drafters_uniform(skv_drafters *out, const skv_dims *dims, const int *layers, int n)
{
    uint64_t bits = 0;

    if (n < 1)
        return skv_fail(SKV_E_ARG, "drafters: want at least one layer");
    for (int i = 0; i < n; i++) {
        if (layers[i] < 0 || layers[i] >= dims->depth)
            return skv_fail(SKV_E_ARG, "drafters: layer %d is not one of the model's 0 to %d",
                            layers[i], dims->depth - 1);
        if (i > 0 && layers[i] <= layers[i - 1])
            return skv_fail(SKV_E_ARG, "drafters: layer %d after %d, want them ascending",
                            layers[i], layers[i - 1]);
        bits |= (uint64_t)1 << layers[i];
    }
    for (int si = 0; si < SKV_MAX_SCALES; si++)
        out->layers[si] = bits;
    return SKV_OK;
}

int skv_budget_floor(int base, int window)
{
    int64_t floor = (int64_t)FLOOR_AT_650 * base / 650;

    return floor > window ? (int)floor : window;
}

skv_status skv_budget__new(skv_budget **out, const skv_dims *dims, const skv_schedule *schedule)
{
    skv_budget *b;

    SKV_TRY(skv_alloc(&b, 1, sizeof *b, "budget table"));
    b->depth = dims->depth;
    b->schedule = *schedule;
    b->first = schedule->n_scales - 1;
    *out = b;
    return SKV_OK;
}

/* Smallest m >= floor for which Max is a whole number within the limit. Never rounded: rows whose
 * quotient is fractional are skipped (8B at scale 10 would otherwise be 583/1476). m = base always
 * fits, since the limit is at least base. */
static void solve_row(skv_budget__row *r, int depth, int base, int floor)
{
    int n = count_bits(r->drafters);

    r->max = r->min = base;
    for (int m = floor; n > 0 && m <= base; m++) {
        int64_t rest = (int64_t)depth * base - (int64_t)(depth - n) * m;

        if (rest % n == 0 && rest / n <= r->limit) {
            r->max = (int)(rest / n);
            r->min = m;
            return;
        }
    }
}

skv_status skv_budget_build(skv_budget **out, const skv_budget_rule *rule)
{
    const skv_schedule *s = rule->schedule;
    skv_budget *b;
    int held = 0; /* by a drafter */

    if (rule->base < rule->floor)
        return skv_fail(SKV_E_ARG,
                        "a budget of %d tokens a layer is below the least capacity of %d tokens "
                        "(the observation window, or the floor of the rule)",
                        rule->base, rule->floor);
    SKV_TRY(skv_budget__new(&b, rule->dims, s));
    for (int si = 0; si < s->n_scales - 1; si++) {
        int limit = held + skv_schedule_tokens(s, si);

        held = limit;
        if (s->start[si + 1] <= rule->base)
            continue;
        if (si < b->first)
            b->first = si;
        b->rows[si] = (skv_budget__row){.limit = limit, .drafters = rule->drafters.layers[si]};
        solve_row(&b->rows[si], b->depth, rule->base, rule->floor);
        held = b->rows[si].max;
    }
    *out = b;
    return SKV_OK;
}

skv_status skv_budget_from_rows(skv_budget **out, const skv_dims *dims,
                                const skv_schedule *schedule, const skv_budget_row *rows, int n,
                                const skv_drafters *drafters, const char *name)
{
    skv_status st = SKV_OK;
    skv_budget *b = NULL;
    int n_scales = schedule->n_scales;

    SKV_TRY_GOTO(skv_budget__new(&b, dims, schedule), done);
    for (int i = 0; i < n; i++) {
        int want = n_scales - n + 1 + i, si = rows[i].scale - 2;

        if (rows[i].scale != want || want < 2)
            SKV_TRY_GOTO(skv_fail(SKV_E_FORMAT,
                                  "%s: budget row %d is for scale %d, want scale %d of %d", name, i,
                                  rows[i].scale, want, n_scales),
                         done);
        if (i == 0)
            b->first = si;
        b->rows[si] = (skv_budget__row){.limit = rows[i].limit,
                                        .max = rows[i].max,
                                        .min = rows[i].min,
                                        .drafters = drafters->layers[si]};
    }
    SKV_TRY_GOTO(skv_budget_check(b, dims, schedule, name), done);
    *out = b;
    b = NULL;
done:
    skv_budget_destroy(b);
    return st;
}

skv_status skv_budget_copy(skv_budget **out, const skv_budget *budget)
{
    skv_budget *b;

    SKV_TRY(skv_alloc(&b, 1, sizeof *b, "budget table"));
    *b = *budget;
    *out = b;
    return SKV_OK;
}

void skv_budget_destroy(skv_budget *budget)
{
    free(budget);
}

skv_status skv_budget_check(const skv_budget *budget, const skv_dims *dims,
                            const skv_schedule *schedule, const char *name)
{
    int held = 0; /* by a drafter: all tokens before the first row, its Max from then on */

    if (budget->depth != dims->depth)
        return skv_fail(SKV_E_FORMAT, "%s: made for %d layers, the model has %d", name,
                        budget->depth, dims->depth);
    if (budget->schedule.n_scales != schedule->n_scales)
        return skv_fail(SKV_E_FORMAT, "%s: made for %d scales, the schedule has %d", name,
                        budget->schedule.n_scales, schedule->n_scales);
    for (int si = 0; si < schedule->n_scales - 1; si++) {
        const skv_budget__row *r = &budget->rows[si];

        held += skv_schedule_tokens(schedule, si);
        if (si < budget->first)
            continue;
        if (r->min < 1 || r->max < r->min || r->max > r->limit)
            return skv_fail(SKV_E_FORMAT,
                            "%s: \"Scale %d\" has Min %d, Max %d, Limit %d, want 1 <= Min <= Max "
                            "<= Limit",
                            name, si + 2, r->min, r->max, r->limit);
        if (r->limit != held)
            return skv_fail(SKV_E_FORMAT,
                            "%s: \"Scale %d\" has Limit %d, which is %d on this schedule (ratio "
                            "%g, %s): the table was made for another one",
                            name, si + 2, r->limit, held, schedule->ratio, schedule->resolution);
        held = r->max;
    }
    return SKV_OK;
}

int skv_budget_capacity(const skv_budget *budget, int layer, int si)
{
    assert(layer >= 0 && layer < budget->depth && si >= 0 && si < budget->schedule.n_scales - 1);
    if (si < budget->first)
        return SKV_KEEP_ALL;
    return budget->rows[si].drafters >> layer & 1 ? budget->rows[si].max : budget->rows[si].min;
}

int skv_budget_first(const skv_budget *budget)
{
    return budget->first;
}

skv_budget_row skv_budget_row_at(const skv_budget *budget, int si, int *n_drafters)
{
    const skv_budget__row *r = &budget->rows[si];

    assert(si >= budget->first && si < budget->schedule.n_scales - 1);
    *n_drafters = count_bits(r->drafters);
    return (skv_budget_row){.scale = si + 2, .limit = r->limit, .max = r->max, .min = r->min};
}

double skv_budget_average(const skv_budget *budget)
{
    double most = 0;

    for (int si = budget->first; si < budget->schedule.n_scales - 1; si++) {
        const skv_budget__row *r = &budget->rows[si];
        int n = count_bits(r->drafters);
        double mean = ((double)n * r->max + (double)(budget->depth - n) * r->min) / budget->depth;

        most = mean > most ? mean : most;
    }
    return most;
}
