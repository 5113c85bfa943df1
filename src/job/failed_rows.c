#include "job/failed_rows.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "run/run_file.h"

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

skv_status skv_failed_rows_read(skv_failed_rows *out, int64_t *n_rows, const char *run)
{
    skv_run_file file = {0};
    skv_status st;

    *out = (skv_failed_rows){0};
    SKV_TRY_GOTO(skv_run_file_open(&file, run), done);
    *n_rows = file.n;
    for (int64_t i = 0; i < file.n; i++)
        if (file.status[i] != 0)
            SKV_TRY_GOTO(skv_failed_rows_add(out, file.error[i], 1), done);
done:
    skv_run_file_close(&file);
    return st;
}

skv_status skv_failed_rows_warn(const char *run)
{
    skv_failed_rows failed;
    char reasons[640];
    int64_t n_rows = 0;
    const skv_status st = skv_failed_rows_read(&failed, &n_rows, run);

    skv_failed_rows_text(reasons, sizeof reasons, &failed);
    if (st == SKV_OK && failed.n > 0)
        skv_warn("%" PRId64 " of %" PRId64 " rows failed: %s; /samples/error of run.h5 says which",
                 failed.n, n_rows, reasons);
    skv_failed_rows_clear(&failed);
    return st;
}
