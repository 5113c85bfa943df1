/* PyramidKV: SnapKV's choice with a capacity that falls linearly with depth.
 *
 * The release's integer step leaves more than N·base tokens in all, and gives every layer the same
 * when the cache is shorter than twice the budget; mode `exact` spreads the same line over exactly
 * N·base. Layers differ in length here: the table is made for the longest, layer 0.
 * Spec cache-policies.md §2. */
#include <stdlib.h>
#include <string.h>

#include "cache/select.h"

struct skv_policy_state {
    int base;
    skv_schedule schedule;
    int64_t window, kernel, beta;
    char *mode, *pooling;
    int capacity[SKV_MAX_SCALES][SKV_MAX_DEPTH];
};

static const skv_option options[] = {
    {.key = "window",
     .type = SKV_OPT_INT,
     .offset = offsetof(skv_policy_state, window),
     .fallback = "16",
     .help = "last tokens of the map that observe, and stay"},
    {.key = "kernel",
     .type = SKV_OPT_INT,
     .offset = offsetof(skv_policy_state, kernel),
     .fallback = "5",
     .help = "width of the pooling along the cache, odd"},
    {.key = "pooling",
     .type = SKV_OPT_STRING,
     .offset = offsetof(skv_policy_state, pooling),
     .fallback = "avg",
     .help = "avg or max"},
    {.key = "beta",
     .type = SKV_OPT_INT,
     .offset = offsetof(skv_policy_state, beta),
     .fallback = "20",
     .help = "the last layer has the average divided by this, beside its window"},
    {.key = "mode",
     .type = SKV_OPT_STRING,
     .offset = offsetof(skv_policy_state, mode),
     .fallback = "exact",
     .help = "exact (all layers' sum is the budget) or release"},
    {.key = NULL},
};

static void destroy(skv_policy_state *s)
{
    if (s)
        skv_options_clear(options, s);
    free(s);
}

/* Capacities of all n layers when layer 0 holds len tokens, len > base. */
static void fill_row(int *capacity, const skv_policy_state *s, int n, int len)
{
    int64_t base = s->base, w = s->window, c = base - w;
    int64_t lo = c > 0 ? c / s->beta : 0, hi = 2 * c - lo, left = n * base;
    bool release = strcmp(s->mode, "release") == 0;

    if (hi >= len - w) {
        hi = len - w;
        lo = 2 * c - hi;
    }
    for (int l = 0; l < n; l++) {
        if (c <= 0 || n == 1 || (release && len < 2 * c))
            capacity[l] = s->base;
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
        if (held <= s->base)
            continue;
        fill_row(s->capacity[si], s, n_layers, held);
        if (held > s->capacity[si][0])
            held = s->capacity[si][0];
    }
}

static skv_status check(const skv_policy_state *s)
{
    SKV_TRY(skv_select__check("pyramidkv", s->window, s->kernel));
    if (s->beta < 1 || s->beta > 1000000)
        return skv_fail(SKV_E_ARG, "policy pyramidkv: beta is %lld, want 1 to 1000000",
                        (long long)s->beta);
    if (!s->mode || (strcmp(s->mode, "exact") != 0 && strcmp(s->mode, "release") != 0))
        return skv_fail(SKV_E_ARG, "policy pyramidkv: mode is %s, want exact or release",
                        s->mode ? s->mode : "not given");
    if (!s->pooling || (strcmp(s->pooling, "avg") != 0 && strcmp(s->pooling, "max") != 0))
        return skv_fail(SKV_E_ARG, "policy pyramidkv: pooling is %s, want avg or max",
                        s->pooling ? s->pooling : "not given");
    return SKV_OK;
}

static skv_status configure(skv_policy_state **out, const skv_policy_setup *setup)
{
    skv_status st = SKV_OK;
    skv_policy_state *s = NULL;

    SKV_TRY_GOTO(skv_alloc(&s, 1, sizeof *s, "policy pyramidkv"), done);
    SKV_TRY_GOTO(skv_options_defaults(options, s), done);
    if (setup->options)
        SKV_TRY_GOTO(
            skv_options_from_json(options, s, setup->options, "options of policy pyramidkv", NULL),
            done);
    SKV_TRY_GOTO(check(s), done);
    s->base = setup->base;
    s->schedule = *setup->schedule;
    fill_table(s, setup->dims->depth);
    *out = s;
    s = NULL;
done:
    destroy(s);
    return st;
}

static int capacity(const skv_policy_state *s, int layer, int head, int si)
{
    (void)head;
    return s->capacity[si][layer];
}

static skv_status select_kept(const skv_policy_state *s, skv_backend *be, const skv_select_args *a)
{
    return skv_select__recent_window(
        be, a,
        &(skv_select__recent){.window = (int)s->window,
                              .kernel = (int)s->kernel,
                              .pool_max = strcmp(s->pooling, "max") == 0,
                              .tokens = skv_schedule_tokens(&s->schedule, a->si)});
}

static skv_status report(const skv_policy_state *s, json_t **out)
{
    return skv_select__report(out, options, s, s->base);
}

const skv_policy skv_policy_pyramidkv = {.name = "pyramidkv",
                                         .help = "PyramidKV: SnapKV, more for the first layers",
                                         .options = options,
                                         .configure = configure,
                                         .capacity = capacity,
                                         .queries = skv_select__true_queries,
                                         .select = select_kept,
                                         .scratch_bytes = skv_select__scores_bytes,
                                         .report = report,
                                         .destroy = destroy};
