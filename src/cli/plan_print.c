/* The plan of a run, and of a GPU that need not be there: lines for people, and data. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "cli/print_text.h"
#include "cli/sample_print.h"
#include "core/clock.h"
#include "core/escape.h"
#include "core/log.h"
#include "core/text.h"
#include "sample/estimate.h"

static void say(bool result, const char *fmt, ...) SKV_PRINTF(2, 3);

static void say(bool result, const char *fmt, ...)
{
    char line[512], safe[2048];
    va_list args;

    va_start(args, fmt);
    vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    (void)skv_escape(safe, sizeof safe, line); /* prompts and host names are foreign */
    if (result)
        printf("%s\n", safe);
    else
        skv_info("%s", line);
}

static double mib(size_t bytes)
{
    return (double)bytes / (1 << 20);
}

/* ------------------------------------------------------------------------------ memory */

#define ITEMS 10

typedef struct {
    const char *key, *what; /* in JSON; for people */
    size_t bytes;
} item;

/* The memory of a rank by purpose, all together last. Returns how many there are. */
static int list_memory(item out[ITEMS], const skv_run_setup *s)
{
    const skv_memory_plan *m = &s->memory;
    const bool apart = s->text_apart;
    const size_t t5 = apart ? s->text_peak : s->t5_bytes;
    const size_t probe = s->probe_row * (size_t)s->engine.max_prompts, all = m->total + probe;
    const size_t beside = apart ? 0 : all; /* in memory together with T5 */
    int n = 0;

    out[n++] = (item){"transformer_weights", "transformer weights", m->transformer};
    out[n++] = (item){"vae_weights", "VAE weights", m->vae};
    out[n++] = (item){apart ? "t5_before_the_others" : "t5_weights",
                      apart ? "T5 and its scratch, before the others" : "T5 weights", t5};
    out[n++] = (item){"rope_and_cfg_uncond", "RoPE tables and cfg_uncond", m->run};
    out[n++] = (item){"text", "text features, text K/V, modulations", m->text + m->cond};
    out[n++] = (item){"results", "bits and residual map", m->results};
    out[n++] = (item){"cache", "cache of the largest path", m->cache};
    out[n++] = (item){"scratch", "scratch", m->scratch};
    if (probe > 0)
        out[n++] = (item){"figures", "figures of a group", probe};
    out[n++] = (item){"all", "all", !apart || t5 > all ? beside + t5 : all};
    return n;
}

static void print_memory(bool result, const skv_run_setup *s)
{
    item list[ITEMS];
    const int n = list_memory(list, s);

    say(result, "# memory of a rank, bytes (weights used in place in a mapped file count 0)");
    for (int i = 0; i < n; i++)
        say(result, "#   %-38s %16zu  %10.1f MiB", list[i].what, list[i].bytes, mib(list[i].bytes));
}

/* -------------------------------------------------------------------------------- plan */

static void print_rows(bool result, const skv_run_setup *s)
{
    const int64_t rows = s->rows.segments.n_rows, groups = s->rows.segments.n_groups;
    const int64_t prompts = s->rows.facts.n_prompts, cut = s->rows.facts.n_truncated;
    const int64_t negatives = s->rows.n_negatives_cut;

    say(result, "# %" PRId64 " row%s in %" PRId64 " group%s of %" PRId64 ", %d path%s", rows,
        skv_s(rows), groups, skv_s(groups), s->settings->group_size, s->paths.n, skv_s(s->paths.n));
    if (s->rows.facts.n_bad > 0)
        say(result, "# %" PRId64 " of %" PRId64 " prompt%s cannot be sampled", s->rows.facts.n_bad,
            prompts, skv_s(prompts));
    if (cut > 0)
        say(result, "# %" PRId64 " prompt%s cut to 512 tokens", cut, cut == 1 ? " is" : "s are");
    if (s->rows.negative_is_cut)
        say(result, "# the negative prompt is cut to 512 tokens");
    if (negatives > 0)
        say(result, "# %" PRId64 " negative prompt%s of the list %s cut to 512 tokens", negatives,
            skv_s(negatives), negatives == 1 ? "is" : "are");
    if (s->text_apart && s->n_texts_lacking == 0)
        say(result, "# %s has all texts: T5 is not loaded", s->settings->text_cache);
    else if (s->text_apart)
        say(result, "# %" PRId64 " text%s not in %s: T5 is loaded for %s alone", s->n_texts_lacking,
            s->n_texts_lacking == 1 ? " is" : "s are", s->settings->text_cache,
            s->n_texts_lacking == 1 ? "it" : "them");
}

