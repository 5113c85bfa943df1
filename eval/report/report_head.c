/* Title, figures, warnings, settings and failed pictures. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eval/report/report_internal.h"

#define MIB          1048576.0
#define ENOUGH_PAIRS 2049 /* features have 2048 dimensions */
#define MAX_FAILED   50
#define PROMPT_BYTES 200
#define VALUE_BYTES  400

/* ------------------------------------------------------------------------- title */

static void title(skv_html *h, const skv_report_data *d)
{
    const char *weights = json_string_value(json_object_get(d->run.config, "transformer"));
    const int64_t prompts = d->run.n / d->run.samples;

    skv_html_raw(h, "<header><p class=eye>skv report</p><h1>");
    skv_html_count(h, d->run.n_paths);
    skv_html_raw(h, d->run.n_paths == 1 ? " cache path" : " cache paths");
    skv_html_raw(h, ", ");
    skv_html_count(h, prompts);
    skv_html_raw(h, prompts == 1 ? " prompt" : " prompts");
    skv_html_raw(h, "</h1><p class=lead>");
    if (weights && strncmp(weights, "formula:", 8) == 0) {
        skv_html_text(h, weights + 8, 60);
        skv_html_raw(h, ", ");
    }
    skv_html_f(h, "%d layers", d->path[0].run->n_layers);
    if (d->width > 0)
        skv_html_f(h, ", %d \xc3\x97 %d pixels", d->width, d->height);
    if (d->reference >= 0 && d->run.n_paths > 1) {
        skv_html_raw(h, ", compared with the path <b>");
        skv_html_text(h, d->run.path[d->reference].name, 60);
        skv_html_raw(h, "</b>");
    }
    skv_html_raw(h, "</p></header>");
}

/* ------------------------------------------------------------------------- tiles */

static void tile(skv_html *h, const char *name, double v, const char *units)
{
    skv_html_f(h, "<div class=tile><span>%s</span><b>", name);
    skv_html_short(h, v);
    skv_html_f(h, " <small>%s</small></b><span>", units);
}

static void path_tile_end(skv_html *h, const skv_report_path *p)
{
    skv_html_text(h, p->run->name, 60);
    skv_html_raw(h, "</span></div>");
}

static double psnr_of(const skv_report_path *p)
{
    return isfinite(p->m.psnr) ? p->m.psnr : p->m.psnr_finite;
}

static void tiles(skv_html *h, const skv_report_data *d)
{
    int small = -1, close = -1;

    for (int i = 0; i < d->run.n_paths; i++) {
        const skv_report_path *p = &d->path[i];

        if (p->compared && (small < 0 || p->last < d->path[small].last))
            small = i;
        if (p->compared && p->m.there && !p->inactive && isfinite(psnr_of(p)) &&
            (close < 0 || psnr_of(p) > psnr_of(&d->path[close])))
            close = i;
    }
    skv_html_raw(h, "<div class=tiles><div class=tile><span>Pictures a path</span><b>");
    skv_html_count(h, d->run.n - d->n_failed);
    skv_html_raw(h, "</b><span>");
    skv_html_f(h, "%d a prompt", d->run.samples);
    if (d->n_failed > 0)
        skv_html_f(h, ", %lld failed", (long long)d->n_failed);
    skv_html_raw(h, "</span></div>");
    if (d->full > 0) {
        tile(h, "Full cache of a picture", d->full / MIB, "MiB");
        skv_html_raw(h, "all tokens but the last scale\xe2\x80\x99s</span></div>");
    }
    if (small >= 0) {
        tile(h, "Smallest cache", d->path[small].last / MIB, "MiB");
        path_tile_end(h, &d->path[small]);
    }
    if (close >= 0) {
        tile(h, "Closest, by PSNR", psnr_of(&d->path[close]), "dB");
        path_tile_end(h, &d->path[close]);
    }
    skv_html_raw(h, "</div>");
}

/* ---------------------------------------------------------------------- warnings */

/* Names of the paths that `is` holds for, in one sentence's middle. */
static int name_paths(skv_html *h, const skv_report_data *d,
                      bool (*is)(const skv_report_data *, const skv_report_path *))
{
    int n = 0;

    for (int i = 0; i < d->run.n_paths; i++) {
        if (!is(d, &d->path[i]))
            continue;
        skv_html_raw(h, n++ ? ", " : "");
        skv_html_text(h, d->run.path[i].name, 60);
    }
    return n;
}

