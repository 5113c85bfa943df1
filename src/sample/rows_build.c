#include "sample/rows_build.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/parallel.h"
#include "core/text.h"

#define MAX_MISSING 20
#define MAX_BAD     5
#define BLOCK_BYTES ((size_t)4 << 20) /* of texts packed at once */
#define SPAN        1024              /* prompts looked at together */
#define SLICES      64                /* of texts, for threads */

void skv_prompt_list_clear(skv_prompt_list *list)
{
    skv_prompts_close(&list->source);
    free(list->rewrites);
    *list = (skv_prompt_list){0};
}

/* A text or none. */
static skv_digest add_choice(skv_digest d, const char *text)
{
    const unsigned char given = text != NULL;

    d = skv_digest_add(d, &given, 1);
    return text ? skv_digest_add(d, text, strlen(text)) : d;
}

void skv_rows_key(char key[SKV_DIGEST_BYTES], const skv_prompt_list *list, const skv_settings *s,
                  const skv_tokenizer *tokenizer)
{
    const skv_digest rules = skv_tokenizer_digest(tokenizer);
    const int64_t form = list->source.form, positive = s->positive;
    skv_digest d = list->source.digest;

    d = skv_digest_add(d, &form, sizeof form);
    d = add_choice(d, s->prompt_key);
    d = add_choice(d, s->id_key);
    d = skv_digest_add(d, s->prompt_order, strlen(s->prompt_order));
    d = skv_digest_add(d, list->rewrites ? list->rewrites : "", list->n_rewrites);
    d = skv_digest_add(d, &rules, sizeof rules);
    d = skv_digest_add(d, &positive, sizeof positive);
    skv_digest_text(key, d);
}

/* ----------------------------------------------------------------------- parsing */

/* Pictures are then not under the names that were asked for. */
static void report_renamed(const skv_prompts_facts *f, const char *list)
{
    if (f->n_renamed == 0)
        return;
    skv_warn("%s: %zu %s (letters, digits, '.', '_' and '-' can): pictures go by their prompt's "
             "number, and /samples/given_id of run.h5 keeps what was given",
             list, f->n_renamed,
             f->n_renamed == 1 ? "id cannot be a file name" : "ids cannot be file names");
    for (size_t i = 0; i < SKV_PROMPTS_RENAMED && i < f->n_renamed; i++)
        skv_warn("not a file name: \"%s\"", f->renamed[i]);
}

/* Where prompts were found, and which keys say nothing to this program; a warning for each by which
 * lines ask for something. */
static void report_keys(const skv_prompts_facts *f, const char *list)
{
    char text[1024] = "";
    size_t used = 0;

    for (size_t i = 0; i < f->n_unused; i++) {
        bool asked = false;
        const char *instead = skv_prompts_asks(f->unused[i], &asked);

        if (asked && instead)
            skv_warn("%s: \"%s\" is not used; %s does that", list, f->unused[i], instead);
        else if (asked)
            skv_warn("%s: \"%s\" is not used", list, f->unused[i]);
        else if (used < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "%s\"%s\"",
                                     used ? ", " : "; not used: ", f->unused[i]);
    }
    if (f->text_key[0] && (used > 0 || f->negative_key[0] || strcmp(f->text_key, "prompt") != 0))
        skv_info("# %s: prompts are \"%s\"%s%s%s%s", list, f->text_key,
                 f->negative_key[0] ? ", negative prompts \"" : "", f->negative_key,
                 f->negative_key[0] ? "\"" : "", text);
}

static skv_status add_text(skv_prompt_table *t, skv_list list, size_t i, const char *text)
{
    return text ? skv_prompt_table_add(t, list, (int64_t)i, text, strlen(text) + 1) : SKV_OK;
}

