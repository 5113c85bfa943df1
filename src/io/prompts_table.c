/* Prompt lists as tables, CSV (RFC 4180) and TSV: a quoted field may hold separators, quotes and
 * line ends, so a row's number is that of the line it begins on. An unclosed quote would swallow
 * the rest of a CSV and refuses the file; in a TSV, where most writers quote nothing, a quote that
 * is not closed at the field's end is text. A row with another number of fields than the header is
 * a bad line. */
#include "io/prompts_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/mem.h"
#include "io/prompts_keys.h"

#define MAX_COLUMNS 1000

typedef struct {
    const char *text; /* within the table's buffer */
    size_t bytes;
} csv_field;

typedef struct {
    const char *at, *end; /* of the window */
    char separator;
    bool last;           /* the list ends with it */
    size_t line;         /* of the row read last */
    size_t next;         /* of the row after it */
    char *buffer, *fill; /* unquoted bytes of the row: never longer than the input */
    csv_field field[MAX_COLUMNS];
    int n_fields;        /* of the row; at most MAX_COLUMNS are kept */
    bool is_open;        /* the window ends before it is known whether a TSV's field is quoted */
    const char *problem; /* NULL: fine */
} csv_reader;

typedef struct {
    skv_prompts__roles at;
    int n_fields;
} table_header;

struct skv_prompts__table {
    csv_reader reader;
    table_header header;
    bool has_header; /* it was read */
    skv_prompts__set items;
    size_t room; /* of reader.buffer */
};

/* Whether a row ends at `at`, which is in the window. */
static bool is_line_end(const char *at)
{
    return *at == '\n' || *at == '\r';
}

/* A TSV's field is quoted if its last quote is its end; beyond its line, if no separator comes
 * before that: elsewhere a quote at a field's beginning is text. */
static bool closes(csv_reader *r)
{
    bool crossed = false;

    for (const char *at = r->at + 1; at < r->end; at++) {
        crossed = crossed || is_line_end(at);
        if (crossed && *at == r->separator)
            return false;
        if (*at != '"')
            continue;
        at++;
        if (at == r->end || *at == r->separator || is_line_end(at))
            return true;
        if (*at != '"')
            return false;
    }
    r->is_open = crossed;
    return false;
}

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
        r->next += *r->at == '\n' || (*r->at == '\r' && r->at + 1 < r->end && r->at[1] != '\n');
        *r->fill++ = *r->at;
    }
    return false;
}

/* Reads one field and stops at the separator, a line's end or the window's. */
static bool read_field(csv_reader *r)
{
    csv_field f = {r->fill, 0};
    const bool quoted = r->at < r->end && *r->at == '"' && (r->separator != '\t' || closes(r));
    const char *start;

    if (quoted) {
        r->at++;
        if (!read_quoted(r))
            return false;
    }
    start = r->at;
    while (r->at < r->end && *r->at != r->separator && !is_line_end(r->at))
        r->at++;
    if (quoted && r->at > start) {
        r->problem = "text after a closing quote";
    } else if (!quoted) {
        memcpy(r->fill, start, (size_t)(r->at - start));
        r->fill += r->at - start;
    }
    f.bytes = (size_t)(r->fill - f.text);
    if (r->n_fields < MAX_COLUMNS)
        r->field[r->n_fields] = f;
    r->n_fields++;
    *r->fill++ = '\0'; /* takes the place of the separator or the line end */
    return true;
}

/* False: it ends within a quoted field. */
static bool read_fields(csv_reader *r)
{
    for (;;) {
        if (!read_field(r))
            return false;
        if (r->at == r->end || is_line_end(r->at))
            return true;
        r->at++;
    }
}

/* Whether the line end at r->at is known whole: CR may be a part of one. */
static bool ends_here(const csv_reader *r)
{
    return r->last || (r->at < r->end && skv_prompts__end_bytes(r->at, r->end, false) > 0);
}

/* *more false: no whole row is left. */
static skv_status read_row(csv_reader *r, bool *more, const char *name)
{
    const char *start = r->at;
    bool closed;

    r->line = r->next;
    r->n_fields = 0;
    r->problem = NULL;
    r->is_open = false;
    r->fill = r->buffer;
    *more = r->at < r->end;
    if (!*more)
        return SKV_OK;
    closed = read_fields(r);
    if (!r->last && (!closed || r->is_open || !ends_here(r))) {
        r->at = start;
        r->next = r->line;
        *more = false;
        return SKV_OK;
    }
    if (!closed)
        return skv_fail(SKV_E_FORMAT, "%s: line %zu: a quoted field is never closed", name,
                        r->line);
    if (r->at < r->end) {
        r->at += skv_prompts__end_bytes(r->at, r->end, r->last);
        r->next++;
    }
    return SKV_OK;
}

/* Of the row that was read. */
static skv_status take_header(skv_prompts__builder *b, table_header *h, const csv_reader *r)
{
    const char *names[MAX_COLUMNS];
    char why[800];

    if (r->problem)
        return skv_fail(SKV_E_FORMAT, "%s: line 1: %s", b->name, r->problem);
    if (r->n_fields > MAX_COLUMNS)
        return skv_fail(SKV_E_FORMAT, "%s: %d columns, at most %d", b->name, r->n_fields,
                        MAX_COLUMNS);
    h->n_fields = r->n_fields;
    for (int i = 0; i < r->n_fields; i++)
        names[i] = r->field[i].text + strspn(r->field[i].text, " ");
    if (!skv_prompts__find_roles(&h->at, b, names, r->n_fields, why, sizeof why))
        return skv_fail(SKV_E_ARG, "%s: line 1: %s", b->name, why);
    return skv_prompts__note_keys(b, &h->at, names, r->n_fields);
}

