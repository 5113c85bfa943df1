#include "run/gather_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "run/group_format.h"

#define WHAT        "gather"
#define PIECE_BYTES ((size_t)1 << 20) /* that are written at once; a multiple of any number's */
#define PIECE_ROWS  ((int64_t)1 << 16)

skv_status skv_gather_rows_init(skv_gather_rows *r, const skv_segments *segments)
{
    *r = (skv_gather_rows){.n = segments->n_rows, .n_groups = segments->n_groups};
    SKV_TRY(skv_alloc(&r->first, (size_t)r->n_groups + 1, sizeof *r->first, WHAT));
    for (int64_t g = 0; g < r->n_groups; g++) {
        int n;

        skv_segments_group(segments, g, &r->first[g], &n);
        r->first[g + 1] = r->first[g] + n;
    }
    return skv_alloc(&r->status, (size_t)r->n, sizeof *r->status, WHAT);
}

void skv_gather_rows_clear(skv_gather_rows *r)
{
    for (skv_set s = 0; s < SKV_N_SETS; s++)
        skv_spool_clear(&r->column[s].entries);
    for (int64_t i = 0; i < r->n_failed; i++)
        free(r->error[i].text);
    free(r->error);
    free(r->status);
    free(r->first);
}

/* ------------------------------------------------------------------------ keeping */

static bool is_column(skv_set s)
{
    return skv_schema[s].how == SKV_GATHER_SAMPLES && s != SKV_SET_STATUS && s != SKV_SET_ERROR;
}

static skv_status keep_text(skv_gather_column *c, const char *text)
{
    const size_t bytes = strlen(text) + 1;

    c->longest = bytes > c->longest ? bytes : c->longest;
    return skv_spool_add(&c->entries, text, bytes, WHAT);
}

/* data: NULL in a file that an earlier version made; texts are "" then, and numbers 0. */
static skv_status keep_entry(skv_gather_column *c, skv_set s, const void *data, int i)
{
    const size_t bytes = skv_h5_type_bytes(skv_schema[s].type);
    const char zero[sizeof(int64_t)] = {0};

    if (skv_schema[s].type == SKV_H5_TEXT)
        return keep_text(c, data ? ((const char *const *)data)[i] : "");
    return skv_spool_add(&c->entries, data ? (const char *)data + (size_t)i * bytes : zero, bytes,
                         WHAT);
}

static skv_status keep_error(skv_gather_rows *r, int64_t row, const char *path, const char *error)
{
    const char *words[] = {path ? "path " : "", path ? path : "", path ? ": " : "", error};
    size_t bytes = 1;
    char *text;

    for (int i = 0; i < 4; i++)
        bytes += strlen(words[i]);
    SKV_TRY(skv_grow(&r->error, (size_t)r->n_failed, sizeof *r->error, WHAT));
    SKV_TRY(skv_alloc(&text, bytes, 1, WHAT));
    snprintf(text, bytes, "%s%s%s%s", words[0], words[1], words[2], words[3]);
    r->error[r->n_failed++] = (skv_gather_error){row, text};
    return SKV_OK;
}

/* path: NULL for the first one. */
static skv_status keep_failed(skv_gather_rows *r, const skv_group_record *rec, const char *path,
                              int64_t at)
{
    for (int i = 0; i < rec->n_rows; i++) {
        if (r->status[at + i] != 0 || rec->status[i] == 0)
            continue;
        SKV_TRY(keep_error(r, at + i, path, rec->error[i]));
        r->status[at + i] = rec->status[i];
        r->n_missing += rec->status[i] == SKV_ROW_MISSING;
    }
    return SKV_OK;
}

skv_status skv_gather_rows_add(skv_gather_rows *r, const skv_group_record *rec, int64_t at)
{
    for (skv_set s = 0; s < SKV_N_SETS; s++) {
        const void *data = skv_group__data(rec, s);

        for (int i = 0; is_column(s) && i < rec->n_rows; i++)
            SKV_TRY(s == SKV_SET_GROUP
                        ? skv_spool_add(&r->column[s].entries, &rec->group, sizeof rec->group, WHAT)
                        : keep_entry(&r->column[s], s, data, i));
    }
    return keep_failed(r, rec, NULL, at);
}

skv_status skv_gather_rows_add_failed(skv_gather_rows *r, const skv_group_record *rec, int64_t at)
{
    return keep_failed(r, rec, rec->path_name, at);
}

/* ------------------------------------------------------------------------ writing */

typedef struct {
    skv_h5 *out;
    skv_schema_name name;
    char *bytes;       /* (room) of the spool */
    const char **text; /* (PIECE_ROWS) */
    size_t room;
} writer;

static skv_status open_writer(writer *w, skv_h5 *out, size_t longest)
{
    *w = (writer){.out = out, .room = longest > PIECE_BYTES ? longest : PIECE_BYTES};
    SKV_TRY(skv_alloc(&w->bytes, w->room, 1, WHAT));
    return skv_alloc(&w->text, (size_t)PIECE_ROWS, sizeof *w->text, WHAT);
}

