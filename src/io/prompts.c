/* Storage, ids and checks of prompt lists; the forms are in prompts_lines.c, prompts_json.c and
 * prompts_csv.c, reading from disk in prompts_load.c.
 *
 * Texts live in blocks, not in an allocation each: a list may have ten million lines. */
#include "io/prompts.h"
#include "io/prompts_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define BLOCK_BYTES   ((size_t)1 << 20)
#define MAX_ID_BYTES  200
#define INDEX_WORD    "index"
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

/* Bytes before the first one that is not part of well-formed UTF-8 (Unicode, table 3-7), n if all
 * are. NUL counts as ill-formed. */
static size_t utf8_good_bytes(const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t i = 0;

    while (i < n) {
        const unsigned char c = s[i];
        const int more = c < 0x80 ? 0 : c >= 0xc2 && c < 0xe0 ? 1 : (c & 0xf0) == 0xe0 ? 2 : 3;
        unsigned char low = 0x80, high = 0xbf;

        if (c == 0 || (c >= 0x80 && c < 0xc2) || c > 0xf4 || n - i <= (size_t)more)
            return i;
        if (c == 0xe0)
            low = 0xa0; /* overlong */
        else if (c == 0xed)
            high = 0x9f; /* surrogates */
        else if (c == 0xf0)
            low = 0x90; /* overlong */
        else if (c == 0xf4)
            high = 0x8f; /* above U+10FFFF */
        for (int k = 1; k <= more; k++, low = 0x80, high = 0xbf)
            if (s[i + (size_t)k] < low || s[i + (size_t)k] > high)
                return i;
        i += (size_t)more + 1;
    }
    return n;
}

bool skv_utf8_is_valid(const char *text, size_t bytes)
{
    return utf8_good_bytes(text, bytes) == bytes;
}

bool skv_prompts_id_is_usable(const char *id)
{
    const size_t n = strlen(id);

    return n > 0 && n <= MAX_ID_BYTES && id[0] != '.' && id[0] != '-' &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

void skv_prompts_id(const skv_prompts *p, size_t i, char *out, size_t bytes)
{
    char dashes[MAX_ID_BYTES + 1];

    if (p->prompts[i].id) {
        snprintf(out, bytes, "%s", p->prompts[i].id);
        return;
    }
    memset(dashes, '-', sizeof dashes);
    snprintf(out, bytes, "%s%.*s%0*zu", p->index_dashes ? INDEX_WORD : "", p->index_dashes, dashes,
             p->index_digits, i);
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
    if (!id || !skv_prompts_id_is_usable(id))
        return SKV_OK;
    return skv_prompts__keep(&p->id, b->list, id, strlen(id));
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

    for (int i = 0; i < 2; i++) {
        const size_t good = text[i] ? utf8_good_bytes(text[i], bytes[i]) : 0;

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

/* How an index is written so that it is no given id. */
static void choose_index_form(skv_prompts *p)
{
    bool digits = false;
    bool taken[MAX_ID_BYTES + 1] = {false};
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
        if (same_word(head, INDEX_WORD, true))
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