static skv_status add_prompt(void *table, size_t i, const skv_prompt *p)
{
    SKV_TRY(add_text(table, SKV_LIST_TEXT, i, p->text));
    SKV_TRY(add_text(table, SKV_LIST_ID, i, p->id));
    if (!p->id)
        SKV_TRY(add_text(table, SKV_LIST_GIVEN_ID, i, p->given_id));
    SKV_TRY(add_text(table, SKV_LIST_REWRITTEN, i, p->rewritten));
    SKV_TRY(add_text(table, SKV_LIST_NEGATIVE, i, p->negative));
    SKV_TRY(add_text(table, SKV_LIST_ERROR, i, p->error));
    return skv_prompt_table_add(table, SKV_LIST_SEED, (int64_t)i, &p->seed, p->has_seed);
}

skv_status skv_rows_parse(skv_prompt_table **table, skv_prompt_facts *facts,
                          const skv_prompt_list *list, const skv_settings *s)
{
    const skv_prompts_options options = {.order = strcmp(s->prompt_order, "image_id") == 0
                                                      ? SKV_PROMPTS_ORDER_IMAGE_ID
                                                      : SKV_PROMPTS_ORDER_IMAGES,
                                         .rewrites = list->rewrites,
                                         .rewrites_bytes = list->n_rewrites,
                                         .rewrites_name = s->rewrite_cache,
                                         .prompt_key = s->prompt_key,
                                         .id_key = s->id_key};
    skv_prompt_table *t = NULL;
    skv_prompts_facts f;
    skv_status st;

    SKV_TRY(skv_prompt_table_create(&t, skv_settings_list(s)));
    SKV_TRY_GOTO(skv_prompts_each(&f, &list->source, skv_settings_list(s), &options, add_prompt, t),
                 done);
    report_renamed(&f, skv_settings_list(s));
    report_keys(&f, skv_settings_list(s));
    *facts = (skv_prompt_facts){.n_prompts = (int64_t)f.n,
                                .n_bad = (int64_t)f.n_bad,
                                .n_renamed = (int64_t)f.n_renamed,
                                .n_rewritten = (int64_t)f.rewriting.n_rewritten,
                                .n_missing = (int64_t)f.rewriting.n_missing,
                                .index_digits = f.index_digits,
                                .index_dashes = f.index_dashes,
                                .prompts = list->source.digest,
                                .rewriting = f.rewriting.digest};
    *table = t;
    t = NULL;
done:
    skv_prompt_table_destroy(t);
    return st;
}

static skv_status name_bad(void *named, const skv_row_span *span, bool *done)
{
    int *n = named;

    for (int64_t i = 0; i < span->n && *n < MAX_BAD; i++)
        if (span->prompt[i].error) {
            skv_warn("%s", span->prompt[i].error);
            ++*n;
        }
    *done = *n == MAX_BAD;
    return SKV_OK;
}

skv_status skv_rows_warn_bad(const skv_rows *rows)
{
    const skv_prompt_facts *f = &rows->facts;
    int named = 0;

    if (f->n_bad == 0)
        return SKV_OK;
    SKV_TRY(skv_rows_each(rows, name_bad, &named));
    if (f->n_bad > named)
        skv_warn("and %" PRId64 " more of %" PRId64 " prompts cannot be sampled", f->n_bad - named,
                 f->n_prompts);
    return SKV_OK;
}

void skv_rows_warn_unguided(const skv_rows *rows)
{
    const skv_settings *s = rows->settings;

    if (!skv_settings_guided(s) &&
        ((s->negative && s->negative[0]) || skv_prompt_table_has(rows->table, SKV_LIST_NEGATIVE)))
        skv_warn("negative prompts have no effect: --cfg 1 does not guide at any scale");
}

static skv_status name_missing(void *named, const skv_row_span *span, bool *done)
{
    int *n = named;

    for (int64_t i = 0; i < span->n && *n < MAX_MISSING; i++) {
        const skv_row_prompt *p = &span->prompt[i];

        if (p->error || p->rewritten)
            continue;
        skv_warn("not rewritten: prompt %" PRId64 ", \"%.200s\"", span->first + i, p->text);
        ++*n;
    }
    *done = *n == MAX_MISSING;
    return SKV_OK;
}

