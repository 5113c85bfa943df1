/* Prompt lists as CSV (RFC 4180): a quoted field may hold commas, quotes and line ends, so a row's
 * number is that of the line it begins on. An unclosed quote would swallow the rest of the list and
 * refuses the file; a row with another number of fields than the header is a bad line. */
#include "io/prompts_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/mem.h"

#define MAX_COLUMNS 1000

typedef struct {
    const char *text; /* within the table's buffer */
    size_t bytes;
} csv_field;

typedef struct {
    const char *at, *end; /* of the window */
    bool last;            /* the list ends with it */
    size_t line;          /* of the row read last */
    size_t next;          /* of the row after it */
    char *buffer, *fill;  /* unquoted bytes of the row: never longer than the input */
    csv_field field[MAX_COLUMNS];
    int n_fields;        /* of the row; at most MAX_COLUMNS are kept */
    const char *problem; /* NULL: fine */
} csv_reader;

enum { COLUMN_TEXT, COLUMN_ID, COLUMN_SEED, COLUMN_NEGATIVE, N_COLUMNS };

typedef struct {
    int at[N_COLUMNS]; /* -1: not there */
    int n_fields;
    bool by_item; /* the id column is "item_id": an item's first row counts */
} csv_header;

struct skv_prompts__csv {
    csv_reader reader;
    csv_header header;
    bool has_header; /* it was read */
    skv_prompts__set items;
    size_t room; /* of reader.buffer */
};

/* Copies a quoted field's inside to r->fill; r->at stands after the opening quote, at the end
 * after the closing one. False: it is never closed. */
static bool read_quoted(csv_reader *r)
{
    for (; r->at < r->end; r->at++) {
        if (*r->at == '"') {
            r->at++;
            if (r->at == r->end || *r->at != '"')
                return true;
        }
        r->next += *r->at == '\n';
        *r->fill++ = *r->at;
    }
    return false;
}

/* Reads one field and stops at ',', '\n' or the end. */
static bool read_field(csv_reader *r)
{
    csv_field f = {r->fill, 0};
    const char *start;

    if (r->at < r->end && *r->at == '"') {
        r->at++;
        if (!read_quoted(r))
            return false;
        f.bytes = (size_t)(r->fill - f.text);
        start = r->at;
    } else {
        start = r->at;
        f.bytes = SIZE_MAX;
    }
    while (r->at < r->end && *r->at != ',' && *r->at != '\n')
        r->at++;
    if (f.bytes == SIZE_MAX) {
        f.bytes = (size_t)(r->at - start);
        memcpy(r->fill, start, f.bytes);
        if (f.bytes > 0 && r->fill[f.bytes - 1] == '\r' && (r->at == r->end || *r->at == '\n'))
            f.bytes--;
        r->fill += f.bytes;
    } else if (r->at - start > 1 || (r->at - start == 1 && *start != '\r')) {
        r->problem = "text after a closing quote";
    }
    if (r->n_fields < MAX_COLUMNS)
        r->field[r->n_fields] = f;
    r->n_fields++;
    *r->fill++ = '\0'; /* takes the place of the comma or the line end */
    return true;
}

/* False: it ends within a quoted field. */
static bool read_fields(csv_reader *r)
{
    for (;;) {
        if (!read_field(r))
            return false;
        if (r->at == r->end || *r->at == '\n')
            return true;
        r->at++;
    }
}

/* *more false: no whole row is left. */
static skv_status read_row(csv_reader *r, bool *more, const char *name)
{
    const char *start = r->at;
    bool closed;

    r->line = r->next;
    r->n_fields = 0;
    r->problem = NULL;
    r->fill = r->buffer;
    *more = r->at < r->end;
    if (!*more)
        return SKV_OK;
    closed = read_fields(r);
    if (r->at == r->end && !r->last) {
        r->at = start;
        r->next = r->line;
        *more = false;
        return SKV_OK;
    }
    if (!closed)
        return skv_fail(SKV_E_FORMAT, "%s: line %zu: a quoted field is never closed", name,
                        r->line);
    if (r->at < r->end) {
        r->at++;
        r->next++;
    }
    return SKV_OK;
}

/* The column called `first` or, failing that, `second`. */
static skv_status find_column(int *out, const csv_reader *r, const char *first, const char *second,
                              const char *name)
{
    const char *const words[2] = {first, second};

    *out = -1;
    for (int w = 0; w < 2 && *out < 0; w++) {
        for (int i = 0; i < r->n_fields; i++) {
            if (strcasecmp(r->field[i].text, words[w]) != 0)
                continue;
            if (*out >= 0)
                return skv_fail(SKV_E_FORMAT, "%s: columns %d and %d are both called \"%s\"", name,
                                *out + 1, i + 1, words[w]);
            *out = i;
        }
    }
    return SKV_OK;
}

