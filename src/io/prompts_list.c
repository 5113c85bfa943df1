/* Prompt lists in memory. Texts live in blocks, not in an allocation each. */
#include "io/prompts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define BLOCK_BYTES ((size_t)1 << 20)

struct skv_prompt_block {
    struct skv_prompt_block *next;
    size_t used, bytes;
    char data[];
};

void skv_prompts_destroy(skv_prompts *p)
{
    if (!p)
        return;
    while (p->blocks) {
        struct skv_prompt_block *next = p->blocks->next;

        free(p->blocks);
        p->blocks = next;
    }
    free(p->prompts);
    free(p);
}

/* *text = a copy of it that lives as long as the list; NULL stays so. */
static skv_status keep(skv_prompts *list, const char **text)
{
    struct skv_prompt_block *b = list->blocks;
    const size_t n = *text ? strlen(*text) : 0;

    if (!*text)
        return SKV_OK;
    if (!b || b->bytes - b->used <= n) {
        const size_t room = n + 1 > BLOCK_BYTES / 4 ? n + 1 : BLOCK_BYTES;

        b = malloc(sizeof *b + room);
        if (!b)
            return skv_fail(SKV_E_MEM, "out of memory for prompts (%zu bytes)", room);
        *b = (struct skv_prompt_block){.next = list->blocks, .bytes = room};
        list->blocks = b;
    }
    *text = memcpy(b->data + b->used, *text, n + 1);
    b->used += n + 1;
    return SKV_OK;
}

static skv_status add(void *ctx, size_t i, const skv_prompt *p)
{
    skv_prompts *list = ctx;
    skv_prompt *q;

    SKV_TRY(skv_grow(&list->prompts, i, sizeof *list->prompts, "the prompt list"));
    q = &list->prompts[i];
    *q = *p;
    list->n = i + 1;
    SKV_TRY(keep(list, &q->id));
    SKV_TRY(keep(list, &q->given_id));
    SKV_TRY(keep(list, &q->text));
    SKV_TRY(keep(list, &q->rewritten));
    SKV_TRY(keep(list, &q->negative));
    return keep(list, &q->error);
}

skv_status skv_prompts_parse(skv_prompts **out, const skv_prompts_source *s, const char *name,
                             const skv_prompts_options *opts)
{
    skv_prompts *list = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&list, 1, sizeof *list, "the prompt list"));
    st = skv_prompts_each(&list->facts, s, name, opts, add, list);
    if (st != SKV_OK) {
        skv_prompts_destroy(list);
        return st;
    }
    *out = list;
    return SKV_OK;
}

skv_status skv_prompts_read(skv_prompts **out, const char *path, const skv_prompts_options *opts)
{
    skv_prompts_source s = {0};
    skv_status st;

    SKV_TRY(skv_prompts_open(&s, path));
    st = skv_prompts_parse(out, &s, path, opts);
    skv_prompts_close(&s);
    return st;
}

void skv_prompts_id(const skv_prompts *p, size_t i, char *out, size_t bytes)
{
    if (p->prompts[i].id)
        snprintf(out, bytes, "%s", p->prompts[i].id);
    else
        skv_prompts_index_id(out, bytes, i, p->facts.index_digits, p->facts.index_dashes);
}
