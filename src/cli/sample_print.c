#include "cli/sample_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/print_text.h"
#include "core/clock.h"
#include "core/escape.h"
#include "core/json.h"
#include "core/log.h"
#include "core/text.h"
#include "run/run_summary.h"
#include "run/schema.h"

#define BAR         20 /* characters of a bar, at most, and at least: a shorter one says nothing */
#define BAR_LEAST   5
#define LOG_SECONDS 60.0

/* ------------------------------------------------------------------- progress */

/* "[#####     ] ", as long as the line has room beside its text; or nothing. */
static void draw_bar(char out[BAR + 4], const skv_job_progress *p, int room)
{
    const int n = room - 3 < BAR ? room - 3 : BAR;

    out[0] = '\0';
    if (n < BAR_LEAST)
        return;
    memset(out + 1, ' ', (size_t)n);
    memset(out + 1, '#', (size_t)(n * p->done / p->all));
    out[0] = '[';
    memcpy(out + 1 + n, "] ", 3);
}

void skv_print_progress(void *progress, const skv_job_progress *p)
{
    const int columns = skv_log_columns();
    skv_progress *c = progress;
    char bar[BAR + 4], left[SKV_DURATION_BYTES], text[160], line[200];
    int n;

    n = snprintf(text, sizeof text,
                 "%" PRId64 " of %" PRId64 " group%s, %.2f images/s of %d rank%s", p->done, p->all,
                 skv_s(p->all), p->seconds > 0 ? p->images / p->seconds : 0, p->n_ranks,
                 skv_s(p->n_ranks));
    if (p->done > 0 && p->done < p->all) {
        skv_duration_text(left, p->seconds / (double)p->done * (double)(p->all - p->done));
        n += snprintf(text + n, sizeof text - (size_t)n, ", %s left", left);
    }
    if (columns > 0) {
        draw_bar(bar, p, columns - n);
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
    skv_progress *p = progress;
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
    printf("%-24s %11s %15s %12s %9s\n%-24s %11s %15s %12s %9s\n", "path", "tokens kept", "cache",
           "transformer", "VAE", "", "a layer", "bytes a picture", "s", "s");
    json_array_foreach(rows, i, row)
    {
        skv_print_text(json_string_value(json_object_get(row, "path")), 24);
        printf(" %11.1f %15lld %12.2f %9.2f\n",
               json_real_value(json_object_get(row, "tokens_kept")),
               (long long)json_integer_value(json_object_get(row, "cache_bytes")),
               json_real_value(json_object_get(row, "transformer_seconds")),
               json_real_value(json_object_get(row, "vae_seconds")));
    }
    p->has_table = true;
    if (p->json[0])
        st = skv_print_json(rows, p->json);
    json_decref(rows);
    return st;
}
