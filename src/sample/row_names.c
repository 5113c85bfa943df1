#include "sample/row_names.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "io/prompts.h"

#define SPAN 4096 /* prompts whose ids are read at once */

/* A prompt whose id is that of sample j of a prompt with this id, if there is one. */
typedef struct {
    skv_digest id;
    int64_t prompt;
} twin;

typedef struct {
    const skv_rows *rows;
    twin *twins; /* (n) sorted by their digests */
    size_t n;
} search;

typedef skv_status (*visit)(search *s, int64_t prompt, const char *id);

static skv_status each_id(search *s, visit what)
{
    const skv_prompt_facts *f = &s->rows->facts;
    skv_status st = SKV_OK;

    for (int64_t at = 0; at < f->n_prompts && st == SKV_OK; at += SPAN) {
        const int64_t n = f->n_prompts - at < SPAN ? f->n_prompts - at : SPAN;
        skv_list_part ids;

        SKV_TRY(skv_prompt_table_read(&ids, s->rows->table, SKV_LIST_ID, at, n));
        for (int64_t i = 0; i < n && st == SKV_OK; i++) {
            const int64_t begin = i ? ids.end[i - 1] : 0;
            char made[SKV_PROMPT_ID_BYTES];

            skv_prompts_index_id(made, sizeof made, (size_t)(at + i), (int)f->index_digits,
                                 (int)f->index_dashes);
            st = what(s, at + i, ids.end[i] > begin ? (char *)ids.values + begin : made);
        }
        free(ids.end);
    }
    return st;
}

/* Bytes before "-<j>", a sample above 0 of the run; 0: it does not end so. */
static size_t stem_of(const char *id, int64_t n_samples)
{
    const char *dash = strrchr(id, '-');
    const size_t digits = dash ? strspn(dash + 1, "0123456789") : 0;

    if (!dash || digits == 0 || digits > 9 || dash[1 + digits] || dash[1] == '0')
        return 0;
    return strtol(dash + 1, NULL, 10) < n_samples ? (size_t)(dash - id) : 0;
}

static skv_status note_twin(search *s, int64_t prompt, const char *id)
{
    const size_t stem = stem_of(id, s->rows->segments.n_samples);

    if (stem == 0)
        return SKV_OK;
    SKV_TRY(skv_grow(&s->twins, s->n, sizeof *s->twins, "ids of prompts"));
    s->twins[s->n++] = (twin){skv_digest_of(id, stem), prompt};
    return SKV_OK;
}

static int by_digest(const void *a, const void *b)
{
    const skv_digest *x = &((const twin *)a)->id, *y = &((const twin *)b)->id;

    if (x->high != y->high)
        return x->high < y->high ? -1 : 1;
    return x->low < y->low ? -1 : x->low > y->low;
}

static skv_status find_twin(search *s, int64_t prompt, const char *id)
{
    const twin wanted = {skv_digest_of(id, strlen(id)), 0};
    const twin *found = bsearch(&wanted, s->twins, s->n, sizeof *s->twins, by_digest);

    if (!found)
        return SKV_OK;
    return skv_fail(SKV_E_ARG,
                    "%s: the id of prompt %lld is the name of a sample of prompt %lld, \"%.80s\": "
                    "their pictures would have one name; --id-key takes ids from elsewhere, or "
                    "none",
                    skv_settings_list(s->rows->settings), (long long)found->prompt + 1,
                    (long long)prompt + 1, id);
}

skv_status skv_rows_check_names(const skv_rows *rows)
{
    search s = {.rows = rows};
    skv_status st;

    if (rows->segments.n_samples < 2 || !skv_prompt_table_has(rows->table, SKV_LIST_ID))
        return SKV_OK;
    st = each_id(&s, note_twin);
    if (st == SKV_OK && s.n > 0) {
        qsort(s.twins, s.n, sizeof *s.twins, by_digest);
        st = each_id(&s, find_twin);
    }
    free(s.twins);
    return st;
}