static void plan_as_data(skv_json_maker *plan, const skv_run_setup *s, const skv_blob *rank,
                         int n_ranks)
{
    skv_json_maker ranks = skv_json_array(), paths = skv_json_array(), memory = skv_json_object();
    item list[ITEMS];
    const int n = list_memory(list, s);

    for (int r = 0; r < n_ranks; r++)
        skv_json_append(&ranks, skv_json_foreign(rank[r].data));
    for (int i = 0; i < s->paths.n; i++)
        skv_json_append(&paths, json_string(s->paths.path[i].name));
    for (int i = 0; i < n; i++)
        skv_json_put(&memory, list[i].key, json_integer((json_int_t)list[i].bytes));
    *plan = skv_json_object();
    skv_json_put(plan, "ranks", skv_json_take(&ranks));
    skv_json_put(plan, "paths", skv_json_take(&paths));
    skv_json_put(plan, "prompts", json_integer(s->rows.facts.n_prompts));
    skv_json_put(plan, "bad_prompts", json_integer(s->rows.facts.n_bad));
    skv_json_put(plan, "cut_prompts", json_integer(s->rows.facts.n_truncated));
    skv_json_put(plan, "rows", json_integer(s->rows.segments.n_rows));
    skv_json_put(plan, "groups", json_integer(s->rows.segments.n_groups));
    skv_json_put(plan, "group_size", json_integer(s->settings->group_size));
    skv_json_put(plan, "texts_to_encode",
                 s->text_apart ? json_integer(s->n_texts_lacking) : json_null());
    skv_json_put(plan, "memory_bytes", skv_json_take(&memory));
}

void skv_print_plan(void *progress, const skv_run_setup *s, const skv_blob *rank, int n_ranks)
{
    const bool result = s->settings->dry_run;
    skv_progress *p = progress;
    int64_t groups = 0, pngs = 0;

    if (s->settings->json)
        snprintf(p->json, sizeof p->json, "%s", s->settings->json);
    if (skv_json_begin(s->settings->json) != SKV_OK)
        skv_warn("%s", skv_message());
    for (int r = 0; r < n_ranks; r++)
        say(result, "# %s", (const char *)rank[r].data);
    print_rows(result, s);
    print_memory(result, s);
    if (p->json[0] && result)
        plan_as_data(&p->plan, s, rank, n_ranks);
    if (s->probe_row > 0) /* what only measures writes no groups */
        return;
    skv_run_setup_disk(s, &groups, &pngs);
    say(result, "# disk, bytes a path: group files %" PRId64 ", PNGs at most %" PRId64, groups,
        pngs);
    if (p->plan.value)
        skv_json_put(&p->plan, "disk_bytes_a_path",
                     json_pack("{s:I, s:I}", "group_files", (json_int_t)groups, "pngs_at_most",
                               (json_int_t)pngs));
}

/* ---------------------------------------------------------------------------- estimate */

static void estimate_as_data(skv_json_maker *plan, const skv_job_estimate *e)
{
    const bool known = e->hours > 0;

    skv_json_put(plan, "gpu",
                 json_pack("{s:s, s:I, s:I}", "name", e->gpu.name, "bytes",
                           (json_int_t)e->gpu.bytes, "bytes_for_the_plan",
                           (json_int_t)e->available));
    skv_json_put(plan, "largest_group", json_integer(e->largest));
    skv_json_put(plan, "largest_group_tried", json_integer(e->most));
    skv_json_put(plan, "seconds", known ? json_real(3600 * e->hours) : json_null());
    skv_json_put(plan, "seconds_by",
                 known ? json_string(e->measured ? "measured rates" : "estimate") : json_null());
}

void skv_print_estimate(void *progress, const skv_job_estimate *e)
{
    skv_progress *p = progress;
    char hours[SKV_DURATION_BYTES];

    skv_duration_text(hours, 3600 * e->hours);
    say(true, "# %s: %.0f MiB, %.0f of them (%.2f GiB) for the plan", e->gpu.name,
        mib(e->gpu.bytes), mib(e->available), mib(e->available) / 1024);
    say(true, "# groups of %d row%s fit (--group-size)%s", e->largest, skv_s(e->largest),
        e->largest == e->most ? "; larger ones were not tried" : ", no larger ones");
    if (e->hours <= 0)
        say(true, "# how long this GPU takes is not known");
    else if (e->measured)
        say(true, "# %s for one %s, by rates that were measured on one", hours, e->gpu.name);
    else
        say(true,
            "# %s for one %s: an estimate, by rates of an " SKV_ESTIMATE_GPU
            " and bf16 products (%.0f TFLOP/s, there %.0f)",
            hours, e->gpu.name, e->gpu.tflops, SKV_ESTIMATE_TFLOPS);
    if (p->plan.value)
        estimate_as_data(&p->plan, e);
}

skv_status skv_print_end(skv_progress *p, skv_status ended)
{
    skv_status st = SKV_OK;

    if (p->plan.value) {
        skv_json_put(&p->plan, "fits", json_boolean(ended == SKV_OK));
        skv_json_put(&p->plan, "why_not",
                     ended == SKV_OK ? json_null() : skv_json_foreign(skv_message()));
        st = skv_print_made(&p->plan, p->json);
    } else if (ended == SKV_OK && p->json[0] && !p->has_table) {
        skv_warn(
            "--json: nothing is written, since this start made no run.h5 whose paths it lists");
    }
    return ended != SKV_OK ? ended : st;
}