static void close_writer(writer *w)
{
    free(w->bytes);
    free(w->text);
}

/* longest, sum: of the bytes of texts, with their NULs. */
static skv_status make(writer *w, const skv_gather_rows *r, skv_set s, size_t longest, size_t sum)
{
    const skv_extents e = {.rows = r->n};
    skv_h5_layout l = skv_schema_group_layout(s, &e);

    w->name = skv_schema_in_run(s, NULL);
    if (l.type == SKV_H5_TEXT)
        l.text_bytes = skv_h5_fixed_text_bytes((size_t)r->n, longest, sum);
    return skv_h5_make(w->out, w->name.text, &l);
}

static skv_status write_numbers(writer *w, const skv_spool *entries, skv_h5_type type)
{
    for (size_t at = 0; at < entries->n; at += PIECE_BYTES) {
        const size_t left = entries->n - at, n = left < PIECE_BYTES ? left : PIECE_BYTES;

        SKV_TRY(skv_spool_read(entries, at, n, w->bytes, WHAT));
        SKV_TRY(skv_h5_append(w->out, w->name.text, (int64_t)(n / skv_h5_type_bytes(type)), type,
                              w->bytes));
    }
    return SKV_OK;
}

/* As many as are whole in a piece. */
static skv_status write_texts(writer *w, const skv_spool *entries)
{
    for (size_t at = 0, used; at < entries->n; at += used) {
        const size_t left = entries->n - at, n = left < w->room ? left : w->room;
        const char *end;
        int64_t k = 0;

        SKV_TRY(skv_spool_read(entries, at, n, w->bytes, WHAT));
        for (used = 0; k < PIECE_ROWS && (end = memchr(w->bytes + used, 0, n - used)); k++) {
            w->text[k] = w->bytes + used;
            used = (size_t)(end - w->bytes) + 1;
        }
        SKV_TRY(skv_h5_append(w->out, w->name.text, k, SKV_H5_TEXT, w->text));
    }
    return SKV_OK;
}

static skv_status write_column(writer *w, const skv_gather_rows *r, skv_set s)
{
    const skv_gather_column *c = &r->column[s];

    SKV_TRY(make(w, r, s, c->longest, c->entries.n));
    return skv_schema[s].type == SKV_H5_TEXT ? write_texts(w, &c->entries)
                                             : write_numbers(w, &c->entries, skv_schema[s].type);
}

static skv_status write_status(writer *w, const skv_gather_rows *r)
{
    SKV_TRY(make(w, r, SKV_SET_STATUS, 0, 0));
    return skv_h5_append(w->out, w->name.text, r->n, SKV_H5_I32, r->status);
}

static int by_row(const void *a, const void *b)
{
    const int64_t x = ((const skv_gather_error *)a)->row, y = ((const skv_gather_error *)b)->row;

    return (x > y) - (x < y);
}

static skv_status write_errors(writer *w, const skv_gather_rows *r)
{
    const skv_gather_error *next = r->error, *end = r->error + r->n_failed;
    size_t longest = 1, sum = (size_t)r->n;

    for (const skv_gather_error *e = next; e < end; e++) {
        const size_t length = strlen(e->text);

        longest = length + 1 > longest ? length + 1 : longest;
        sum += length;
    }
    SKV_TRY(make(w, r, SKV_SET_ERROR, longest, sum));
    for (int64_t at = 0; at < r->n; at += PIECE_ROWS) {
        const int64_t left = r->n - at, n = left < PIECE_ROWS ? left : PIECE_ROWS;

        for (int64_t i = 0; i < n; i++)
            w->text[i] = next < end && next->row == at + i ? next++->text : "";
        SKV_TRY(skv_h5_append(w->out, w->name.text, n, SKV_H5_TEXT, w->text));
    }
    return SKV_OK;
}

skv_status skv_gather_rows_write(skv_gather_rows *r, skv_h5 *out)
{
    size_t longest = 0;
    writer w;
    skv_status st;

    for (skv_set s = 0; s < SKV_N_SETS; s++)
        longest = r->column[s].longest > longest ? r->column[s].longest : longest;
    if (r->n_failed > 0)
        qsort(r->error, (size_t)r->n_failed, sizeof *r->error, by_row);
    SKV_TRY_GOTO(open_writer(&w, out, longest), done);
    for (skv_set s = 0; s < SKV_N_SETS; s++) {
        if (is_column(s))
            SKV_TRY_GOTO(write_column(&w, r, s), done);
        else if (s == SKV_SET_STATUS)
            SKV_TRY_GOTO(write_status(&w, r), done);
        else if (s == SKV_SET_ERROR)
            SKV_TRY_GOTO(write_errors(&w, r), done);
    }
done:
    close_writer(&w);
    return st;
}