/* Of the row that was read. */
static skv_status take_header(csv_header *h, const csv_reader *r, const char *name)
{
    if (r->problem)
        return skv_fail(SKV_E_FORMAT, "%s: line 1: %s", name, r->problem);
    if (r->n_fields > MAX_COLUMNS)
        return skv_fail(SKV_E_FORMAT, "%s: %d columns, at most %d", name, r->n_fields, MAX_COLUMNS);
    h->n_fields = r->n_fields;
    SKV_TRY(find_column(&h->at[COLUMN_TEXT], r, "prompt", "text", name));
    SKV_TRY(find_column(&h->at[COLUMN_ID], r, "id", "item_id", name));
    SKV_TRY(find_column(&h->at[COLUMN_SEED], r, "seed", "seed", name));
    SKV_TRY(find_column(&h->at[COLUMN_NEGATIVE], r, "negative", "negative_prompt", name));
    if (h->at[COLUMN_TEXT] < 0)
        return skv_fail(SKV_E_FORMAT, "%s: the first line names no column \"prompt\" or \"text\"",
                        name);
    h->by_item =
        h->at[COLUMN_ID] >= 0 && strcasecmp(r->field[h->at[COLUMN_ID]].text, "item_id") == 0;
    return SKV_OK;
}

static skv_status add_row(skv_prompts__builder *b, const csv_reader *r, const csv_header *h,
                          const char *id)
{
    skv_prompts__found f = {.id = id};
    const csv_field *text = &r->field[h->at[COLUMN_TEXT]];

    f.text = text->text;
    f.text_bytes = text->bytes;
    if (text->bytes == 0)
        return skv_prompts__add_bad(b, r->line, id, "the prompt is empty");
    if (h->at[COLUMN_NEGATIVE] >= 0) {
        f.negative = r->field[h->at[COLUMN_NEGATIVE]].text;
        f.negative_bytes = r->field[h->at[COLUMN_NEGATIVE]].bytes;
        if (f.negative_bytes == 0)
            f.negative = NULL;
    }
    if (h->at[COLUMN_SEED] >= 0) {
        const csv_field *seed = &r->field[h->at[COLUMN_SEED]];

        f.has_seed = seed->bytes > 0;
        if (f.has_seed &&
            (strlen(seed->text) != seed->bytes || !skv_prompts__parse_seed(&f.seed, seed->text)))
            return skv_prompts__add_bad(b, r->line, id,
                                        "the seed is not an integer from 0 to 2^64-1");
    }
    return skv_prompts__add(b, r->line, &f);
}

/* Id of the row, NULL where there is none or a NUL is in it. */
static const char *row_id(const csv_reader *r, const csv_header *h)
{
    const csv_field *f;

    if (h->at[COLUMN_ID] < 0)
        return NULL;
    f = &r->field[h->at[COLUMN_ID]];
    return f->bytes > 0 && strlen(f->text) == f->bytes ? f->text : NULL;
}

static skv_status take_row(skv_prompts__builder *b, struct skv_prompts__csv *c)
{
    const csv_reader *r = &c->reader;
    const csv_header *h = &c->header;
    bool there = false;
    const char *id;

    if (r->problem)
        return skv_prompts__add_bad(b, r->line, NULL, "%s", r->problem);
    if (r->n_fields != h->n_fields)
        return skv_prompts__add_bad(b, r->line, NULL, "%d fields, the header has %d", r->n_fields,
                                    h->n_fields);
    id = row_id(r, h);
    if (h->by_item && id)
        SKV_TRY(skv_prompts__set_add(&c->items, id, &(size_t){0}, &there));
    return there ? SKV_OK : add_row(b, r, h, id);
}

static skv_status start_window(skv_prompts__place *p, const skv_prompts__window *w)
{
    struct skv_prompts__csv *c = p->csv;

    if (!c) {
        SKV_TRY(skv_alloc(&p->csv, 1, sizeof *p->csv, "a CSV row"));
        c = p->csv;
        c->reader.next = 1;
    }
    if (c->room < w->n + 2) {
        free(c->reader.buffer);
        c->room = 0;
        SKV_TRY(skv_alloc(&c->reader.buffer, w->n + 2, 1, "the CSV's fields"));
        c->room = w->n + 2;
    }
    c->reader.at = w->bytes;
    c->reader.end = w->bytes + w->n;
    c->reader.last = w->last;
    return SKV_OK;
}

skv_status skv_prompts__csv(skv_prompts__builder *b, skv_prompts__place *p,
                            const skv_prompts__window *w, size_t *used)
{
    struct skv_prompts__csv *c;
    bool more = true;

    SKV_TRY(start_window(p, w));
    c = p->csv;
    while (more) {
        SKV_TRY(read_row(&c->reader, &more, b->name));
        if (more && c->has_header)
            SKV_TRY(take_row(b, c));
        else if (more)
            SKV_TRY(take_header(&c->header, &c->reader, b->name));
        c->has_header = c->has_header || more;
    }
    p->line = c->reader.next - 1;
    *used = (size_t)(c->reader.at - w->bytes);
    return SKV_OK;
}

void skv_prompts__csv_destroy(struct skv_prompts__csv *c)
{
    if (!c)
        return;
    skv_prompts__set_clear(&c->items);
    free(c->reader.buffer);
    free(c);
}
