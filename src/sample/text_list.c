#include "sample/text_list.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "run/run_folder.h"

static const int32_t *ids_of(int *n, const skv_row_prompt *p, int64_t text)
{
    *n = text % 2 ? p->n_negative : p->n_tokens;
    return text % 2 ? p->negative_token : p->token;
}

skv_status skv_text_ids(const skv_rows *rows, int64_t text, int32_t *ids, int *n)
{
    skv_row_span span = {0};
    const int32_t *there;

    SKV_TRY(skv_rows_load(&span, rows, text / 2, 1));
    there = ids_of(n, &span.prompt[0], text);
    if (*n > 0)
        memcpy(ids, there, (size_t)*n * sizeof *ids);
    skv_row_span_clear(&span);
    return SKV_OK;
}

/* A prompt's samples may lie in several groups. */
static bool is_wanted(const skv_rows *rows, int64_t prompt, const uint8_t *work, int n_paths)
{
    const skv_segments *s = &rows->segments;

    for (int64_t k = 0; work && k < s->n_samples; k++) {
        const int64_t g = skv_segments_group_of(s, skv_segments_row(s, prompt, k));

        for (int64_t i = g * n_paths; i < (g + 1) * n_paths; i++)
            if (work[i] & SKV_WORK_COMPUTE)
                return true;
    }
    return !work;
}

/* What a list is made from. */
typedef struct {
    skv_text_list list;
    const skv_text_file *file;
    const uint8_t *work;
    int n_paths;
} collection;

static skv_status add(collection *c, const skv_row_prompt *p, int64_t text)
{
    skv_text_list *list = &c->list;
    int n = 0;
    const int32_t *ids = ids_of(&n, p, text);

    if (n == 0 || skv_text_file_has(c->file, ids, n))
        return SKV_OK;
    SKV_TRY(skv_grow(&list->texts, (size_t)list->n, sizeof *list->texts, "list of texts"));
    list->texts[list->n++] = (skv_text){skv_text_digest(ids, n), text, n};
    return SKV_OK;
}

static skv_status add_span(void *ctx, const skv_row_span *span, bool *done)
{
    collection *c = ctx;

    (void)done;
    for (int64_t i = 0; i < span->n; i++) {
        const skv_row_prompt *p = &span->prompt[i];
        const int64_t index = span->first + i;

        if (p->error || !is_wanted(span->rows, index, c->work, c->n_paths))
            continue;
        SKV_TRY(add(c, p, 2 * index));
        SKV_TRY(add(c, p, 2 * index + 1));
    }
    return SKV_OK;
}

static int by_digest(const void *a, const void *b)
{
    const skv_text *x = a, *y = b;

    if (x->digest != y->digest)
        return x->digest < y->digest ? -1 : 1;
    return x->text < y->text ? -1 : x->text > y->text;
}

static int by_text(const void *a, const void *b)
{
    const skv_text *x = a, *y = b;

    return x->text < y->text ? -1 : x->text > y->text;
}

void skv_text_list_count(skv_text_list *list, int64_t n)
{
    list->n = n;
    list->n_tokens = 0;
    list->longest = 0;
    for (int64_t i = 0; i < n; i++) {
        list->n_tokens += list->texts[i].n;
        if (list->texts[i].n > list->longest)
            list->longest = (int)list->texts[i].n;
    }
}

/* Drops duplicates: of equal texts the first in the run's order stays. */
static void make_unique(skv_text_list *list)
{
    int64_t n = 0;

    qsort(list->texts, (size_t)list->n, sizeof *list->texts, by_digest);
    for (int64_t i = 0; i < list->n; i++)
        if (n == 0 || list->texts[n - 1].digest != list->texts[i].digest)
            list->texts[n++] = list->texts[i];
    qsort(list->texts, (size_t)n, sizeof *list->texts, by_text);
    skv_text_list_count(list, n);
}

skv_status skv_text_list_make(skv_text_list *out, const skv_rows *rows, const skv_text_file *file,
                              const uint8_t *work, int n_paths)
{
    collection c = {.file = file, .work = work, .n_paths = n_paths};
    const skv_status st = skv_rows_each(rows, add_span, &c);

    if (st != SKV_OK) {
        skv_text_list_clear(&c.list);
        return st;
    }
    if (c.list.n > 0)
        make_unique(&c.list);
    *out = c.list;
    return SKV_OK;
}

void skv_text_list_clear(skv_text_list *list)
{
    free(list->texts);
    *list = (skv_text_list){0};
}
