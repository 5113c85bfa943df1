/* A set of strings with a number each: open addressing over one block of words. */
#include "io/prompts_internal.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

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

static const char *word_at(const skv_prompts__set *s, size_t at)
{
    return s->words.data + at + sizeof(size_t);
}

/* The slot of a word, or the free one that it would take. There is a free one. */
static size_t *slot_of(const skv_prompts__set *s, const char *word)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    size_t i;

    for (const char *c = word; *c; c++)
        hash = (hash ^ (uint64_t)fold((unsigned char)*c, s->fold_case)) * 1099511628211u;
    hash ^= hash >> 29;
    for (i = hash & (s->n_slots - 1); s->slot[i]; i = (i + 1) & (s->n_slots - 1))
        if (same_word(word_at(s, s->slot[i] - 1), word, s->fold_case))
            break;
    return &s->slot[i];
}

/* Twice as many slots. */
static skv_status add_slots(skv_prompts__set *s)
{
    const size_t n = s->n_slots ? 2 * s->n_slots : 16;

    free(s->slot);
    s->slot = NULL;
    s->n_slots = 0;
    SKV_TRY(skv_alloc(&s->slot, n, sizeof *s->slot, "the ids of a prompt list"));
    s->n_slots = n;
    for (size_t at = 0; at < s->words.n; at += sizeof(size_t) + strlen(word_at(s, at)) + 1)
        *slot_of(s, word_at(s, at)) = at + 1;
    return SKV_OK;
}

skv_status skv_prompts__set_add(skv_prompts__set *s, const char *word, size_t *value, bool *there)
{
    const size_t at = s->words.n;
    static const char what[] = "the ids of a prompt list";

    *there = s->n_slots > 0 && skv_prompts__set_find(s, word, value);
    if (*there)
        return SKV_OK;
    if (2 * (s->n + 1) > s->n_slots)
        SKV_TRY(add_slots(s));
    SKV_TRY(skv_bytes_add(&s->words, value, sizeof *value, what));
    SKV_TRY(skv_bytes_add(&s->words, word, strlen(word) + 1, what));
    *slot_of(s, word) = at + 1;
    s->n++;
    return SKV_OK;
}

bool skv_prompts__set_find(const skv_prompts__set *s, const char *word, size_t *value)
{
    const size_t *slot = s->n_slots ? slot_of(s, word) : NULL;

    if (!slot || !*slot)
        return false;
    memcpy(value, s->words.data + *slot - 1, sizeof *value);
    return true;
}

void skv_prompts__set_clear(skv_prompts__set *s)
{
    skv_bytes_clear(&s->words);
    free(s->slot);
    s->slot = NULL;
    s->n = s->n_slots = 0;
}