skv_status skv_rows_warn_missing(const skv_rows *rows)
{
    const skv_prompt_facts *f = &rows->facts;
    int named = 0;

    if (f->n_missing == 0)
        return SKV_OK;
    skv_warn("%s: %" PRId64 " of %" PRId64 " prompts %s", rows->settings->rewrite_cache,
             f->n_missing, f->n_missing + f->n_rewritten,
             f->n_missing == 1 ? "is not in it and is used as it is"
                               : "are not in it and are used as they are");
    SKV_TRY(skv_rows_each(rows, name_missing, &named));
    if (f->n_missing > named)
        skv_warn("and %" PRId64 " more; in run.h5 their prompt_used is their prompt",
                 f->n_missing - named);
    return SKV_OK;
}

/* -------------------------------------------------------------------- tokenising */

/* Before a text, and before its token ids; bytes: of what follows. */
typedef struct {
    int64_t prompt;
    uint32_t list, truncated;
    uint64_t bytes;
} header;

static skv_status put(skv_bytes *out, const header *h, const void *data)
{
    SKV_TRY(skv_bytes_add(out, h, sizeof *h, "texts to be tokenised"));
    return skv_bytes_add(out, data, h->bytes, "texts to be tokenised");
}

/* The header at `at`, and what follows it; NULL: the bytes end there. */
static const char *take(header *h, const char *at, const char *end)
{
    if ((size_t)(end - at) < sizeof *h)
        return NULL;
    memcpy(h, at, sizeof *h);
    at += sizeof *h;
    return (uint64_t)(end - at) < h->bytes ? NULL : at;
}

static skv_status pack_prompt(skv_bytes *out, const skv_row_span *span, int64_t i)
{
    const skv_row_prompt *p = &span->prompt[i];
    header h = {.prompt = span->first + i};

    if (p->error)
        return SKV_OK;
    h.list = SKV_LIST_TOKEN;
    h.bytes = strlen(p->used) + 1;
    SKV_TRY(put(out, &h, p->used));
    if (!p->negative || p->negative == span->rows->settings->negative)
        return SKV_OK;
    h.list = SKV_LIST_NEGATIVE_TOKEN;
    h.bytes = strlen(p->negative) + 1;
    return put(out, &h, p->negative);
}

skv_status skv_texts_pack(skv_bytes *out, int64_t *next, const skv_rows *rows)
{
    const int64_t n = rows->facts.n_prompts;
    skv_row_span span = {0};
    skv_status st = SKV_OK;

    out->n = 0;
    while (*next < n && out->n < BLOCK_BYTES && st == SKV_OK) {
        SKV_TRY(skv_rows_load(&span, rows, *next, n - *next < SPAN ? n - *next : SPAN));
        for (int64_t i = 0; i < span.n && st == SKV_OK; i++)
            st = pack_prompt(out, &span, i);
        *next += span.n;
        skv_row_span_clear(&span);
    }
    return st;
}

static int64_t count_texts(const char *at, const char *end)
{
    const char *text;
    int64_t n = 0;
    header h;

    for (; (text = take(&h, at, end)); at = text + h.bytes)
        n++;
    return n;
}

void skv_texts_cut(size_t *end, int size, const skv_bytes *texts)
{
    const char *const begin = texts->data, *const stop = begin + texts->n, *at = begin, *text;
    const int64_t n = count_texts(begin, stop);
    int64_t i = 0;
    header h;

    for (int r = 0; r < size; r++) {
        for (; i < n * (r + 1) / size && (text = take(&h, at, stop)); i++)
            at = text + h.bytes;
        end[r] = (size_t)(at - begin);
    }
}

