#include "job/failed_rows.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "run/failed_list.h"
#include "run/schema.h"

#define MAX_SHOWN 4 /* reasons */

/* The part after "FILE: WORD NUMBER: ", or the whole text. */
static const char *reason_of(const char *error)
{
    for (const char *colon = strstr(error, ": "); colon; colon = strstr(colon + 1, ": ")) {
        const char *c = colon + 2;
        const char *word = c, *number;

        while (isalpha((unsigned char)*c))
            c++;
        if (c == word || *c != ' ')
            continue;
        for (number = ++c; isdigit((unsigned char)*c);)
            c++;
        if (c > number && strncmp(c, ": ", 2) == 0)
            return c + 2;
    }
    return error;
}

skv_status skv_failed_rows_add(skv_failed_rows *f, const char *error, int64_t n)
{
    const char *reason = reason_of(error);
    char *copy = NULL;

    f->n += n;
    for (int i = 0; i < f->n_reasons; i++)
        if (strcmp(f->by_reason[i].reason, reason) == 0) {
            f->by_reason[i].n += n;
            return SKV_OK;
        }
    SKV_TRY(skv_grow(&f->by_reason, (size_t)f->n_reasons, sizeof *f->by_reason, "failed rows"));
    SKV_TRY(skv_alloc(&copy, strlen(reason) + 1, 1, "failed rows"));
    memcpy(copy, reason, strlen(reason) + 1);
    f->by_reason[f->n_reasons++] = (skv_failed_reason){copy, n};
    return SKV_OK;
}

void skv_failed_rows_clear(skv_failed_rows *f)
{
    for (int i = 0; i < f->n_reasons; i++)
        free(f->by_reason[i].reason);
    free(f->by_reason);
    *f = (skv_failed_rows){0};
}

/* The most frequent reason after `last` in that order (NULL: the first of all). */
static const skv_failed_reason *next_reason(const skv_failed_rows *f, const skv_failed_reason *last)
{
    const skv_failed_reason *best = NULL;

    for (int i = 0; i < f->n_reasons; i++) {
        const skv_failed_reason *r = &f->by_reason[i];

        if (last && (r->n > last->n || (r->n == last->n && r <= last)))
            continue;
        if (!best || r->n > best->n)
            best = r;
    }
    return best;
}

void skv_failed_rows_text(char *out, size_t bytes, const skv_failed_rows *f)
{
    const skv_failed_reason *r = NULL;
    int64_t others = f->n;
    size_t used = 0;

    out[0] = '\0';
    for (int i = 0; i < MAX_SHOWN && used < bytes && (r = next_reason(f, r)); i++) {
        used += (size_t)snprintf(out + used, bytes - used, "%s%" PRId64 " \"%.100s\"",
                                 i ? ", " : "", r->n, r->reason);
        others -= r->n;
    }
    if (others > 0 && used < bytes)
        snprintf(out + used, bytes - used, ", %" PRId64 " for other reasons", others);
}

json_t *skv_failed_rows_json(const skv_failed_rows *f)
{
    skv_json_maker list = skv_json_object();

    for (int i = 0; i < f->n_reasons; i++) {
        const char *reason = f->by_reason[i].reason;
        const bool good = skv_utf8_is_valid(reason, strlen(reason)); /* it may be a stranger's */

        skv_json_put(&list, good ? reason : "(no UTF-8)", json_integer(f->by_reason[i].n));
    }
    return skv_json_take(&list);
}

static bool has_failed(const skv_run_file *run, int64_t row)
{
    return run->status[row] != 0 && run->status[row] != SKV_ROW_MISSING;
}

skv_status skv_failed_rows_of(skv_failed_rows *out, const skv_run_file *run)
{
    *out = (skv_failed_rows){0};
    for (int64_t i = 0; i < run->n; i++)
        if (has_failed(run, i))
            SKV_TRY(skv_failed_rows_add(out, run->error[i], 1));
    return SKV_OK;
}

/* ------------------------------------------------------------------- before gathering */

typedef struct {
    int64_t row;
    size_t order; /* of several for a row the first counts, as when they are gathered */
    char *error;
} noted;

typedef struct {
    const char *first_path; /* others are named */
    int64_t n_rows;         /* of the run */
    noted *row;
    size_t n;
} notes;

static skv_status note(notes *n, int64_t row, const char *error)
{
    SKV_TRY(skv_grow(&n->row, n->n, sizeof *n->row, "failed rows"));
    n->row[n->n] = (noted){.row = row, .order = n->n};
    SKV_TRY(skv_text_copy(&n->row[n->n].error, error));
    n->n++;
    return SKV_OK;
}

static skv_status note_line(void *ctx, int64_t row, const char *path, const char *reason)
{
    char text[1024];
    notes *n = ctx;

    if (row >= n->n_rows)
        return SKV_OK;
    if (strcmp(path, n->first_path) == 0)
        return note(n, row, reason);
    snprintf(text, sizeof text, "path %s: %s", path, reason);
    return note(n, row, text);
}

static int by_row(const void *a, const void *b)
{
    const noted *x = a, *y = b;

    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

skv_status skv_failed_rows_so_far(skv_failed_rows *out, const skv_run_json *json,
                                  const char *folder, const skv_run_file *run)
{
    notes n = {.first_path = json_object_iter_key(json_object_iter(json->paths)),
               .n_rows = json->n_rows};
    skv_status st = SKV_OK;

    *out = (skv_failed_rows){0};
    for (int64_t i = 0; run && i < run->n; i++)
        if (has_failed(run, i))
            SKV_TRY_GOTO(note(&n, i, run->error[i]), done);
    SKV_TRY_GOTO(skv_failed_list_each(folder, note_line, &n), done);
    if (n.n > 0)
        qsort(n.row, n.n, sizeof *n.row, by_row);
    for (size_t i = 0; i < n.n; i++)
        if (i == 0 || n.row[i].row != n.row[i - 1].row)
            SKV_TRY_GOTO(skv_failed_rows_add(out, n.row[i].error, 1), done);
done:
    for (size_t i = 0; i < n.n; i++)
        free(n.row[i].error);
    free(n.row);
    return st;
}

/* ------------------------------------------------------------------------------ warning */

skv_status skv_failed_rows_warn(const char *run)
{
    skv_failed_rows failed = {0};
    skv_run_file file;
    char reasons[640];
    skv_status st;

    SKV_TRY_GOTO(skv_run_file_open_partial(&file, run), done);
    SKV_TRY_GOTO(skv_failed_rows_of(&failed, &file), done);
    skv_failed_rows_text(reasons, sizeof reasons, &failed);
    if (failed.n > 0)
        skv_warn("%" PRId64 " of %" PRId64 " row%s failed: %s; /samples/error of run.h5 says which",
                 failed.n, file.n - file.n_missing, skv_s(file.n - file.n_missing), reasons);
done:
    skv_failed_rows_clear(&failed);
    skv_run_file_close(&file);
    return st;
}
