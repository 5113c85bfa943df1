#include "cli/sample_print.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/print_text.h"
#include "core/clock.h"
#include "core/escape.h"
#include "core/json.h"
#include "core/log.h"
#include "run/run_summary.h"
#include "run/schema.h"
#include "sample/estimate.h"

#define BAR         20 /* characters of a bar */
#define LOG_SECONDS 60.0

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

void skv_print_plan(void *progress, const skv_run_setup *s, const skv_blob *rank, int n_ranks)
{
    const bool result = s->settings->dry_run;
    const skv_memory_plan *m = &s->memory;
    const size_t t5 = s->text_apart ? s->text_peak : s->t5_bytes;
    const size_t probe = s->probe_row * (size_t)s->engine.max_prompts, all = m->total + probe;
    const size_t beside = s->text_apart ? 0 : all; /* in memory together with T5 */
    const char *const figures = "figures of a group";
    const struct {
        const char *what;
        size_t bytes;
    } rows[] = {
        {"transformer weights", m->transformer},
        {"VAE weights", m->vae},
        {s->text_apart ? "T5 and its scratch, before the others" : "T5 weights", t5},
        {"RoPE tables and cfg_uncond", m->run},
        {"text features, text K/V, modulations", m->text + m->cond},
        {"bits and residual map", m->results},
        {"cache of the largest path", m->cache},
        {"scratch", m->scratch},
        {figures, probe},
        {"all", !s->text_apart || t5 > all ? beside + t5 : all},
    };
    skv_progress *p = progress;
    int64_t groups = 0, pngs = 0;

    p->json = s->settings->json;
    if (skv_json_begin(p->json) != SKV_OK)
        skv_warn("%s", skv_message());
    for (int r = 0; r < n_ranks; r++)
        say(result, "# %s", (const char *)rank[r].data);
    skv_run_setup_disk(s, &groups, &pngs);
    say(result, "# %" PRId64 " rows in %" PRId64 " groups of %" PRId64 ", %d paths",
        s->rows.segments.n_rows, s->rows.segments.n_groups, s->settings->group_size, s->paths.n);
    if (s->rows.facts.n_bad > 0)
        say(result, "# %" PRId64 " of %" PRId64 " prompts cannot be sampled", s->rows.facts.n_bad,
            s->rows.facts.n_prompts);
    if (s->rows.facts.n_truncated > 0)
        say(result, "# %" PRId64 " prompts are cut to 512 tokens", s->rows.facts.n_truncated);
    if (s->text_apart && s->n_texts_lacking == 0)
        say(result, "# %s has all texts: T5 is not loaded", s->settings->text_cache);
    else if (s->text_apart)
        say(result, "# %" PRId64 " texts are not in %s: T5 is loaded for them alone",
            s->n_texts_lacking, s->settings->text_cache);
    say(result, "# memory of a rank, bytes (weights used in place in a mapped file count 0)");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].what != figures || probe > 0)
            say(result, "#   %-38s %16zu  %10.1f MiB", rows[i].what, rows[i].bytes,
                mib(rows[i].bytes));
    if (probe > 0) /* what only measures writes no groups */
        return;
    say(result, "# disk, bytes a path: group files %" PRId64 ", PNGs at most %" PRId64, groups,
        pngs);
}