/* Texts cut into slices, whose ids are joined in order. */
typedef struct {
    const skv_tokenizer *tokenizer;
    const char **text; /* (n) where each text's header stands */
    int64_t n;
    const char *end;
    skv_bytes slice[SLICES];
} encoding;

static skv_status encode_one(skv_bytes *out, const encoding *e, const char *at)
{
    int32_t ids[SKV_MAX_TOKENS];
    bool truncated = false;
    header h;
    int n = 0;

    at = take(&h, at, e->end);
    SKV_TRY(skv_rows_encode(e->tokenizer, at, ids, &n, &truncated));
    h.truncated = truncated;
    h.bytes = (size_t)n * sizeof *ids;
    return put(out, &h, ids);
}

static skv_status encode_slice(void *ctx, int64_t s)
{
    encoding *e = ctx;
    const int64_t first = e->n * s / SLICES, end = e->n * (s + 1) / SLICES;

    for (int64_t i = first; i < end; i++)
        SKV_TRY(encode_one(&e->slice[s], e, e->text[i]));
    return SKV_OK;
}

static skv_status find_texts(encoding *e, const char *texts, size_t bytes)
{
    const char *at = texts, *text;
    header h;

    e->end = texts + bytes;
    SKV_TRY(skv_alloc(&e->text, (size_t)count_texts(at, e->end) + 1, sizeof *e->text,
                      "texts to be tokenised"));
    for (; (text = take(&h, at, e->end)); at = text + h.bytes)
        e->text[e->n++] = at;
    return SKV_OK;
}

skv_status skv_texts_encode(skv_bytes *out, const void *texts, size_t n,
                            const skv_tokenizer *tokenizer, int n_threads)
{
    encoding e = {.tokenizer = tokenizer};
    skv_status st;

    out->n = 0;
    SKV_TRY_GOTO(find_texts(&e, texts, n), done);
    SKV_TRY_GOTO(skv_parallel(n_threads, SLICES, encode_slice, &e), done);
    for (int s = 0; s < SLICES; s++)
        SKV_TRY_GOTO(skv_bytes_add(out, e.slice[s].data, e.slice[s].n, "token ids"), done);
done:
    for (int s = 0; s < SLICES; s++)
        skv_bytes_clear(&e.slice[s]);
    free((void *)e.text);
    return st;
}

skv_status skv_texts_add(skv_prompt_table *table, skv_rows *rows, const void *ids, size_t n)
{
    const char *at = ids, *end = at + n, *tokens;
    const uint8_t yes = 1;
    header h;

    while ((tokens = take(&h, at, end))) {
        at = tokens + h.bytes;
        SKV_TRY(skv_prompt_table_add(table, (skv_list)h.list, h.prompt, tokens,
                                     h.bytes / sizeof(int32_t)));
        rows->n_negatives_cut += h.list == SKV_LIST_NEGATIVE_TOKEN && h.truncated;
        if (h.list != SKV_LIST_TOKEN || !h.truncated)
            continue;
        SKV_TRY(skv_prompt_table_add(table, SKV_LIST_TRUNCATED, h.prompt, &yes, 1));
        rows->facts.n_truncated++;
    }
    return SKV_OK;
}

skv_status skv_rows_tokenise(skv_rows *rows, skv_prompt_table *table,
                             const skv_tokenizer *tokenizer, int n_threads)
{
    skv_bytes texts = {0}, ids = {0};
    int64_t next = 0;
    skv_status st = SKV_OK;

    while (next < rows->facts.n_prompts && st == SKV_OK) {
        SKV_TRY_GOTO(skv_texts_pack(&texts, &next, rows), done);
        SKV_TRY_GOTO(skv_texts_encode(&ids, texts.data, texts.n, tokenizer, n_threads), done);
        st = skv_texts_add(table, rows, ids.data, ids.n);
    }
done:
    skv_bytes_clear(&texts);
    skv_bytes_clear(&ids);
    return st;
}
