#include "cache/policy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RELEASED_HISTORY 6425 /* tokens that the released budgets are counted in: square, 1M */
#define MAX_POLICIES     64

skv_status skv_policy_find(const skv_policy **out, const char *name)
{
    const char *names[MAX_POLICIES + 1] = {NULL};
    const char *nearest;

    for (int i = 0; i < MAX_POLICIES && skv_policies[i]; i++) {
        names[i] = skv_policies[i]->name;
        if (strcmp(names[i], name) == 0) {
            *out = skv_policies[i];
            return SKV_OK;
        }
    }
    nearest = skv_nearest(name, names);
    return skv_fail(SKV_E_NOTFOUND, "cache policy %s is not known%s%s%s", name,
                    nearest ? ", did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

static const skv_option no_options[] = {{.key = NULL}};

static const skv_option *options_of(const skv_policy *policy)
{
    return policy->options ? policy->options : no_options;
}

void skv_policy_close(const skv_policy *policy, skv_policy_state *state)
{
    if (!state)
        return;
    skv_options_clear(options_of(policy), state);
    if (policy->release)
        policy->release(state);
    free(state);
}

skv_status skv_policy_open(skv_policy_state **out, const skv_policy *policy,
                           const skv_policy_setup *setup)
{
    skv_status st = SKV_OK;
    skv_policy_state *s = NULL;
    char title[96];

    snprintf(title, sizeof title, "options of policy %.64s", policy->name);
    SKV_TRY_GOTO(skv_alloc(&s, 1, policy->state_bytes, "policy"), done);
    SKV_TRY_GOTO(skv_options_defaults(options_of(policy), s), done);
    if (setup->options)
        SKV_TRY_GOTO(skv_options_from_json(options_of(policy), s, setup->options, title, NULL),
                     done);
    if (policy->fill) {
        st = policy->fill(s, setup);
        if (st != SKV_OK) {
            skv_context("policy %s", policy->name);
            goto done;
        }
    }
    *out = s;
    s = NULL;
done:
    skv_policy_close(policy, s);
    return st;
}

skv_status skv_policy_report(json_t **out, const skv_policy *policy, const skv_policy_state *state)
{
    const int base = policy->base(state);
    json_t *options = NULL;
    skv_json_maker report;
    skv_status st = SKV_OK;

    SKV_TRY(skv_options_to_json(&options, options_of(policy), state));
    report = skv_json_object();
    skv_json_put(&report, "base", base == SKV_KEEP_ALL ? json_null() : json_integer(base));
    skv_json_put(&report, "options", options);
    if (policy->report)
        st = policy->report(state, &report);
    if (st != SKV_OK) {
        json_decref(skv_json_take(&report));
        return st;
    }
    return skv_json_finish(out, &report, "policy report");
}

int skv_policy_base(double percent, const skv_schedule *schedule)
{
    double released = percent == 4 ? 265 : 65 * percent;
    double base = floor(released * skv_schedule_history(schedule) / RELEASED_HISTORY + 0.5);

    if (!(base >= 1))
        return 1;
    return base < SKV_KEEP_ALL ? (int)base : SKV_KEEP_ALL;
}
