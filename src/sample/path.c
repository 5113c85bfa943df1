#include "sample/path.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cache/budget.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/text.h"
#include "run/schema.h"
#include "sample/pool_budget.h"

/* One path as the user wrote it, before its policy is configured. */
typedef struct {
    const char *policy;
    char *budget_file, *orders; /* owned; NULL: none */
    char policy_text[64];
    double percent; /* 0: not given */
    int64_t tokens; /* 0: not given */
    skv_kv_dtype kv_dtype;
    bool reference;
    const json_t *options;
    int drafters[SKV_MAX_DEPTH], n_drafters;
} definition;

/* What a path is resolved for. */
typedef struct {
    const skv_settings *settings;
    const skv_dims *dims;
    const skv_schedule *schedule;
    skv_dtype kv;
} model_shape;

static skv_status check_name(const char *name)
{
    return skv_path_name_is_valid(name)
               ? SKV_OK
               : skv_fail(SKV_E_ARG, "path name \"%s\": want %s", name, SKV_PATH_NAME_RULE);
}

/* Takes "-fp8" off the end of a name. */
static skv_kv_dtype cut_kv_dtype(char *name)
{
    char *dash = strrchr(name, '-');

    for (int t = SKV_KV_WORK + 1; dash && t < SKV_KV_N_DTYPES; t++)
        if (strcmp(dash + 1, skv_kv_dtype_name((skv_kv_dtype)t)) == 0) {
            *dash = '\0';
            return (skv_kv_dtype)t;
        }
    return SKV_KV_WORK;
}

/* "scalekv-10", "scalekv-paper-4", "full", "snapkv-10-fp8"; with a budget of the run (pool)
 * "scalekv", too. */
static skv_status define_by_name(definition *d, const char *name, bool pool)
{
    char *dash, *end = NULL;

    d->policy = d->policy_text;
    snprintf(d->policy_text, sizeof d->policy_text, "%s", name);
    d->kv_dtype = cut_kv_dtype(d->policy_text);
    if (strcmp(d->policy_text, "full") == 0)
        return SKV_OK;
    dash = strrchr(d->policy_text, '-');
    if (dash && isdigit((unsigned char)dash[1])) {
        d->percent = strtod(dash + 1, &end);
        if (*end == '\0' && !(d->percent > 0 && d->percent <= 100))
            return skv_fail(SKV_E_ARG, "path %s: %s percent is out of range, want above 0 to 100",
                            name, dash + 1);
    }
    if (pool && !end)
        return SKV_OK;
    if (!end || *end != '\0')
        return skv_fail(SKV_E_ARG,
                        "path %s is not defined: want a name of path_definitions, or full, "
                        "<policy>-<percent>, e.g. scalekv-10, or with --budget <policy>, each also "
                        "with -fp8 or -int8 behind it",
                        name);
    *dash = '\0';
    return SKV_OK;
}

static skv_status drafters_from_json(definition *d, const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *v = json_array_get(list, i);

        if (!json_is_integer(v) || json_integer_value(v) < 0 ||
            json_integer_value(v) >= SKV_MAX_DEPTH || d->n_drafters == SKV_MAX_DEPTH)
            return skv_fail(SKV_E_ARG, "path %s: drafters want layer numbers below %d", name,
                            SKV_MAX_DEPTH);
        d->drafters[d->n_drafters++] = (int)json_integer_value(v);
    }
    return SKV_OK;
}

/* Relative to the config's folder, like every file that a config names. */
static skv_status named_file(char **out, const json_t *o, const char *key, const char *name,
                             const char *config)
{
    const char *file, *slash = config ? strrchr(config, '/') : NULL;
    char folder[4096];

    if (!json_object_get(o, key))
        return SKV_OK;
    SKV_TRY(skv_json_string(&file, o, key, name));
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - config) : 0,
             config ? config : "");
    return skv_path_join(out, slash ? folder : NULL, file);
}

