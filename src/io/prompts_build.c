/* What the parsers of all forms share: adding a prompt, and the ids that tell prompts apart. */
#include "io/prompts_internal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/mem.h"
#include "core/text.h"

#define INDEX_WORD "index"

/* --------------------------------------------------------------------------- ids */

void skv_prompts_index_id(char *out, size_t bytes, size_t i, int digits, int dashes)
{
    char dash[SKV_PROMPTS__MAX_ID + 1];

    memset(dash, '-', sizeof dash);
    snprintf(out, bytes, "%s%.*s%0*zu", dashes ? INDEX_WORD : "", dashes, dash, digits, i);
}

bool skv_prompts_id_is_usable(const char *id)
{
    const size_t n = strlen(id);

    return n > 0 && n <= SKV_PROMPTS__MAX_ID && id[0] != '.' && id[0] != '-' &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

bool skv_prompts__parse_seed(uint64_t *out, const char *text)
{
    const char *digits = text + strspn(text, " ");
    uint64_t v = 0;

    for (text = digits; *text >= '0' && *text <= '9'; text++) {
        const uint64_t digit = (uint64_t)*text - '0';

        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    if (text == digits)
        return false;
    if (*text == '.')
        text += 1 + strspn(text + 1, "0");
    *out = v;
    return text[strspn(text, " ")] == '\0';
}

/* What decides later how indices are written. */
static void look_at_id(skv_prompts__builder *b, const char *id)
{
    char head[sizeof INDEX_WORD];

    b->all_digits = b->all_digits || id[strspn(id, "0123456789")] == '\0';
    snprintf(head, sizeof head, "%s", id);
    if (strcasecmp(head, INDEX_WORD) == 0)
        b->dashes[strspn(id + strlen(INDEX_WORD), "-")] = true;
}

static skv_status take_id(skv_prompts__builder *b, size_t line, skv_prompt *p, const char *id)
{
    skv_prompts_facts *f = b->facts;
    size_t other = line;
    bool there = false;

    if (!id || !id[0])
        return SKV_OK;
    p->given_id = id;
    if (!skv_prompts_id_is_usable(id)) {
        if (f->n_renamed < SKV_PROMPTS_RENAMED)
            snprintf(f->renamed[f->n_renamed], sizeof f->renamed[0], "%s", id);
        f->n_renamed++;
        return SKV_OK;
    }
    SKV_TRY(skv_prompts__set_add(&b->ids, id, &other, &there));
    if (there && b->twin == 0) {
        b->twin = line;
        b->twin_of = other;
        b->twin_name = b->name;
        snprintf(b->twin_id, sizeof b->twin_id, "%s", id);
    }
    look_at_id(b, id);
    p->id = id;
    return SKV_OK;
}

skv_status skv_prompts__finish(skv_prompts__builder *b)
{
    skv_prompts_facts *f = b->facts;

    if (f->n == 0)
        return skv_fail(SKV_E_ARG, "%s: no prompts", b->name);
    if (b->twin > 0)
        return skv_fail(SKV_E_FORMAT,
                        "%s: %s %zu: id \"%s\" is that of %s %zu; --id-key takes ids from "
                        "elsewhere, or none",
                        b->twin_name, b->unit, b->twin, b->twin_id, b->unit, b->twin_of);
    if (f->n_bad == f->n)
        return skv_fail(SKV_E_ARG, "%s%s", b->first_bad,
                        f->n == 1 ? "" : "; no other prompt of the list can be read either");
    f->index_digits = 5;
    for (size_t v = 100000; v < f->n; v *= 10)
        f->index_digits++;
    if (b->all_digits) /* no index equals a given id */
        for (f->index_dashes = 1; b->dashes[f->index_dashes]; f->index_dashes++)
            ;
    return SKV_OK;
}

/* ----------------------------------------------------------------------- prompts */

void skv_prompts__builder_clear(skv_prompts__builder *b)
{
    skv_prompts__set_clear(&b->ids);
    skv_prompts__set_clear(&b->unused);
    skv_bytes_clear(&b->id);
    skv_bytes_clear(&b->list_id);
    skv_bytes_clear(&b->text);
    skv_bytes_clear(&b->negative);
    skv_bytes_clear(&b->rewritten);
}

/* *out = the text with a NUL behind it, in `to`. */
static skv_status keep(const char **out, skv_bytes *to, const char *text, size_t n)
{
    to->n = 0;
    SKV_TRY(skv_bytes_add(to, text, n, "a prompt"));
    SKV_TRY(skv_bytes_add(to, "", 1, "a prompt"));
    *out = to->data;
    return SKV_OK;
}

static skv_status rewrite(skv_prompts__builder *b, skv_prompt *p)
{
    skv_prompts_facts *f = b->facts;
    const char *text = NULL;
    size_t n = 0;

    if (!skv_prompts__rewritten(&text, &n, b->rewrites, p->text)) {
        f->rewriting.n_missing++;
        return SKV_OK;
    }
    f->rewriting.n_rewritten++;
    f->rewriting.digest = skv_digest_add(f->rewriting.digest, &(uint64_t){f->n}, sizeof(uint64_t));
    f->rewriting.digest = skv_digest_add(f->rewriting.digest, text, n);
    return keep(&p->rewritten, &b->rewritten, text, n);
}

/* Bytes of the white space at the text's beginning, one character of it; 0: there is none. The
 * tokenizer makes blanks of all of these. */
static size_t blank_bytes(const unsigned char *c, size_t n)
{
    if (c[0] && strchr(" \t\r\n\v\f", c[0]))
        return 1;
    if (n >= 2 && c[0] == 0xc2 && (c[1] == 0x85 || c[1] == 0xa0)) /* next line, no-break space */
        return 2;
    if (n < 3)
        return 0;
    if (c[0] == 0xe2 && c[1] == 0x80) /* U+2000 to U+200F, U+2028, U+2029, U+202F */
        return c[2] <= 0x8f || c[2] == 0xa8 || c[2] == 0xa9 || c[2] == 0xaf ? 3 : 0;
    return memcmp(c, "\xe1\x9a\x80", 3) == 0 || memcmp(c, "\xe2\x81\x9f", 3) == 0 ||
                   memcmp(c, "\xe3\x80\x80", 3) == 0 || memcmp(c, "\xef\xbb\xbf", 3) == 0
               ? 3
               : 0;
}

bool skv_prompts__is_blank(const char *text, size_t n)
{
    for (size_t bytes; n > 0; text += bytes, n -= bytes) {
        bytes = blank_bytes((const unsigned char *)text, n);
        if (bytes == 0)
            return false;
    }
    return true;
}

/* Adds a part to an id, behind a '-' where it is not the first. */
static skv_status add_part(skv_bytes *id, const char *part, size_t n, bool first)
{
    static const char what[] = "an id";

    if (first)
        id->n = 0;
    else
        id->data[id->n - 1] = '-'; /* in place of the NUL */
    SKV_TRY(skv_bytes_add(id, part, n, what));
    return skv_bytes_add(id, "", 1, what);
}

skv_status skv_prompts__add_to_id(skv_prompts__builder *b, const char *part, size_t n, bool first)
{
    return add_part(&b->id, part, n, first);
}

/* *id = <list>-<id, or the place in the list>. */
static skv_status put_list_before(skv_prompts__builder *b, const char **id)
{
    char place[24];

    if (!*id || !**id) {
        snprintf(place, sizeof place, "%05zu", b->facts->n - b->list_begin);
        *id = place;
    }
    SKV_TRY(add_part(&b->list_id, b->list, strlen(b->list), true));
    SKV_TRY(add_part(&b->list_id, *id, strlen(*id), false));
    *id = b->list_id.data;
    return SKV_OK;
}

/* The prompt behind those that are there. */
static skv_status put(skv_prompts__builder *b, size_t line, skv_prompt *p, const char *id)
{
    if (b->list)
        SKV_TRY(put_list_before(b, &id));
    SKV_TRY(take_id(b, line, p, id));
    if (b->rewrites && !p->error)
        SKV_TRY(rewrite(b, p));
    b->facts->n_bad += p->error != NULL;
    SKV_TRY(b->fn(b->ctx, b->facts->n, p));
    b->facts->n++;
    return SKV_OK;
}

skv_status skv_prompts__add_bad(skv_prompts__builder *b, size_t line, const char *id,
                                const char *fmt, ...)
{
    char reason[SKV_PROMPTS__MESSAGE / 2];
    char text[SKV_PROMPTS__MESSAGE];
    va_list args;

    va_start(args, fmt);
    vsnprintf(reason, sizeof reason, fmt, args);
    va_end(args);
    snprintf(text, sizeof text, "%s: %s %zu: %s", b->name, b->unit, line, reason);
    if (!skv_utf8_is_valid(text, strlen(text))) /* a quoted piece of a bad line */
        for (char *c = text; *c; c++)
            if ((unsigned char)*c >= 0x80)
                *c = '?';
    if (!b->first_bad[0])
        snprintf(b->first_bad, sizeof b->first_bad, "%s", text);
    return put(b, line, &(skv_prompt){.text = "", .error = text}, id);
}

/* *why = "": fine. */
static void check_text(char why[128], const char *what, const char *text, size_t n)
{
    const size_t good = text ? skv_utf8_good_bytes(text, n) : n;

    why[0] = '\0';
    if (text && n > SKV_PROMPT_MAX_BYTES)
        snprintf(why, 128, "%s of %zu bytes, at most %zu", what, n, SKV_PROMPT_MAX_BYTES);
    else if (good < n)
        snprintf(why, 128, "%s: byte %zu (0x%02x) is not UTF-8", what, good + 1,
                 (unsigned char)text[good]);
}

skv_status skv_prompts__add(skv_prompts__builder *b, size_t line, const skv_prompts__found *found)
{
    skv_prompt p = {.text_bytes = found->text_bytes, .has_seed = found->has_seed};
    const char *id = found->id;
    char why[128];

    assert(found->text);
    check_text(why, "id", id, id ? strlen(id) : 0);
    if (why[0])
        id = NULL;
    else
        check_text(why, "prompt", found->text, found->text_bytes);
    if (!why[0])
        check_text(why, "negative prompt", found->negative, found->negative_bytes);
    if (why[0])
        return skv_prompts__add_bad(b, line, id, "%s", why);
    if (skv_prompts__is_blank(found->text, found->text_bytes))
        return skv_prompts__add_bad(b, line, id, "the prompt is empty");
    p.seed = found->seed;
    SKV_TRY(keep(&p.text, &b->text, found->text, found->text_bytes));
    if (found->negative)
        SKV_TRY(keep(&p.negative, &b->negative, found->negative, found->negative_bytes));
    return put(b, line, &p, id);
}
