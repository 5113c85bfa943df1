#include "sample/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "io/prompts.h"

#define SPAN 1024 /* prompts loaded at once by who needs all */

skv_status skv_rows_encode(const skv_tokenizer *t, const char *text, int32_t *ids, int *n,
                           bool *truncated)
{
    int before = 0;

    SKV_TRY(skv_tokenizer_encode(t, text, strlen(text), ids, n, &before));
    *truncated = before > *n;
    return SKV_OK;
}

skv_status skv_rows_init(skv_rows *rows, const skv_settings *s, const skv_prompt_table *table,
                         const skv_prompt_facts *facts, const skv_tokenizer *tokenizer,
                         int vocabulary)
{
    *rows = (skv_rows){.settings = s, .table = table, .facts = *facts, .vocabulary = vocabulary};
    if (facts->n_prompts > INT64_MAX / 10000)
        return skv_fail(SKV_E_ARG, "%s: %lld prompts are too many", skv_settings_list(s),
                        (long long)facts->n_prompts);
    rows->segments = skv_segments_none(s->group_size);
    SKV_TRY(skv_segments_grow(&rows->segments, facts->n_prompts, s->samples));
    if (!s->negative || !s->negative[0] || !skv_settings_guided(s))
        return SKV_OK;
    return skv_rows_encode(tokenizer, s->negative, rows->negative, &rows->n_negative,
                           &rows->negative_is_cut);
}

void skv_rows_group(const skv_rows *rows, int64_t g, int64_t *first, int *n)
{
    skv_segments_group(&rows->segments, g, first, n);
}

/* -------------------------------------------------------------------------- spans */

/* The i-th prompt's entries of a list, NULL: none; *n: how many. */
static const void *entries(int *n, const skv_row_span *span, skv_list list, int64_t i, size_t size)
{
    const skv_list_part *part = &span->part[list];
    const int64_t start = part->end && i > 0 ? part->end[i - 1] : 0;

    *n = part->end ? (int)(part->end[i] - start) : 0;
    return *n > 0 ? (const char *)part->values + (size_t)start * size : NULL;
}

static const char *text_of(const skv_row_span *span, skv_list list, int64_t i)
{
    int n;

    return entries(&n, span, list, i, 1);
}

/* Ids select rows of a weight. */
static skv_status check_tokens(const skv_row_span *span, const int32_t *token, int n, int64_t i)
{
    for (int k = 0; k < n; k++)
        if (token[k] < 0 || token[k] >= span->rows->vocabulary)
            return skv_fail(SKV_E_FORMAT, "prompt %lld: token id %d, the vocabulary has %d",
                            (long long)(span->first + i), (int)token[k], span->rows->vocabulary);
    return SKV_OK;
}

static skv_status fill_texts(skv_row_prompt *p, skv_row_span *span, int64_t i)
{
    const skv_settings *s = span->rows->settings;
    const char *rewritten = text_of(span, SKV_LIST_REWRITTEN, i);
    const char *own = text_of(span, SKV_LIST_NEGATIVE, i);
    const char *negative = own ? own : s->negative;

    p->id = text_of(span, SKV_LIST_ID, i);
    p->given_id = p->id ? p->id : text_of(span, SKV_LIST_GIVEN_ID, i);
    p->text = text_of(span, SKV_LIST_TEXT, i);
    p->error = text_of(span, SKV_LIST_ERROR, i);
    p->negative = negative && negative[0] ? negative : NULL;
    if (!p->text || (p->id && !skv_prompts_id_is_usable(p->id)))
        return skv_fail(SKV_E_FORMAT, "prompt %lld: %s", (long long)(span->first + i),
                        p->text ? "its id cannot be a file name" : "it has no text");
    p->rewritten = rewritten != NULL;
    p->used = rewritten ? rewritten : p->text;
    if (s->positive && !p->error) {
        SKV_TRY(skv_prompt_positive(&span->made[i], p->used));
        p->used = span->made[i];
    }
    return SKV_OK;
}

