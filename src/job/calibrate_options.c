#include "job/calibrate_options.h"

#include <string.h>

#include "core/outputs.h"
#include "sample/settings_rows.h"

#define ROW(...)  SKV_OPTION(skv_calibrate_options, __VA_ARGS__)
#define WORD(...) SKV_OPTION_WORD(skv_calibrate_options, __VA_ARGS__)

const skv_option skv_calibrate_table[] = {
    SKV_OPTION_CONFIG(skv_settings),
    SKV_SETTINGS_MODEL,
    SKV_SETTINGS_PROMPTS,
    SKV_SETTING_TEXT_CACHE,
    SKV_SETTINGS_DRAWS,
    SKV_SETTINGS_PICTURE,
    ROW(top, STRING, "64,16,256,1%",
        "numbers K' of best positions of earlier scales, or shares of them; the first ranks, all "
        "are recorded",
        "Measures"),
    ROW(queries, INT, "64", "queries of a head that are looked at, drawn from each map; 0: all",
        NULL),
    WORD(index, "asi|renormalised|htk", "asi",
         "what ranks: attention on the current map times that on the K' best positions; with the "
         "latter as a share of all earlier scales'; or the latter alone",
         NULL),
    WORD(rows, "cond|uncond|both", "cond", "which of guidance's two rows are ranked", NULL),
    ROW(percent, REALS, "4,10,20", "budgets, in percent of the full cache", "Budgets"),
    WORD(drafter_rule, "count|gap|layers", "gap",
         "drafters are the pairs of a layer and a scale with the lowest scores: --drafter-count of "
         "them; those before the largest gap; or the same layers at every scale, that many or "
         "those before the largest gap",
         NULL),
    ROW(drafter_count, INT, "0", "how many; 0: not given", NULL),
    WORD(expect, "released", NULL,
         "print which choice of the above gives exactly the released drafters of 2b or 8b (status "
         "1: none)",
         NULL),
    ROW(compare, STRING, NULL,
        "calibration.h5 of earlier calibrations (another aspect ratio, other prompts), "
        "comma-separated: how many of the drafters are the same",
        NULL),
    SKV_OPTION_FLAG(skv_settings, out, STRING, NULL, "folder of the calibration", "Calibration"),
    SKV_OPTION_FLAG(skv_settings, json, STRING, NULL,
                    "what is printed, or with --dry-run the plan " SKV_JSON_HELP, NULL),
    SKV_SETTING_DRY_RUN,
    SKV_SETTING(group_size, INT, "8", "rows computed in one batch", NULL),
    SKV_SETTINGS_DEVICE,
    {0}};

skv_status skv_calibrate_defaults(skv_calibrate_options *o)
{
    return skv_options_defaults(skv_settings_table, &o->run);
}

void skv_calibrate_clear(skv_calibrate_options *o)
{
    skv_options_clear(skv_calibrate_table, o);
    skv_options_clear(skv_settings_table, &o->run);
}

static int place_of(const char *word, const char *const *words)
{
    int i = 0;

    while (words[i] && strcmp(words[i], word) != 0)
        i++;
    return i;
}

static skv_status check_percents(const skv_reals *percent)
{
    if (percent->n > SKV_MAX_PERCENTS)
        return skv_fail(SKV_E_ARG, "--percent has %d values, want at most %d", percent->n,
                        SKV_MAX_PERCENTS);
    for (int i = 0; i < percent->n; i++) {
        if (!(percent->value[i] > 0) || percent->value[i] > 100)
            return skv_fail(SKV_E_ARG, "--percent %g is out of range, want above 0 to 100",
                            percent->value[i]);
        for (int k = 0; k < i; k++)
            if (percent->value[k] == percent->value[i])
                return skv_fail(SKV_E_ARG, "--percent names %g twice", percent->value[i]);
    }
    return SKV_OK;
}

skv_status skv_calibrate_check(skv_calibrate_choice *out, const skv_calibrate_options *o)
{
    static const char *const rows[] = {"cond", "uncond", "both", NULL};

    *out = (skv_calibrate_choice){
        .asi = {.rows = (skv_which_rows)place_of(o->rows, rows),
                .index = (skv_index)place_of(o->index, skv_index_names)},
        .rule = (skv_draft_rule)place_of(o->drafter_rule, skv_draft_rule_names)};
    SKV_TRY(skv_settings_check(&o->run));
    SKV_TRY(skv_tops_parse(&out->measures, o->top));
    SKV_TRY(check_percents(&o->percent));
    if (!o->run.out && !o->run.dry_run)
        return skv_fail(SKV_E_ARG, "--out is missing");
    if (o->queries < 0 || o->queries > SKV_STATS_QUERIES)
        return skv_fail(SKV_E_ARG, "--queries %lld is out of range, want 1 to %d, or 0 for all",
                        (long long)o->queries, SKV_STATS_QUERIES);
    if (o->drafter_count < 0 || o->drafter_count > SKV_MAX_SCALES * SKV_MAX_DEPTH)
        return skv_fail(SKV_E_ARG, "--drafter-count %lld is out of range, want 1 to %d",
                        (long long)o->drafter_count, SKV_MAX_SCALES * SKV_MAX_DEPTH);
    if (out->rule == SKV_DRAFT_COUNT && o->drafter_count == 0)
        return skv_fail(SKV_E_ARG, "--drafter-rule count wants --drafter-count");
    if (out->rule == SKV_DRAFT_GAP && o->drafter_count > 0)
        return skv_fail(SKV_E_ARG, "--drafter-count goes with --drafter-rule count or layers");
    if (out->asi.rows != SKV_ROWS_COND && !skv_settings_guided(&o->run))
        return skv_fail(SKV_E_ARG,
                        "--rows %s: without guidance (--cfg 1) there are only "
                        "conditional rows",
                        o->rows);
    return SKV_OK;
}