void skv_print_estimate(void *progress, const skv_job_estimate *e)
{
    char hours[SKV_DURATION_BYTES];

    (void)progress;
    skv_duration_text(hours, 3600 * e->hours);
    say(true, "# %s: %.0f MiB, %.0f of them (%.2f GiB) for the plan", e->gpu.name,
        mib(e->gpu.bytes), mib(e->available), mib(e->available) / 1024);
    say(true, "# groups of %d rows fit (--group-size)%s", e->largest,
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
}

/* ------------------------------------------------------------------- progress */

/* "[#####     ] " */
static void draw_bar(char out[BAR + 4], const skv_job_progress *p)
{
    memset(out + 1, ' ', BAR);
    memset(out + 1, '#', (size_t)(BAR * p->done / p->all));
    out[0] = '[';
    memcpy(out + 1 + BAR, "] ", 3);
}

void skv_print_progress(void *progress, const skv_job_progress *p)
{
    skv_progress *c = progress;
    char bar[BAR + 4], left[SKV_DURATION_BYTES], text[160], line[200];
    int n;

    n = snprintf(text, sizeof text, "%" PRId64 " of %" PRId64 " groups, %.2f images/s of %d rank%s",
                 p->done, p->all, p->seconds > 0 ? p->images / p->seconds : 0, p->n_ranks,
                 p->n_ranks == 1 ? "" : "s");
    if (p->done > 0 && p->done < p->all) {
        skv_duration_text(left, p->seconds / (double)p->done * (double)(p->all - p->done));
        snprintf(text + n, sizeof text - (size_t)n, ", %s left", left);
    }
    if (skv_log_has_line()) {
        draw_bar(bar, p);
        snprintf(line, sizeof line, "%s%s", bar, text);
        skv_log_line(line);
        if (p->last)
            skv_log_line(NULL);
    } else if (p->last || p->seconds - c->said >= LOG_SECONDS) {
        c->said = p->seconds;
        skv_info("%s", text);
    }
}

/* ------------------------------------------------------------- table of paths */

static skv_status summarise(skv_json_maker *row, skv_h5 *f, const char *path)
{
    skv_path_summary p;

    SKV_TRY(skv_path_summary_read(&p, f, path));
    skv_json_put(row, "path", json_string(path));
    skv_json_put(row, "tokens_kept", json_real(p.tokens_kept));
    skv_json_put(row, "cache_bytes", json_integer(p.cache_bytes));
    skv_json_put(row, "transformer_seconds", json_real(p.transformer_seconds));
    skv_json_put(row, "vae_seconds", json_real(p.vae_seconds));
    return SKV_OK;
}

skv_status skv_paths_summary(json_t **out, skv_h5 *run_h5)
{
    skv_json_maker rows = skv_json_array(), row = {0};
    char **paths = NULL;
    skv_status st;
    int n = 0;

    SKV_TRY_GOTO(skv_h5_list(&paths, &n, run_h5, SKV_SCHEMA_PATHS), done);
    for (int i = 0; i < n; i++) {
        row = skv_json_object();
        SKV_TRY_GOTO(summarise(&row, run_h5, paths[i]), done);
        skv_json_append(&rows, skv_json_take(&row));
    }
    st = skv_json_finish(out, &rows, "paths");
done:
    json_decref(skv_json_take(&row));
    json_decref(skv_json_take(&rows));
    free(paths);
    return st;
}

skv_status skv_print_paths(void *progress, const char *run)
{
    const skv_progress *p = progress;
    json_t *rows = NULL, *row;
    char file[4096];
    skv_h5 *f = NULL;
    skv_status st;
    size_t i;

    snprintf(file, sizeof file, "%s/run.h5", run);
    SKV_TRY(skv_h5_open_below(&f, file, 1));
    st = skv_paths_summary(&rows, f);
    skv_h5_close(f);
    SKV_TRY(st);
    printf("%-24s %14s %16s %14s %10s\n%-24s %14s %16s %14s %10s\n", "path", "tokens kept", "cache",
           "transformer", "VAE", "", "a layer", "bytes a picture", "s", "s");
    json_array_foreach(rows, i, row)
    {
        skv_print_text(json_string_value(json_object_get(row, "path")), 24);
        printf(" %14.1f %16lld %14.2f %10.2f\n",
               json_real_value(json_object_get(row, "tokens_kept")),
               (long long)json_integer_value(json_object_get(row, "cache_bytes")),
               json_real_value(json_object_get(row, "transformer_seconds")),
               json_real_value(json_object_get(row, "vae_seconds")));
    }
    if (p->json)
        st = skv_print_json(rows, p->json);
    json_decref(rows);
    return st;
}
