#include "job/failed_rows.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
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

skv_status skv_failed_rows_of(skv_failed_rows *out, const skv_run_file *run)
{
    *out = (skv_failed_rows){0};
    for (int64_t i = 0; i < run->n; i++)
        if (run->status[i] != 0 && run->status[i] != SKV_ROW_MISSING)
            SKV_TRY(skv_failed_rows_add(out, run->error[i], 1));
    return SKV_OK;
}

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
        skv_warn("%" PRId64 " of %" PRId64 " rows failed: %s; /samples/error of run.h5 says which",
                 failed.n, file.n - file.n_missing, reasons);
done:
    skv_failed_rows_clear(&failed);
    skv_run_file_close(&file);
    return st;
}
