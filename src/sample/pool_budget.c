#include "sample/pool_budget.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What a policy takes need not grow with each token (ScaleKV's rule, whole source scales), so that
 * the search by halves is followed by a look at some budgets above it. */
#define SLACK 16

skv_status skv_pool_parse(size_t *bytes, const char *text)
{
    static const struct {
        const char *unit;
        int shift;
    } units[] = {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}};
    const size_t digits = strspn(text, "0123456789");
    uint64_t n = 0;

    if (digits > 0 && digits < 19 && sscanf(text, "%" SCNu64, &n) == 1 && n > 0)
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (strcmp(text + digits, units[i].unit) == 0 && n <= SIZE_MAX >> units[i].shift) {
                *bytes = (size_t)n << units[i].shift;
                return SKV_OK;
            }
    return skv_fail(SKV_E_ARG, "--budget %s: want bytes, as in 512MiB (or KiB, GiB)", text);
}

/* Bytes of the pool at a budget. */
static skv_status pool(size_t *bytes, const skv_pool_of *of, int base)
{
    skv_policy_setup setup = *of->setup;
    skv_policy_state *state = NULL;
    skv_kv_plan *plan = NULL;
    skv_status st;

    setup.base = base;
    SKV_TRY(skv_policy_open(&state, of->policy, &setup));
    st =
        skv_kv_plan_make(&plan, of->policy, state, setup.dims, setup.schedule, of->rows, of->types);
    if (st == SKV_OK)
        *bytes = skv_kv_plan_pool_bytes(plan);
    skv_kv_plan_destroy(plan);
    skv_policy_close(of->policy, state);
    return st;
}

/* Whether a budget is taken by the policy and fits, with the bytes it takes in any case that it is
 * taken; else *bytes = 0. */
static skv_status fits(bool *yes, size_t *bytes, const skv_pool_of *of, int base, size_t limit)
{
    const skv_status st = pool(bytes, of, base);

    *yes = st == SKV_OK && *bytes <= limit;
    if (st == SKV_E_MEM)
        return st;
    if (st != SKV_OK)
        *bytes = 0;
    return SKV_OK;
}

/* No budget fits: says what the smallest ones take that the policy has. */
static skv_status refuse(const skv_pool_of *of, int most, size_t limit)
{
    size_t least = SIZE_MAX;
    int end = most;

    for (int b = 1; b <= end; b++) {
        size_t bytes;
        bool yes;

        SKV_TRY(fits(&yes, &bytes, of, b, limit));
        if (bytes > 0 && least == SIZE_MAX)
            end = b + SLACK < most ? b + SLACK : most;
        if (bytes > 0 && bytes < least)
            least = bytes;
    }
    return skv_fail(
        SKV_E_ARG, "its pool cannot be held in --budget's %zu bytes a group: it takes %zu at least",
        limit, least);
}

skv_status skv_pool_fit(int *base, size_t *bytes, const skv_pool_of *of, size_t limit)
{
    const int most = (int)skv_schedule_history(of->setup->schedule);
    int low = 0, high = most + 1; /* budgets that are not too many, and too many */
    bool yes;

    SKV_TRY(pool(bytes, of, most)); /* what is wrong with every budget is said as it is */
    while (low + 1 < high) {
        const int middle = low + (high - low) / 2;

        SKV_TRY(fits(&yes, bytes, of, middle, limit));
        if (yes || *bytes == 0) /* a budget that the policy refuses is too small for it */
            low = middle;
        else
            high = middle;
    }
    high = low + low / 4 + SLACK;
    for (*base = high < most ? high : most; *base >= 1; --*base) {
        SKV_TRY(fits(&yes, bytes, of, *base, limit));
        if (yes)
            return SKV_OK;
        if (*base < low && *bytes == 0)
            break;
    }
    return refuse(of, most, limit);
}