/* In the record of one definition: the same file by its whole name. */
static skv_status record_file(json_t *o, const char *key, const char *config)
{
    skv_json_maker entry;
    char *file = NULL, *absolute = NULL;
    skv_status st = named_file(&file, o, key, "path_definitions", config);

    if (st == SKV_OK && file)
        st = skv_path_absolute(&absolute, file);
    if (st == SKV_OK && absolute) {
        entry = skv_json_extend(o);
        skv_json_put(&entry, key, skv_json_foreign(absolute));
        st = skv_json_finish(NULL, &entry, "path_definitions");
    }
    free(file);
    free(absolute);
    return st;
}

skv_status skv_paths_record(json_t *record, const skv_settings *s)
{
    json_t *list = json_object_get(record, "path_definitions");

    for (size_t i = 0; i < json_array_size(list); i++) {
        SKV_TRY(record_file(json_array_get(list, i), "budget_file", s->config));
        SKV_TRY(record_file(json_array_get(list, i), "orders", s->config));
    }
    return SKV_OK;
}

static skv_status define_from_json(definition *d, const json_t *o, const char *name,
                                   const char *config)
{
    static const char *const keys[] = {"name",        "policy",   "percent", "tokens",
                                       "budget_file", "drafters", "orders",  "options",
                                       "reference",   "kv_dtype", NULL};
    const char *key, *kv_dtype;
    skv_status st;
    const json_t *v;

    json_object_foreach((json_t *)(uintptr_t)o, key, v)
    {
        bool known = false;

        for (const char *const *k = keys; *k; k++)
            known = known || strcmp(*k, key) == 0;
        if (!known) {
            const char *near = skv_nearest(key, keys);

            return skv_fail(SKV_E_ARG, "path %s: unknown key \"%s\"%s%s", name, key,
                            near ? ", nearest is " : "", near ? near : "");
        }
    }
    SKV_TRY(skv_json_string(&d->policy, o, "policy", name));
    if (json_object_get(o, "percent"))
        SKV_TRY(skv_json_real(&d->percent, o, "percent", name));
    if (json_object_get(o, "tokens"))
        SKV_TRY(skv_json_int(&d->tokens, o, "tokens", name));
    SKV_TRY(named_file(&d->budget_file, o, "budget_file", name, config));
    SKV_TRY(named_file(&d->orders, o, "orders", name, config));
    if (json_object_get(o, "kv_dtype")) {
        SKV_TRY(skv_json_string(&kv_dtype, o, "kv_dtype", name));
        st = skv_kv_dtype_find(&d->kv_dtype, kv_dtype);
        if (st != SKV_OK) {
            skv_context("path %s", name);
            return st;
        }
    }
    d->reference = json_is_true(json_object_get(o, "reference"));
    d->options = json_object_get(o, "options");
    return drafters_from_json(d, json_object_get(o, "drafters"), name);
}

static const json_t *find_definition(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *o = json_array_get(list, i);
        const char *n = json_string_value(json_object_get(o, "name"));

        if (n && strcmp(n, name) == 0)
            return o;
    }
    return NULL;
}

/* Only ScaleKV's budget can come from a file alone. */
static bool is_scalekv(const char *policy)
{
    return strncmp(policy, "scalekv", 7) == 0;
}

/* Whether the run's --budget says how much the path holds. */
static bool takes_pool(const definition *d, const skv_settings *s)
{
    return s->budget && d->percent == 0 && d->tokens == 0 && !d->budget_file &&
           strcmp(d->policy, "full") != 0;
}

static skv_status base_tokens(int *out, const definition *d, const skv_schedule *schedule)
{
    *out = SKV_KEEP_ALL;
    if (strcmp(d->policy, "full") == 0)
        return SKV_OK;
    if ((d->percent > 0) == (d->tokens > 0) && !(d->budget_file && is_scalekv(d->policy)))
        return skv_fail(SKV_E_ARG, "want a budget: percent, tokens, or the run's --budget");
    if (d->percent < 0 || d->percent > 100 || d->tokens < 0 || d->tokens > INT_MAX / 4)
        return skv_fail(SKV_E_ARG,
                        "the budget is out of range, want percent above 0 to 100, or "
                        "tokens from 1 to %d",
                        INT_MAX / 4);
    if (d->tokens > 0)
        *out = (int)d->tokens;
    else if (d->percent > 0)
        *out = skv_policy_base(d->percent, schedule);
    return SKV_OK;
}