static bool is_inactive(const skv_report_data *d, const skv_report_path *p)
{
    (void)d;
    return p->inactive;
}

static bool has_identical(const skv_report_data *d, const skv_report_path *p)
{
    (void)d;
    return p->m.there && p->m.n_identical > 0 && !p->inactive;
}

static bool has_early_fid(const skv_report_data *d, const skv_report_path *p)
{
    (void)d;
    return p->m.there && isfinite(p->m.fid) && p->m.n_pairs < ENOUGH_PAIRS;
}

static bool is_unmeasured(const skv_report_data *d, const skv_report_path *p)
{
    return d->metrics == SKV_METRICS_READ && p->compared && !p->m.there;
}

static int n_compared(const skv_report_data *d)
{
    int n = 0;

    for (int i = 0; i < d->run.n_paths; i++)
        n += d->path[i].compared;
    return n;
}

static void named_warning(skv_html *h, const skv_report_data *d,
                          bool (*is)(const skv_report_data *, const skv_report_path *),
                          const char *text)
{
    skv_html names = {0};
    const int n = name_paths(&names, d, is);

    if (n > 0) {
        skv_html_f(h, "<li>%s", text);
        skv_html_raw(h, n > 2 && n == n_compared(d) ? "every path" : names.text ? names.text : "");
        skv_html_raw(h, ".</li>");
    }
    h->failed = h->failed || names.failed;
    free(names.text);
}

static void run_warnings(skv_html *h, const skv_report_data *d)
{
    const char *weights = json_string_value(json_object_get(d->run.config, "transformer"));

    if (weights && strncmp(weights, "formula:", 8) == 0)
        skv_html_raw(h, "<li>The model\xe2\x80\x99s weights are made by a formula, not trained: "
                        "its pictures show patterns, and no quality can be read from them.</li>");
    if (d->n_failed > 0)
        skv_html_f(h, "<li>%lld of %lld pictures failed; they are listed at the end.</li>",
                   (long long)d->n_failed, (long long)d->run.n);
    if (d->n_truncated > 0)
        skv_html_f(h, "<li>%lld of %lld pictures have a prompt that was cut to 512 tokens.</li>",
                   (long long)d->n_truncated, (long long)d->run.n);
}

static void warnings(skv_html *h, const skv_report_data *d)
{
    const size_t before = h->bytes;

    skv_html_raw(h, "<ul class=warn>");
    const size_t empty = h->bytes;
    run_warnings(h, d);
    if (d->metrics == SKV_METRICS_NONE && d->run.n_paths > 1)
        skv_html_raw(h, "<li>There is no metrics.h5 yet: skv eval measures how far the paths are "
                        "from the reference.</li>");
    if (d->metrics == SKV_METRICS_STALE)
        skv_html_raw(h, "<li>metrics.h5 is of another run than run.h5 and was left out: run skv "
                        "eval again.</li>");
    if (d->metrics == SKV_METRICS_READ && strcmp(d->networks, "none") == 0)
        skv_html_raw(h, "<li>Evaluated without networks: no LPIPS, FID or KID.</li>");
    named_warning(h, d, is_unmeasured,
                  "Without numbers, since made after the evaluation or not part of it: ");
    named_warning(h, d, is_inactive, "Never cut anything, since the budget exceeds the sequence: ");
    named_warning(h, d, has_identical, "Have pictures identical to the reference\xe2\x80\x99s: ");
    named_warning(h, d, has_early_fid,
                  "Fewer than 2049 pairs, so that FID is biased and its covariance singular: ");
    if (h->bytes == empty)
        h->bytes = before;
    else
        skv_html_raw(h, "</ul>");
}

void skv_report__head(skv_html *h, const skv_report_data *d)
{
    title(h, d);
    if (d->metrics == SKV_METRICS_READ && strcmp(d->networks, "formula") == 0)
        skv_html_raw(h, "<div class=loud role=alert><b>LPIPS, FID and KID mean nothing here</b>"
                        "<span>Their networks were filled by a formula, for tests; these numbers "
                        "say nothing about quality. Give skv eval the real weights.</span></div>");
    tiles(h, d);
    warnings(h, d);
}

