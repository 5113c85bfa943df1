/* Ids of prompts, and which parser reads a list: the forms are in prompts_lines.c, prompts_json.c
 * and prompts_csv.c, storage in prompts_build.c, reading from disk in prompts_load.c. */
#include "io/prompts.h"
#include "io/prompts_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/mem.h"

#define INDEX_WORD "index"

void skv_prompts_index_id(char *out, size_t bytes, size_t i, int digits, int dashes)
{
    char dash[SKV_PROMPTS__MAX_ID + 1];

    memset(dash, '-', sizeof dash);
    snprintf(out, bytes, "%s%.*s%0*zu", dashes ? INDEX_WORD : "", dashes, dash, digits, i);
}

void skv_prompts_id(const skv_prompts *p, size_t i, char *out, size_t bytes)
{
    if (p->prompts[i].id)
        snprintf(out, bytes, "%s", p->prompts[i].id);
    else
        skv_prompts_index_id(out, bytes, i, p->index_digits, p->index_dashes);
}

/* Ids become file names, also where case does not count. */
static skv_status refuse_twins(const skv_prompts__builder *b)
{
    skv_status st = SKV_OK;
    skv_prompts__set seen = {0};
    size_t n = 0;

    for (size_t i = 0; i < b->list->n; i++)
        n += b->list->prompts[i].id != NULL;
    SKV_TRY_GOTO(skv_prompts__set_init(&seen, n, true), done);
    for (size_t i = 0; i < b->list->n; i++) {
        const char *id = b->list->prompts[i].id;
        size_t line = b->line[i];

        if (id && skv_prompts__set_add(&seen, id, &line)) {
            st = skv_fail(SKV_E_FORMAT, "%s: %s %zu: id \"%s\" is that of %s %zu", b->name, b->unit,
                          b->line[i], id, b->unit, line);
            break;
        }
    }
done:
    skv_prompts__set_deinit(&seen);
    return st;
}

/* Chooses how indices are written, so that none equals a given id. */
static void choose_index_form(skv_prompts *p)
{
    bool digits = false;
    bool taken[SKV_PROMPTS__MAX_ID + 1] = {false};
    const size_t word = strlen(INDEX_WORD);

    p->index_digits = 5;
    for (size_t v = 100000; v < p->n; v *= 10)
        p->index_digits++;
    for (size_t i = 0; i < p->n; i++) {
        const char *id = p->prompts[i].id;
        char head[sizeof INDEX_WORD];

        if (!id)
            continue;
        digits = digits || id[strspn(id, "0123456789")] == '\0';
        snprintf(head, sizeof head, "%s", id);
        if (strcasecmp(head, INDEX_WORD) == 0)
            taken[strspn(id + word, "-")] = true;
    }
    if (digits)
        for (p->index_dashes = 1; taken[p->index_dashes]; p->index_dashes++)
            ;
}

skv_status skv_prompts_parse(skv_prompts **out, const char *bytes, size_t n, skv_prompts_form form,
                             const char *name, const skv_prompts_options *opts)
{
    skv_status st = SKV_OK;
    const skv_prompts_options plain = {0};
    skv_prompts__builder b = {.name = name, .unit = form == SKV_PROMPTS_JSON ? "entry" : "line"};

    opts = opts ? opts : &plain;
    if (n == 0)
        return skv_fail(SKV_E_ARG, "%s: no prompts, the file is empty", name);
    SKV_TRY_GOTO(skv_alloc(&b.list, 1, sizeof *b.list, "the prompt list"), done);
    if (n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) { /* byte order mark */
        bytes += 3;
        n -= 3;
    }
    switch (form) {
    case SKV_PROMPTS_TEXT:
        st = skv_prompts__text(&b, bytes, n);
        break;
    case SKV_PROMPTS_JSONL:
    case SKV_PROMPTS_FOLDER:
        st = skv_prompts__jsonl(&b, bytes, n, form == SKV_PROMPTS_FOLDER);
        break;
    case SKV_PROMPTS_JSON:
        st = skv_prompts__json(&b, bytes, n, opts->order);
        break;
    case SKV_PROMPTS_CSV:
        st = skv_prompts__csv(&b, bytes, n);
        break;
    }
    SKV_TRY_GOTO(st, done);
    if (b.list->n == 0) {
        st = skv_fail(SKV_E_ARG, "%s: no prompts", name);
        goto done;
    }
    SKV_TRY_GOTO(refuse_twins(&b), done);
    choose_index_form(b.list);
    *out = b.list;
    b.list = NULL;
done:
    skv_prompts_destroy(b.list);
    free(b.line);
    return st;
}