/* What the path is, as JSON and as the text that the path's digest is taken over. */
static skv_status describe(skv_path *p)
{
    skv_json_maker report;

    SKV_TRY(skv_policy_report(&p->report, p->policy, p->state));
    report = skv_json_extend(p->report);
    skv_json_put(&report, "policy", json_string(p->policy->name));
    if (p->base != SKV_KEEP_ALL)
        skv_json_put(&report, "base_tokens", json_integer(p->base));
    if (p->kv_dtype != SKV_KV_WORK)
        skv_json_put(&report, "kv_dtype", json_string(skv_kv_dtype_name(p->kv_dtype)));
    SKV_TRY(skv_json_finish(NULL, &report, p->name));
    return skv_json_print(&p->digest_text, p->report, SKV_JSON_SORTED);
}

/* setup->base of a path that takes the run's --budget. */
static skv_status fit_pool(skv_policy_setup *setup, const skv_path *p, const model_shape *m)
{
    const skv_settings *s = m->settings;
    const skv_pool_of of = {.policy = p->policy,
                            .setup = setup,
                            .rows = (int)s->group_size * (skv_settings_guided(s) ? 2 : 1),
                            .types = {m->kv, p->kv_dtype}};
    size_t limit, bytes;

    SKV_TRY(skv_pool_parse(&limit, s->budget));
    SKV_TRY(skv_pool_fit(&setup->base, &bytes, &of, limit));
    skv_info("path %s: %d token%s a layer, %zu of --budget's %zu bytes a group%s", p->name,
             setup->base, skv_s(setup->base), bytes, limit,
             setup->base < skv_schedule_history(setup->schedule) ? "" : ": all of the cache");
    return SKV_OK;
}

static skv_status configure(skv_path *p, const definition *d, const model_shape *m)
{
    const skv_settings *s = m->settings;
    skv_policy_setup setup = {.dims = m->dims,
                              .schedule = m->schedule,
                              .budget_file = d->budget_file ? d->budget_file : s->budget_file,
                              .orders_file = d->orders ? d->orders : s->orders,
                              .drafters = d->drafters,
                              .n_drafters = d->n_drafters,
                              .options = d->options};
    int from_settings[SKV_MAX_DEPTH];

    if (!takes_pool(d, s))
        SKV_TRY(base_tokens(&setup.base, d, m->schedule));
    SKV_TRY(skv_policy_find(&p->policy, d->policy));
    if (setup.n_drafters == 0 && s->drafters.n > 0) {
        setup.drafters = from_settings;
        for (int i = 0; i < s->drafters.n; i++) /* few and small: skv_settings_check */
            from_settings[setup.n_drafters++] = (int)s->drafters.value[i];
    }
    p->kv_dtype = d->kv_dtype;
    if (takes_pool(d, s))
        SKV_TRY(fit_pool(&setup, p, m));
    p->base = setup.base;
    p->in_bytes = takes_pool(d, s);
    SKV_TRY(skv_policy_open(&p->state, p->policy, &setup));
    p->reference = d->reference;
    return describe(p);
}

/* Whatever contradicts the path's definition is the user's mistake, wherever it is found: an
 * unknown policy, a budget file that is missing or made for another model. What a budget file says
 * is a setting like the config's. Memory and disk are not. */
static skv_status as_usage(skv_status st)
{
    return st == SKV_E_FORMAT || st == SKV_E_UNSUPPORTED ? SKV_E_ARG : skv_option_opened(NULL, st);
}