static skv_status add_row(skv_prompts__builder *b, const csv_reader *r, const table_header *h,
                          const char *id)
{
    const csv_field *text = &r->field[h->at.text];
    skv_prompts__found f = {.id = id, .text = text->text, .text_bytes = text->bytes};

    if (h->at.negative >= 0) {
        f.negative = r->field[h->at.negative].text;
        f.negative_bytes = r->field[h->at.negative].bytes;
        if (f.negative_bytes == 0)
            f.negative = NULL;
    }
    if (h->at.seed >= 0) {
        const csv_field *seed = &r->field[h->at.seed];

        f.has_seed = seed->bytes > 0;
        if (f.has_seed &&
            (strlen(seed->text) != seed->bytes || !skv_prompts__parse_seed(&f.seed, seed->text)))
            return skv_prompts__add_bad(b, r->line, id,
                                        "the seed is not an integer from 0 to 2^64-1");
    }
    return skv_prompts__add(b, r->line, &f);
}

/* *id of the row, NULL where it has none or a NUL is in it. */
static skv_status take_id(const char **id, skv_prompts__builder *b, const csv_reader *r,
                          const table_header *h)
{
    *id = NULL;
    for (int i = 0; i < h->at.n_id; i++) {
        const csv_field *f = &r->field[h->at.id[i]];

        if (f->bytes == 0 || strlen(f->text) != f->bytes)
            return SKV_OK;
        SKV_TRY(skv_prompts__add_to_id(b, f->text, f->bytes, i == 0));
    }
    if (h->at.n_id > 0)
        *id = b->id.data;
    return SKV_OK;
}

static skv_status take_row(skv_prompts__builder *b, struct skv_prompts__table *c)
{
    const csv_reader *r = &c->reader;
    const table_header *h = &c->header;
    bool there = false;
    const char *id;

    if (r->n_fields == 1 && r->field[0].bytes == 0)
        return skv_prompts__add_bad(b, r->line, NULL, "the line is empty");
    if (r->problem)
        return skv_prompts__add_bad(b, r->line, NULL, "%s", r->problem);
    if (r->n_fields != h->n_fields)
        return skv_prompts__add_bad(b, r->line, NULL, "%d fields, the header has %d", r->n_fields,
                                    h->n_fields);
    SKV_TRY(take_id(&id, b, r, h));
    if (h->at.by_item && id)
        SKV_TRY(skv_prompts__set_add(&c->items, id, &(size_t){0}, &there));
    return there ? SKV_OK : add_row(b, r, h, id);
}

/* A CSV may be separated by tabs or semicolons: what the first line has outside of quotes, if it
 * has no comma there. */
static char find_separator(const skv_prompts__window *w, skv_prompts_form form)
{
    static const char candidates[] = ",\t;";
    size_t found = sizeof candidates - 1;
    bool quoted = false;

    if (form == SKV_PROMPTS_TSV)
        return '\t';
    for (size_t i = 0; i < w->n && (quoted || !is_line_end(&w->bytes[i])); i++) {
        const char *c = memchr(candidates, w->bytes[i], sizeof candidates - 1);

        quoted = quoted != (w->bytes[i] == '"');
        if (c && !quoted && (size_t)(c - candidates) < found)
            found = (size_t)(c - candidates);
    }
    return found < sizeof candidates - 1 ? candidates[found] : ',';
}

/* Bytes of Excel's first line "sep=;", its end included, and that separator; 0: there is none, or
 * not yet its whole end. */
static size_t separator_line(char *separator, const skv_prompts__window *w)
{
    const size_t n = strlen("sep=;");
    size_t end_bytes;

    if (w->n <= n || strncasecmp(w->bytes, "sep=", n - 1) != 0 || !is_line_end(w->bytes + n))
        return 0;
    end_bytes = skv_prompts__end_bytes(w->bytes + n, w->bytes + w->n, w->last);
    if (end_bytes == 0)
        return 0;
    *separator = w->bytes[n - 1];
    return n + end_bytes;
}

static skv_status start_window(skv_prompts__place *p, const skv_prompts__window *w)
{
    struct skv_prompts__table *c = p->table;

    if (!c) {
        SKV_TRY(skv_alloc(&p->table, 1, sizeof *p->table, "a table's row"));
        c = p->table;
        c->reader.next = 1;
    }
    if (c->room < w->n + 2) {
        free(c->reader.buffer);
        c->room = 0;
        SKV_TRY(skv_alloc(&c->reader.buffer, w->n + 2, 1, "a table's fields"));
        c->room = w->n + 2;
    }
    c->reader.at = w->bytes;
    if (!c->has_header) {
        c->reader.separator = find_separator(w, p->form);
        c->reader.at += separator_line(&c->reader.separator, w);
        c->reader.next += c->reader.at > w->bytes;
    }
    c->reader.end = w->bytes + w->n;
    c->reader.last = w->last;
    return SKV_OK;
}

skv_status skv_prompts__table(skv_prompts__builder *b, skv_prompts__place *p,
                              const skv_prompts__window *w, size_t *used)
{
    struct skv_prompts__table *c;
    bool more = true;

    SKV_TRY(start_window(p, w));
    c = p->table;
    while (more) {
        SKV_TRY(read_row(&c->reader, &more, b->name));
        if (more && c->has_header)
            SKV_TRY(take_row(b, c));
        else if (more)
            SKV_TRY(take_header(b, &c->header, &c->reader));
        c->has_header = c->has_header || more;
    }
    p->line = c->reader.next - 1;
    *used = (size_t)(c->reader.at - w->bytes);
    return SKV_OK;
}

void skv_prompts__table_destroy(struct skv_prompts__table *c)
{
    if (!c)
        return;
    skv_prompts__set_clear(&c->items);
    free(c->reader.buffer);
    free(c);
}