static skv_status fill_prompt(skv_row_span *span, int64_t i)
{
    const skv_rows *rows = span->rows;
    skv_row_prompt *p = &span->prompt[i];
    const uint64_t *seed;
    const char *own = text_of(span, SKV_LIST_NEGATIVE, i);
    int n;

    SKV_TRY(fill_texts(p, span, i));
    seed = entries(&n, span, SKV_LIST_SEED, i, sizeof *seed);
    p->has_seed = seed != NULL;
    p->seed = seed ? *seed : 0;
    p->truncated = text_of(span, SKV_LIST_TRUNCATED, i) != NULL;
    if (p->error)
        return SKV_OK;
    p->token = entries(&p->n_tokens, span, SKV_LIST_TOKEN, i, sizeof *p->token);
    SKV_TRY(check_tokens(span, p->token, p->n_tokens, i));
    if (!p->negative || !skv_settings_guided(rows->settings))
        return SKV_OK;
    p->negative_token = rows->negative;
    p->n_negative = rows->n_negative;
    if (own)
        p->negative_token =
            entries(&p->n_negative, span, SKV_LIST_NEGATIVE_TOKEN, i, sizeof *p->negative_token);
    return check_tokens(span, p->negative_token, p->n_negative, i);
}

skv_status skv_rows_load(skv_row_span *out, const skv_rows *rows, int64_t first, int64_t n)
{
    skv_row_span span = {.rows = rows, .first = first, .n = n};
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&span.prompt, (size_t)n, sizeof *span.prompt, "prompts"), done);
    if (rows->settings->positive)
        SKV_TRY_GOTO(skv_alloc(&span.made, (size_t)n, sizeof *span.made, "prompts"), done);
    for (int l = 0; l < SKV_N_LISTS; l++)
        if (skv_prompt_table_has(rows->table, (skv_list)l))
            SKV_TRY_GOTO(skv_prompt_table_read(&span.part[l], rows->table, (skv_list)l, first, n),
                         done);
    for (int64_t i = 0; i < n; i++)
        SKV_TRY_GOTO(fill_prompt(&span, i), done);
    *out = span;
    span = (skv_row_span){0};
    st = SKV_OK;
done:
    skv_row_span_clear(&span);
    return st;
}

skv_status skv_rows_load_group(skv_row_span *out, const skv_rows *rows, int64_t g)
{
    int64_t row, first, last, sample;
    int n;

    skv_rows_group(rows, g, &row, &n);
    skv_segments_of_row(&rows->segments, row, &first, &sample);
    skv_segments_of_row(&rows->segments, row + n - 1, &last, &sample);
    return skv_rows_load(out, rows, first, last - first + 1);
}

void skv_row_span_clear(skv_row_span *span)
{
    for (int64_t i = 0; span->made && i < span->n; i++)
        free(span->made[i]);
    free(span->made);
    for (int l = 0; l < SKV_N_LISTS; l++)
        free(span->part[l].end);
    free(span->prompt);
    *span = (skv_row_span){0};
}

skv_status skv_rows_each(const skv_rows *rows,
                         skv_status (*fn)(void *ctx, const skv_row_span *span, bool *done),
                         void *ctx)
{
    const int64_t n = rows->facts.n_prompts;
    skv_row_span span = {0};
    skv_status st = SKV_OK;
    bool done = false;

    for (int64_t at = 0; at < n && st == SKV_OK && !done; at += SPAN) {
        st = skv_rows_load(&span, rows, at, n - at < SPAN ? n - at : SPAN);
        if (st == SKV_OK)
            st = fn(ctx, &span, &done);
        skv_row_span_clear(&span);
    }
    return st;
}

/* --------------------------------------------------------------------------- rows */

/* Upstream's scripts seed a generator for each picture, for each prompt or once. A line's own seed
 * is of a generator for that prompt. */
static void choose_numbers(skv_row *r, const skv_settings *s)
{
    const uint64_t sample = (uint64_t)r->sample, index = (uint64_t)r->index;

    r->seed = r->prompt->has_seed ? r->prompt->seed : s->seed;
    if (strcmp(s->seed_rule, "prompt") == 0)
        r->before = sample;
    else if (r->prompt->has_seed)
        r->seed += sample;
    else if (strcmp(s->seed_rule, "run") == 0)
        r->before = (uint64_t)r->row;
    else if (strcmp(s->seed_rule, "dpg") == 0)
        r->seed += 4 * index + sample;
    else if (strcmp(s->seed_rule, "index") == 0)
        r->seed = index + sample;
    else
        r->seed += (uint64_t)r->row;
}