/* *never: the path keeps everything at this size. */
static skv_status never_cuts(bool *never, const skv_path *p, const model_shape *m)
{
    skv_kv_plan *plan = NULL;

    SKV_TRY(skv_kv_plan_make(&plan, p->policy, p->state, m->dims, m->schedule, 1,
                             (skv_kv_types){m->kv, p->kv_dtype}));
    *never = !skv_kv_plan_cuts(plan);
    skv_kv_plan_destroy(plan);
    return SKV_OK;
}

static void clear_path(skv_path *p)
{
    if (p->policy && p->state)
        skv_policy_close(p->policy, p->state);
    json_decref(p->report);
    free(p->digest_text);
}

/* With leave_out: takes the last path off the list again where it is of no use, and says why.
 * st: what configuring it gave, which stays where it is another mistake: its name, memory. */
static skv_status leave_out(skv_paths *out, const model_shape *m, skv_status st)
{
    skv_path *p = &out->path[out->n - 1];
    bool never = false;

    if (!m->settings->leave_out || (st != SKV_OK && (st == SKV_E_MEM || !p->policy)))
        return st;
    if (st == SKV_OK && strcmp(p->policy->name, "full") != 0)
        SKV_TRY(never_cuts(&never, p, m));
    if (st == SKV_OK && !never)
        return SKV_OK;
    if (st == SKV_OK)
        skv_info("path %s is left out: it would keep everything", p->name);
    else
        skv_info("path %s is left out: %s", p->name, skv_message());
    clear_path(p);
    out->n--;
    return SKV_OK;
}

static skv_status add(skv_paths *out, const char *name, const model_shape *m)
{
    const skv_settings *s = m->settings;
    const json_t *o = find_definition(s->path_definitions, name);
    skv_path *p;
    definition d = {0};
    skv_status st;

    SKV_TRY(skv_grow(&out->path, (size_t)out->n, sizeof *out->path, name));
    SKV_TRY(check_name(name));
    for (int i = 0; i < out->n; i++)
        if (strcmp(out->path[i].name, name) == 0)
            return skv_fail(SKV_E_ARG, "path %s is named twice", name);
    p = &out->path[out->n];
    *p = (skv_path){0};
    snprintf(p->name, sizeof p->name, "%s", name);
    out->n++;
    st = o ? define_from_json(&d, o, name, s->config) : define_by_name(&d, name, s->budget != NULL);
    if (st == SKV_OK) {
        st = leave_out(out, m, configure(p, &d, m));
        if (st != SKV_OK)
            skv_context("path %s", name);
    }
    free(d.budget_file);
    free(d.orders);
    return as_usage(st);
}

/* The reference is the one marked so, otherwise the first full cache as computed, otherwise none.
 */
static skv_status choose_reference(skv_paths *p)
{
    int marked = 0;

    for (int i = 0; i < p->n; i++)
        marked += p->path[i].reference;
    if (marked > 1)
        return skv_fail(SKV_E_ARG, "%d paths are marked as the reference, want one", marked);
    for (int i = 0; i < p->n && marked == 0; i++)
        if (strcmp(p->path[i].policy->name, "full") == 0 && p->path[i].kv_dtype == SKV_KV_WORK)
            marked = p->path[i].reference = true;
    return SKV_OK;
}

/* Settings that one policy alone reads are said to be without effect where no path has it. A budget
 * file is checked all the same: it was named. */
