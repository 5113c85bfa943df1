/* PyramidKV: SnapKV's choice with a capacity that falls linearly with depth.
 *
 * The release's integer step leaves more than N·base tokens in all, and gives every layer the same
 * when the cache is shorter than twice the budget; mode `exact` spreads the same line over exactly
 * N·base. Layers differ in length here: the table is made for the longest, layer 0.
 * See src/cache/README.md, Policies. */
#include <string.h>

#include "cache/select.h"

struct skv_policy_state {
    skv_plain plain;
    skv_schedule schedule;
    skv_recent recent;
    int64_t beta;
    char *mode;
    int capacity[SKV_MAX_SCALES][SKV_MAX_DEPTH];
};

static const skv_option options[] = {
    SKV_RECENT_OPTIONS(recent),
    {.key = "beta",
     .type = SKV_OPT_INT,
     .offset = offsetof(skv_policy_state, beta),
     .fallback = "20",
     .help = "the last layer keeps the average divided by this, besides its window"},
    {.key = "mode",
     .type = SKV_OPT_STRING,
     .offset = offsetof(skv_policy_state, mode),
     .fallback = "exact",
     .help = "exact (all layers' sum is the budget) or release"},
    {.key = NULL},
};

/* Capacities of all n layers when layer 0 holds len tokens, len > base. */
static void fill_row(int *capacity, const skv_policy_state *s, int n, int len)
{
    int64_t base = s->plain.base, w = s->recent.window, c = base - w;
    int64_t lo = c > 0 ? c / s->beta : 0, hi = 2 * c - lo, left = n * base;
    bool release = strcmp(s->mode, "release") == 0;

    if (hi >= len - w) {
        hi = len - w;
        lo = 2 * c - hi;
    }
    for (int l = 0; l < n; l++) {
        if (c <= 0 || n == 1 || (release && len < 2 * c))
            capacity[l] = s->plain.base;
        else if (release)
            capacity[l] = (int)(hi - l * ((hi - lo) / (n - 1)) + w);
        else
            capacity[l] = (int)((hi * (n - 1) - l * (hi - lo)) / (n - 1) + w);
        left -= capacity[l];
    }
    /* The floors' remainder, one each from layer 0, as far as there are tokens to keep. */
    for (int l = 0; !release && left > 0; l = (l + 1) % n)
        if (capacity[l] < len) {
            capacity[l]++;
            left--;
        }
}

static void fill_table(skv_policy_state *s, int n_layers)
{
    int held = 0; /* by layer 0 */

    for (int si = 0; si < s->schedule.n_scales - 1; si++) {
        held += skv_schedule_tokens(&s->schedule, si);
        for (int l = 0; l < n_layers; l++)
            s->capacity[si][l] = SKV_KEEP_ALL;
        if (held <= s->plain.base)
            continue;
        fill_row(s->capacity[si], s, n_layers, held);
        if (held > s->capacity[si][0])
            held = s->capacity[si][0];
    }
}

static skv_status fill(skv_policy_state *s, const skv_policy_setup *setup)
{
    SKV_TRY(skv_recent__check(&s->recent));
    if (s->beta < 1 || s->beta > 1000000)
        return skv_fail(SKV_E_ARG, "beta is %lld, want 1 to 1000000", (long long)s->beta);
    if (!s->mode || (strcmp(s->mode, "exact") != 0 && strcmp(s->mode, "release") != 0))
        return skv_fail(SKV_E_ARG, "mode is %s, want exact or release",
                        s->mode ? s->mode : "not given");
    SKV_TRY(skv_plain__fill(s, setup));
    s->schedule = *setup->schedule;
    fill_table(s, setup->dims->depth);
    return SKV_OK;
}

static int capacity(const skv_policy_state *s, int layer, int head, int si)
{
    (void)head;
    return s->capacity[si][layer];
}

static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    return skv_recent__select(be, a, &s->recent, skv_schedule_tokens(&s->schedule, a->si));
}

const skv_policy skv_policy_pyramidkv = {.name = "pyramidkv",
                                         .help = "PyramidKV: SnapKV, more for the first layers",
                                         .options = options,
                                         .state_bytes = sizeof(skv_policy_state),
                                         .fill = fill,
                                         .capacity = capacity,
                                         .queries = skv_select__true_queries,
                                         .select = select_kept,
                                         .scratch_bytes = skv_select__scores_bytes,
                                         .base = skv_plain__base};
