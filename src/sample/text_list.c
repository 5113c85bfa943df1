#include "sample/text_list.h"

#include <stdlib.h>

#include "core/mem.h"
#include "run/run_folder.h"

skv_status skv_text_ids(const skv_rows *rows, int64_t text, int32_t *ids, int *n)
{
    bool truncated = false;
    char *used = NULL;
    skv_status st;

    if (text % 2 != 0)
        return skv_rows_encode(rows, skv_rows_negative(rows, text / 2), ids, n, &truncated);
    SKV_TRY(skv_rows_text(rows, text / 2, &used));
    st = skv_rows_encode(rows, used, ids, n, &truncated);
    free(used);
    return st;
}

/* A prompt's samples may lie in several groups. */
static bool is_wanted(const skv_rows *rows, int64_t prompt, const uint8_t *work, int n_paths)
{
    const int64_t samples = rows->settings->samples, size = rows->settings->group_size;
    const int64_t first = prompt * samples / size, last = (prompt * samples + samples - 1) / size;

    for (int64_t i = first * n_paths; work && i < (last + 1) * n_paths; i++)
        if (work[i] & SKV_WORK_COMPUTE)
            return true;
    return !work;
}

static skv_status add(skv_text_list *list, const skv_rows *rows, const skv_text_file *file,
                      int64_t text)
{
    int32_t ids[SKV_MAX_TOKENS];
    int n = 0;

    SKV_TRY(skv_text_ids(rows, text, ids, &n));
    if (!skv_text_file_has(file, ids, n))
        list->texts[list->n++] = (skv_text){skv_text_digest(ids, n), text, n};
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
    const int64_t n = (int64_t)rows->prompts->n;
    skv_text_list list = {0};
    skv_status st;

    SKV_TRY(skv_alloc(&list.texts, 2 * (size_t)n, sizeof *list.texts, "list of texts"));
    st = SKV_OK;
    for (int64_t p = 0; p < n && st == SKV_OK; p++) {
        if (rows->tokens[p] == 0 || !is_wanted(rows, p, work, n_paths))
            continue;
        st = add(&list, rows, file, 2 * p);
        if (st == SKV_OK && rows->negative_tokens[p] > 0)
            st = add(&list, rows, file, 2 * p + 1);
    }
    if (st != SKV_OK) {
        free(list.texts);
        return st;
    }
    make_unique(&list);
    *out = list;
    return SKV_OK;
}

void skv_text_list_clear(skv_text_list *list)
{
    free(list->texts);
    *list = (skv_text_list){0};
}