static skv_status check_unused(const skv_paths *p, const model_shape *m)
{
    const skv_settings *s = m->settings;
    skv_budget *budget = NULL;

    bool scalekv = false, ordered = false, in_bytes = false;

    for (int i = 0; i < p->n; i++) {
        scalekv = scalekv || is_scalekv(p->path[i].policy->name);
        in_bytes = in_bytes || p->path[i].in_bytes;
        ordered = ordered || json_object_get(p->path[i].report, "orders");
    }
    if (s->budget && !in_bytes)
        skv_warn("--budget has no effect: every path says how much it holds");
    if (s->orders && !ordered)
        skv_warn("--orders has no effect: no path is HeatKV's or HACK's");
    if (scalekv)
        return SKV_OK;
    if (s->budget_file) {
        const skv_status st = skv_budget_load(&budget, s->budget_file, m->dims, m->schedule);

        skv_budget_destroy(budget);
        SKV_TRY(as_usage(skv_option_opened("--budget-file", st)));
        skv_warn("--budget-file has no effect: no path is ScaleKV's");
    }
    if (s->drafters.n > 0)
        skv_info("--drafters has no effect: no path is ScaleKV's");
    return SKV_OK;
}

/* Bytes of a list's first item: to the first comma outside braces. */
static size_t item_length(const char *list)
{
    size_t n = strcspn(list, ",{");

    if (list[n] == '{')
        n += strcspn(list + n, "}");
    return n + strcspn(list + n, ",");
}

/* Name number `word` of an item of n bytes: "snapkv-{2,4}" is snapkv-2, then snapkv-4. *more:
 * whether another one follows. */
static skv_status name_of_item(char name[64], bool *more, const char *item, size_t n, int word)
{
    const char *open = memchr(item, '{', n), *end = item + n;
    const char *close = open ? memchr(open, '}', (size_t)(end - open)) : NULL, *at = open;
    int length;

    *more = false;
    if (open && !close)
        return skv_fail(SKV_E_ARG, "--paths: \"%.*s\" has no closing brace", (int)n, item);
    for (int i = 0; open && i < word; i++)
        at += 1 + strcspn(at + 1, ",}");
    if (open) {
        const int chosen = (int)strcspn(at + 1, ",}");

        *more = at[1 + chosen] == ',';
        length = snprintf(name, 64, "%.*s%.*s%.*s", (int)(open - item), item, chosen, at + 1,
                          (int)(end - close - 1), close + 1);
    } else {
        length = snprintf(name, 64, "%.*s", (int)n, item);
    }
    if (length >= 64)
        return skv_fail(SKV_E_ARG, "--paths: a name of %d characters, want at most 63", length);
    return SKV_OK;
}

skv_status skv_paths_resolve(skv_paths *out, const skv_settings *s, const skv_dims *dims,
                             const skv_schedule *schedule, skv_dtype kv)
{
    const model_shape m = {s, dims, schedule, kv};
    const char *p = s->paths ? s->paths : json_array_size(s->path_definitions) ? "" : "full";
    skv_paths paths = {0};
    skv_status st = SKV_OK;
    char name[64];

    if (s->path_definitions && !json_is_array(s->path_definitions))
        return skv_fail(SKV_E_ARG, "path_definitions: want a list of objects");
    for (size_t i = 0; !s->paths && i < json_array_size(s->path_definitions); i++) {
        const char *defined;

        SKV_TRY_GOTO(skv_json_string(&defined, json_array_get(s->path_definitions, i), "name",
                                     "path_definitions"),
                     done);
        SKV_TRY_GOTO(add(&paths, defined, &m), done);
    }
    while (*p) {
        const size_t n = item_length(p);
        bool more = true;

        for (int word = 0; more; word++) {
            SKV_TRY_GOTO(name_of_item(name, &more, p, n, word), done);
            SKV_TRY_GOTO(add(&paths, name, &m), done);
        }
        p += n + (p[n] == ',');
    }
    if (paths.n == 0 && s->leave_out) {
        st = skv_fail(SKV_E_ARG, "every path was left out (--leave-out)");
        goto done;
    }
    SKV_TRY_GOTO(choose_reference(&paths), done);
    SKV_TRY_GOTO(check_unused(&paths, &m), done);
    *out = paths;
    paths = (skv_paths){0};
done:
    skv_paths_clear(&paths);
    return st;
}

void skv_paths_clear(skv_paths *p)
{
    for (int i = 0; i < p->n; i++)
        clear_path(&p->path[i]);
    free(p->path);
    *p = (skv_paths){0};
}