/* ---------------------------------------------------------------------- settings */

static void setting(skv_html *h, const char *key, const json_t *v)
{
    char *text = json_is_string(v)
                     ? strdup(json_string_value(v))
                     : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(7));

    skv_html_raw(h, "<div><dt>");
    skv_html_text(h, key, 60);
    skv_html_raw(h, "</dt><dd>");
    if (json_is_null(v) || !text)
        skv_html_raw(h, "\xe2\x80\x93");
    else if (json_is_array(v) && json_array_size(v) == 1 && json_is_number(json_array_get(v, 0)))
        skv_html_f(h, "%g", json_number_value(json_array_get(v, 0)));
    else
        skv_html_text(h, text, VALUE_BYTES);
    skv_html_raw(h, "</dd></div>");
    free(text);
}

static void path_rows(skv_html *h, const skv_report_data *d)
{
    skv_html_raw(h, "<details class=more><summary>Settings of each path</summary><div class=scroll>"
                    "<table><thead><tr><th>Path</th><th class=t>Digest</th><th class=t>Device</th>"
                    "<th class=t>Settings</th></tr></thead><tbody>");
    for (int i = 0; i < d->run.n_paths; i++) {
        const skv_run_path *p = &d->run.path[i];

        skv_html_raw(h, "<tr><td class=n>");
        skv_html_text(h, p->name, 80);
        skv_html_raw(h, "</td><td class=t><code>");
        skv_html_text(h, p->digest, 80);
        skv_html_raw(h, "</code></td><td class=t>");
        skv_html_text(h, p->device, 120);
        skv_html_raw(h, "</td><td class=wrap><code>");
        skv_html_text(h, p->settings, 1500);
        skv_html_raw(h, "</code></td></tr>");
    }
    skv_html_raw(h, "</tbody></table></div></details>");
}

void skv_report__settings(skv_html *h, const skv_report_data *d)
{
    const char *key;
    json_t *v;

    skv_html_raw(h, "<section><h2>Settings</h2><p class=note>What every picture of the run depends "
                    "on; files are told by a digest of their content.</p><dl class=\"card set\">");
    skv_html_raw(h, "<div><dt>device</dt><dd>");
    skv_html_text(h, d->run.path[0].device, 120);
    skv_html_raw(h, "</dd></div>");
    json_object_foreach(d->run.config, key, v)
    {
        setting(h, key, v);
    }
    skv_html_raw(h, "</dl>");
    path_rows(h, d);
    skv_html_raw(h, "</section><footer>Made by skv ");
    skv_html_text(h, d->run.version, 40);
    skv_html_raw(h, " from run.h5, settings digest <code>");
    skv_html_text(h, d->run.config_digest, 80);
    skv_html_raw(h, "</code>.</footer>");
}

/* ------------------------------------------------------------------------ failed */

void skv_report__failed(skv_html *h, const skv_report_data *d)
{
    int shown = 0;

    if (d->n_failed == 0)
        return;
    skv_html_raw(h, "<section><h2>Failed pictures</h2><p class=note>They are in no number above.");
    if (d->n_failed > MAX_FAILED)
        skv_html_f(h, " The first %d of %lld; all are in run.h5.", MAX_FAILED,
                   (long long)d->n_failed);
    skv_html_raw(h, "</p><div class=scroll><table><thead><tr><th>Picture</th><th class=t>Prompt"
                    "</th><th class=t>Error</th></tr></thead><tbody>");
    for (int64_t i = 0; i < d->run.n && shown < MAX_FAILED; i++) {
        if (d->run.status[i] == 0)
            continue;
        shown++;
        skv_html_raw(h, "<tr><td class=n><bdi>");
        skv_html_text(h, d->run.id[i], 80);
        skv_html_raw(h, "</bdi></td><td class=wrap><bdi>");
        skv_html_text(h, d->run.prompt[i], PROMPT_BYTES);
        skv_html_raw(h, "</bdi></td><td class=wrap>");
        skv_html_text(h, d->run.error[i], VALUE_BYTES);
        skv_html_raw(h, "</td></tr>");
    }
    skv_html_raw(h, "</tbody></table></div></section>");
}