skv_row skv_row_of(const skv_row_span *span, int64_t row)
{
    skv_row r = {.row = row};
    int64_t sample;

    skv_segments_of_row(&span->rows->segments, row, &r.index, &sample);
    r.sample = (int)sample;
    r.prompt = &span->prompt[r.index - span->first];
    choose_numbers(&r, span->rows->settings);
    return r;
}

void skv_row_id(const skv_row_span *span, int64_t row, char *out, size_t bytes)
{
    const skv_row r = skv_row_of(span, row);

    skv_prompt_row_id(out, bytes, &span->rows->facts, r.prompt->id, r.index, r.sample);
}

/* ------------------------------------------------------------------------ measure */

/* Token counts of a span of prompts. */
typedef struct {
    const skv_rows *rows;
    int64_t first, n;
    int64_t end[2][SPAN];   /* of the tokens, and of those of own negative prompts */
    int64_t negative[SPAN]; /* where own negative prompts end */
} counts;

static skv_status load_counts(counts *c, int64_t first)
{
    const int64_t left = c->rows->facts.n_prompts - first;

    c->first = first;
    c->n = left < SPAN ? left : SPAN;
    SKV_TRY(skv_prompt_table_ends(c->end[0], c->rows->table, SKV_LIST_TOKEN, first, c->n));
    SKV_TRY(skv_prompt_table_ends(c->end[1], c->rows->table, SKV_LIST_NEGATIVE_TOKEN, first, c->n));
    return skv_prompt_table_ends(c->negative, c->rows->table, SKV_LIST_NEGATIVE, first, c->n);
}

static int count_of(const int64_t *end, int64_t i)
{
    return (int)(end[i] - (i > 0 ? end[i - 1] : 0));
}

/* Tokens of prompt p, which lies in the span, and of the negative prompt that it is guided by. */
static void tokens_of(int *tokens, int *negative, const counts *c, int64_t p)
{
    const int64_t i = p - c->first;

    *tokens = count_of(c->end[0], i);
    if (!skv_settings_guided(c->rows->settings))
        *negative = 0;
    else if (count_of(c->negative, i) > 0)
        *negative = count_of(c->end[1], i);
    else
        *negative = c->rows->n_negative;
}

static int largest(int a, int b)
{
    return a > b ? a : b;
}

/* A group so far: packed tokens are those of each prompt once, however many of its samples are in
 * it. */
typedef struct {
    int prompts, tokens;
    int64_t previous;
} group;

static void add_row(skv_group_sizes *out, group *g, int64_t p, int tokens, int negative)
{
    if (tokens == 0)
        return;
    g->prompts++;
    if (p != g->previous)
        g->tokens += tokens + negative;
    g->previous = p;
    out->longest = largest(out->longest, largest(tokens, negative));
    if (negative == 0)
        out->uncond = largest(out->uncond, tokens);
    out->prompts = largest(out->prompts, g->prompts);
    out->text_tokens = largest(out->text_tokens, g->tokens);
}

static skv_status measure_segment(skv_group_sizes *out, counts *c, const skv_segment *e,
                                  int64_t group_size)
{
    group g = {.previous = -1};
    int64_t in_group = 0;

    c->n = 0;
    for (int64_t p = e->prompt; p < e->prompt + e->n_prompts; p++) {
        int tokens, negative;

        if (c->n == 0 || p == c->first + c->n)
            SKV_TRY(load_counts(c, p));
        tokens_of(&tokens, &negative, c, p);
        for (int64_t k = 0; k < e->n_samples; k++, in_group++) {
            if (in_group == group_size) {
                g = (group){.previous = -1};
                in_group = 0;
            }
            add_row(out, &g, p, tokens, negative);
        }
    }
    return SKV_OK;
}

skv_status skv_rows_measure(skv_group_sizes *out, const skv_rows *rows, int64_t group_size)
{
    const skv_segments *s = &rows->segments;
    counts *c = NULL;
    skv_status st = SKV_OK;

    *out = (skv_group_sizes){0};
    SKV_TRY(skv_alloc(&c, 1, sizeof *c, "token counts"));
    c->rows = rows;
    for (int i = 0; i < s->n && st == SKV_OK; i++)
        st = measure_segment(out, c, &s->segment[i], group_size);
    if (!skv_settings_guided(rows->settings))
        out->uncond = 0;
    if (out->prompts == 0) /* every line is bad: the run still writes that down */
        *out = (skv_group_sizes){.prompts = 1, .text_tokens = 1, .longest = 1};
    free(c);
    return st;
}
