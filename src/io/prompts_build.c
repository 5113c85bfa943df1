/* Storage of a prompt list, and adding to it: what the parsers of all forms share.
 *
 * Texts live in blocks, not in an allocation each: a list may have ten million lines. */
#include "io/prompts_internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"

#define BLOCK_BYTES   ((size_t)1 << 20)
#define MESSAGE_BYTES 1024

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

skv_status skv_prompts__keep(char **out, skv_prompts *list, const char *bytes, size_t n)
{
    struct skv_prompt_block *b = list->blocks;

    if (!b || b->bytes - b->used <= n) {
        const size_t room = n + 1 > BLOCK_BYTES / 4 ? n + 1 : BLOCK_BYTES;

        b = malloc(sizeof *b + room);
        if (!b)
            return skv_fail(SKV_E_MEM, "out of memory for prompts (%zu bytes)", room);
        *b = (struct skv_prompt_block){.next = list->blocks, .bytes = room};
        list->blocks = b;
    }
    *out = b->data + b->used;
    memcpy(*out, bytes, n);
    (*out)[n] = '\0';
    b->used += n + 1;
    return SKV_OK;
}

bool skv_prompts_id_is_usable(const char *id)
{
    const size_t n = strlen(id);

    return n > 0 && n <= SKV_PROMPTS__MAX_ID && id[0] != '.' && id[0] != '-' &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

bool skv_prompts__parse_seed(uint64_t *out, const char *text)
{
    uint64_t v = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        const uint64_t digit = (uint64_t)(unsigned char)*text - '0';

        if (digit > 9 || v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

skv_status skv_prompts__reserve(skv_prompts__builder *b, size_t n)
{
    SKV_TRY(skv_alloc(&b->list->prompts, n, sizeof *b->list->prompts, "the prompt list"));
    SKV_TRY(skv_alloc(&b->line, n, sizeof *b->line, "the prompt list"));
    b->room = n;
    return SKV_OK;
}

static skv_status keep_id(skv_prompts__builder *b, skv_prompt *p, const char *id)
{
    skv_prompts *list = b->list;
    char *kept = NULL;

    if (!id)
        return SKV_OK;
    if (skv_prompts_id_is_usable(id))
        return skv_prompts__keep(&p->id, list, id, strlen(id));
    if (list->n_renamed < sizeof list->renamed / sizeof list->renamed[0]) {
        SKV_TRY(skv_prompts__keep(&kept, list, id, strlen(id)));
        list->renamed[list->n_renamed] = kept;
    }
    list->n_renamed++;
    return SKV_OK;
}

/* The next free entry; parsers reserve enough. */
static skv_prompt *next_entry(skv_prompts__builder *b, size_t line)
{
    if (b->list->n >= b->room)
        return NULL;
    b->line[b->list->n] = line;
    return &b->list->prompts[b->list->n++];
}

skv_status skv_prompts__add_bad(skv_prompts__builder *b, size_t line, const char *id,
                                const char *fmt, ...)
{
    char reason[MESSAGE_BYTES / 2];
    char text[MESSAGE_BYTES];
    skv_prompt *p = next_entry(b, line);
    va_list args;

    if (!p)
        return skv_fail(SKV_E_FORMAT, "%s: more prompts than lines", b->name);
    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    snprintf(text, sizeof text, "%s: %s %zu: %s", b->name, b->unit, line, reason);
    if (!skv_utf8_is_valid(text, strlen(text))) /* a quoted piece of a bad line */
        for (char *c = text; *c; c++)
            if ((unsigned char)*c >= 0x80)
                *c = '?';
    SKV_TRY(skv_prompts__keep(&p->error, b->list, text, strlen(text)));
    SKV_TRY(skv_prompts__keep(&p->text, b->list, "", 0));
    b->list->n_bad++;
    return keep_id(b, p, id);
}

skv_status skv_prompts__add(skv_prompts__builder *b, size_t line, const skv_prompts__found *found)
{
    const char *const text[2] = {found->text, found->negative};
    const size_t bytes[2] = {found->text_bytes, found->negative_bytes};
    static const char *const what[2] = {"prompt", "negative prompt"};
    skv_prompt *p;

    assert(found->text);
    for (int i = 0; i < 2; i++) {
        const size_t good = text[i] ? skv_utf8_good_bytes(text[i], bytes[i]) : 0;

        if (!text[i])
            continue;
        if (bytes[i] > SKV_PROMPT_MAX_BYTES)
            return skv_prompts__add_bad(b, line, found->id, "%s of %zu bytes, at most %zu", what[i],
                                        bytes[i], SKV_PROMPT_MAX_BYTES);
        if (good < bytes[i])
            return skv_prompts__add_bad(b, line, found->id, "%s: byte %zu (0x%02x) is not UTF-8",
                                        what[i], good + 1, (unsigned char)text[i][good]);
    }
    p = next_entry(b, line);
    if (!p)
        return skv_fail(SKV_E_FORMAT, "%s: more prompts than lines", b->name);
    SKV_TRY(skv_prompts__keep(&p->text, b->list, found->text, found->text_bytes));
    p->text_bytes = found->text_bytes;
    if (found->negative)
        SKV_TRY(skv_prompts__keep(&p->negative, b->list, found->negative, found->negative_bytes));
    p->has_seed = found->has_seed;
    p->seed = found->seed;
    return keep_id(b, p, found->id);
}

static int fold(unsigned char c, bool fold_case)
{
    return fold_case && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static bool same_word(const char *a, const char *b, bool fold_case)
{
    while (*a && fold((unsigned char)*a, fold_case) == fold((unsigned char)*b, fold_case))
        a++, b++;
    return *a == *b;
}

skv_status skv_prompts__set_init(skv_prompts__set *s, size_t n, bool fold_case)
{
    size_t slots = 16;

    while (slots / 2 < n)
        slots *= 2;
    *s = (skv_prompts__set){.mask = slots - 1, .fold_case = fold_case};
    SKV_TRY(skv_alloc(&s->slot, slots, sizeof *s->slot, "the ids of a prompt list"));
    return skv_alloc(&s->value, slots, sizeof *s->value, "the ids of a prompt list");
}

void skv_prompts__set_deinit(skv_prompts__set *s)
{
    free(s->slot);
    free(s->value);
    *s = (skv_prompts__set){0};
}

bool skv_prompts__set_add(skv_prompts__set *s, const char *word, size_t *value)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    size_t i;

    for (const char *c = word; *c; c++)
        hash = (hash ^ (uint64_t)fold((unsigned char)*c, s->fold_case)) * 1099511628211u;
    hash ^= hash >> 29;
    for (i = hash & s->mask; s->slot[i]; i = (i + 1) & s->mask) {
        if (same_word(s->slot[i], word, s->fold_case)) {
            *value = s->value[i];
            return true;
        }
    }
    s->slot[i] = word;
    s->value[i] = *value;
    return false;
}
