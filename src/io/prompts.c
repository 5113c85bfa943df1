/* The table of forms, and a list's windows. A form's parser is a file of its own; what parsers
 * share is in prompts_build.c and prompts_keys.c, opening a list in prompts_open.c, lists in memory
 * in prompts_list.c. */
#include "io/prompts.h"
#include "io/prompts_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define WINDOW_BYTES ((size_t)1 << 20)

typedef skv_status (*window_parser)(skv_prompts__builder *b, skv_prompts__place *p,
                                    const skv_prompts__window *w, size_t *used);

/* parse: NULL for a document, which is read whole, and for lists, which are read one by one. */
static const struct {
    const char *unit, *key;
    window_parser parse;
} forms[] = {
    [SKV_PROMPTS_TEXT] = {"line", NULL, skv_prompts__text},
    [SKV_PROMPTS_JSONL] = {"line", "key", skv_prompts__jsonl},
    [SKV_PROMPTS_JSON] = {"entry", "key", NULL},
    [SKV_PROMPTS_CSV] = {"line", "column", skv_prompts__table},
    [SKV_PROMPTS_TSV] = {"line", "column", skv_prompts__table},
    [SKV_PROMPTS_FOLDER] = {"line", NULL, skv_prompts__jsonl},
    [SKV_PROMPTS_LISTS] = {"line", "key", NULL},
};

/* Where the list begins: behind a byte order mark. */
static skv_status find_start(size_t *at, const skv_prompts_source *s, const char *name)
{
    char mark[3] = "";

    if (s->n >= sizeof mark)
        SKV_TRY(skv_prompts_bytes(mark, s, 0, sizeof mark, name));
    *at = memcmp(mark, "\xef\xbb\xbf", sizeof mark) == 0 ? sizeof mark : 0;
    return SKV_OK;
}

/* The parser takes what it can of a window; the next one begins with what it left. A window that
 * has no whole line is doubled. */
static skv_status parse_windows(skv_prompts__builder *b, const skv_prompts_source *s, size_t at)
{
    size_t room = s->window ? s->window : WINDOW_BYTES, used = 1;
    skv_prompts__place place = {.form = s->form};
    skv_prompts__window w = {0};
    char *buffer = NULL;
    skv_status st = SKV_OK;

    room = room < s->end ? room : s->end;
    for (; at < s->end; at += used) {
        if (used == 0 && !skv_mul_size(&room, room, 2)) {
            st = skv_fail(SKV_E_FORMAT, "%s: line %zu is too long", b->name, place.line + 1);
            goto done;
        }
        if (used == 0 || !buffer) {
            free(buffer);
            SKV_TRY_GOTO(skv_alloc(&buffer, room, 1, b->name), done);
        }
        w.n = room < s->end - at ? room : s->end - at;
        w.last = w.n == s->end - at;
        w.bytes = buffer;
        SKV_TRY_GOTO(skv_prompts_bytes(buffer, s, at, w.n, b->name), done);
        SKV_TRY_GOTO(forms[s->form].parse(b, &place, &w, &used), done);
    }
done:
    skv_prompts__table_destroy(place.table);
    free(buffer);
    return st;
}

static skv_status parse_document(skv_prompts__builder *b, const skv_prompts_source *s, size_t at)
{
    char *all = NULL;
    skv_status st;

    if (!s->on_disk)
        return skv_prompts__json(b, s->bytes + at, s->n - at);
    SKV_TRY(skv_alloc(&all, s->n - at + 1, 1, b->name));
    st = skv_prompts_bytes(all, s, at, s->n - at, b->name);
    if (st == SKV_OK)
        st = skv_prompts__json(b, all, s->n - at);
    free(all);
    return st;
}

/* One file (text in memory, stream), from its beginning. */
static skv_status parse_one(skv_prompts__builder *b, const skv_prompts_source *s)
{
    const skv_prompts_options *o = b->options;
    size_t at = 0;

    b->unit = forms[s->form].unit;
    b->key = forms[s->form].key;
    if (s->n == 0)
        return skv_fail(SKV_E_ARG, "%s: no prompts, the file is empty", b->name);
    if ((o->prompt_key || o->id_key) && !b->key)
        return skv_fail(SKV_E_ARG,
                        "%s: %s names a key or column, but this list has none: it is plain text",
                        b->name, o->prompt_key ? "--prompt-key" : "--id-key");
    SKV_TRY(find_start(&at, s, b->name));
    if (forms[s->form].parse)
        SKV_TRY(parse_windows(b, s, at));
    else
        SKV_TRY(parse_document(b, s, at));
    return skv_prompts__is_unchanged(s, b->name);
}

static skv_status parse(skv_prompts__builder *b, const skv_prompts_source *s)
{
    const char *name = b->name;

    if (s->form != SKV_PROMPTS_LISTS)
        SKV_TRY(parse_one(b, s));
    for (size_t i = 0; i < s->n_parts; i++) {
        b->name = s->part[i].path;
        b->list = s->part[i].stem;
        b->list_begin = b->facts->n;
        SKV_TRY(parse_one(b, &s->part[i].source));
    }
    b->name = name;
    return skv_prompts__finish(b);
}

/* The list once, from its beginning. */
static skv_status read_once(skv_prompts__builder *b, const skv_prompts_source *s,
                            const skv_prompts_options *opts)
{
    skv_status st;

    b->options = opts;
    b->ids.fold_case = true; /* ids become file names, also where case does not count */
    *b->facts = (skv_prompts_facts){0};
    st = parse(b, s);
    skv_prompts__builder_clear(b);
    return st;
}

static skv_status add_text(void *set, size_t i, const skv_prompt *p)
{
    bool there = false;

    return skv_prompts__set_add(set, p->text, &i, &there);
}

/* None of the prompts is a key of the cache. */
static skv_status refuse(const json_t *rewrites, const skv_prompts_source *s, const char *name,
                         const skv_prompts_options *opts)
{
    skv_prompts__set texts = {0};
    skv_prompts_facts facts;
    skv_prompts__builder b = {.facts = &facts, .name = name, .fn = add_text, .ctx = &texts};
    skv_status st = read_once(&b, s, opts);

    if (st == SKV_OK)
        st = skv_prompts__refuse_rewrites(rewrites, &texts, opts->rewrites_name);
    skv_prompts__set_clear(&texts);
    return st;
}

skv_status skv_prompts_each(skv_prompts_facts *facts, const skv_prompts_source *s, const char *name,
                            const skv_prompts_options *opts, skv_prompts_fn fn, void *ctx)
{
    const skv_prompts_options plain = {0};
    skv_prompts__builder b = {.facts = facts, .name = name, .fn = fn, .ctx = ctx};
    json_t *rewrites = NULL;
    skv_status st;

    opts = opts ? opts : &plain;
    if (opts->rewrites)
        SKV_TRY(skv_prompts__rewrites_read(&rewrites, opts));
    b.rewrites = rewrites;
    st = read_once(&b, s, opts);
    if (st == SKV_OK && rewrites && facts->rewriting.n_rewritten == 0 &&
        facts->rewriting.n_missing > 0)
        st = refuse(rewrites, s, name, opts);
    json_decref(rewrites);
    return st;
}
