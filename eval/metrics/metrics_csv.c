/* A table for spreadsheets and scripts: RFC 4180's quoting, lines that end in LF. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/file.h"
#include "eval/metrics/metrics_file.h"

typedef struct {
    skv_bytes bytes;
    const char *path; /* of the file, for messages */
    skv_status st;    /* the first failure; what follows it is passed over */
} table;

static void add(table *t, const char *text)
{
    if (t->st == SKV_OK)
        t->st = skv_bytes_add(&t->bytes, text, strlen(text), t->path);
}

/* Quoted where a comma, a quote or the end of a line stands in it, quotes doubled. */
static void add_text(table *t, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        add(t, text);
        return;
    }
    add(t, "\"");
    for (const char *p = text; *p; p++) {
        const char c[3] = {*p, *p == '"' ? '"' : '\0', '\0'};

        add(t, c);
    }
    add(t, "\"");
}

/* Nothing for NaN; otherwise what reads as the same number, or "inf". */
static void add_number(table *t, double v)
{
    char text[40] = "";

    if (!isnan(v))
        snprintf(text, sizeof text, "%.17g", v);
    add(t, text);
}

/* The number of a picture; of a metric by scale its mean over the scales. */
static double number_of(const skv_column *c, int64_t row)
{
    double sum = 0;

    if (!c || !c->value)
        return NAN;
    for (int i = 0; i < c->width; i++)
        sum += c->value[row * c->width + i];
    return sum / c->width;
}

static bool of_pictures(const skv_metric *m)
{
    return m->kind != SKV_METRIC_OF_SET;
}

static void add_head(table *t)
{
    add(t, "id,path,status");
    for (const skv_metric *const *m = skv_metrics; *m; m++)
        if (of_pictures(*m)) {
            add(t, ",");
            add(t, (*m)->name);
        }
    add(t, ",reason\n");
}

static void add_row(table *t, const skv_metrics_file *m, const skv_path_results *p, int64_t row)
{
    const bool done = m->pairs->usable[row];

    add_text(t, m->pairs->id[row]);
    add(t, ",");
    add_text(t, p->name);
    add(t, done ? ",done" : ",failed");
    for (const skv_metric *const *k = skv_metrics; *k; k++)
        if (of_pictures(*k)) {
            add(t, ",");
            add_number(t, done ? number_of(skv_path_column(p, *k), row) : (double)NAN);
        }
    add(t, ",");
    if (!done)
        add_text(t, skv_pairs_run(m->pairs)->error[row]);
    add(t, "\n");
}

/* Whether some number of the path is a picture's. */
static bool has_pictures(const skv_path_results *p)
{
    for (int i = 0; i < p->n_columns; i++)
        if (of_pictures(p->column[i].metric))
            return true;
    return false;
}

skv_status skv_metrics_write_csv(const skv_metrics_file *m, const char *path)
{
    table t = {.path = path, .st = SKV_OK};

    add_head(&t);
    for (int i = 0; i < m->results->n_paths; i++)
        for (int64_t row = 0; has_pictures(&m->results->path[i]) && row < m->results->n; row++)
            add_row(&t, m, &m->results->path[i], row);
    if (t.st == SKV_OK)
        t.st = skv_file_write(path, t.bytes.data, t.bytes.n);
    skv_bytes_clear(&t.bytes);
    return t.st;
}
