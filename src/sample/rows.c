#include "sample/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"

skv_row skv_rows_at(const skv_rows *rows, int64_t row)
{
    const skv_settings *s = rows->settings;
    skv_row r = {.row = row, .prompt = row / s->samples, .sample = (int)(row % s->samples)};
    const skv_prompt *p = &rows->prompts->prompts[r.prompt];

    if (p->has_seed)
        r.seed = p->seed + (uint64_t)r.sample;
    else if (strcmp(s->seed_rule, "index") == 0)
        r.seed = (uint64_t)r.prompt + (uint64_t)r.sample;
    else
        r.seed = s->seed + (uint64_t)row;
    return r;
}

void skv_rows_group(const skv_rows *rows, int64_t g, int64_t *first, int *n)
{
    const int64_t size = rows->settings->group_size;
    const int64_t left = rows->n_rows - g * size;

    *first = g * size;
    *n = (int)(left < size ? left : size);
}

void skv_rows_id(const skv_rows *rows, int64_t row, char *out, size_t bytes)
{
    const skv_row r = skv_rows_at(rows, row);
    char id[SKV_PROMPT_ID_BYTES];

    skv_prompts_id(rows->prompts, (size_t)r.prompt, id, sizeof id);
    if (rows->settings->samples > 1)
        snprintf(out, bytes, "%s-%d", id, r.sample);
    else
        snprintf(out, bytes, "%s", id);
}

skv_status skv_rows_text(const skv_rows *rows, int64_t prompt, char **used)
{
    const skv_prompt *p = &rows->prompts->prompts[prompt];

    const char *text = p->rewritten ? p->rewritten : p->text;

    if (rows->settings->positive)
        return skv_prompt_positive(used, text);
    SKV_TRY(skv_alloc(used, strlen(text) + 1, 1, "prompt"));
    memcpy(*used, text, strlen(text) + 1);
    return SKV_OK;
}

const char *skv_rows_negative(const skv_rows *rows, int64_t prompt)
{
    const char *own = rows->prompts->prompts[prompt].negative;
    const char *negative = own ? own : rows->settings->negative;

    return negative && negative[0] ? negative : NULL;
}

skv_status skv_rows_encode(const skv_rows *rows, const char *text, int32_t *ids, int *n,
                           bool *truncated)
{
    int before = 0;

    SKV_TRY(skv_tokenizer_encode(rows->tokenizer, text, strlen(text), ids, n, &before));
    *truncated = before > *n;
    return SKV_OK;
}

static skv_status count_prompt(skv_rows *rows, int64_t i)
{
    const char *negative = skv_rows_negative(rows, i);
    int32_t ids[SKV_MAX_TOKENS];
    char *used = NULL;
    bool cut = false;
    skv_status st;
    int n = 0;

    if (rows->prompts->prompts[i].error) {
        rows->n_bad++;
        return SKV_OK;
    }
    SKV_TRY(skv_rows_text(rows, i, &used));
    st = skv_rows_encode(rows, used, ids, &n, &rows->truncated[i]);
    free(used);
    SKV_TRY(st);
    rows->tokens[i] = n;
    rows->n_truncated += rows->truncated[i];
    if (!negative || !skv_settings_guided(rows->settings))
        return SKV_OK;
    SKV_TRY(skv_rows_encode(rows, negative, ids, &n, &cut));
    rows->negative_tokens[i] = n;
    return SKV_OK;
}

/* Packed tokens of rows [first, end): each prompt once, however many of its samples are among them.
 */
static void measure_group(skv_group_sizes *out, const skv_rows *rows, int64_t first, int64_t end)
{
    int64_t previous = -1;
    int prompts = 0, tokens = 0;

    for (int64_t row = first; row < end; row++) {
        const int64_t p = row / rows->settings->samples;

        if (rows->tokens[p] == 0)
            continue;
        prompts++;
        if (p != previous)
            tokens += rows->tokens[p] + rows->negative_tokens[p];
        previous = p;
        if (rows->tokens[p] > out->longest)
            out->longest = rows->tokens[p];
        if (rows->negative_tokens[p] > out->longest)
            out->longest = rows->negative_tokens[p];
        if (rows->negative_tokens[p] == 0 && rows->tokens[p] > out->uncond)
            out->uncond = rows->tokens[p];
    }
    if (prompts > out->prompts)
        out->prompts = prompts;
    if (tokens > out->text_tokens)
        out->text_tokens = tokens;
}

skv_group_sizes skv_rows_measure(const skv_rows *rows, int64_t group_size)
{
    skv_group_sizes sizes = {0};

    for (int64_t first = 0; first < rows->n_rows; first += group_size)
        measure_group(&sizes, rows, first,
                      rows->n_rows - first < group_size ? rows->n_rows : first + group_size);
    if (!skv_settings_guided(rows->settings))
        sizes.uncond = 0;
    if (sizes.prompts == 0) /* every line is bad: the run still writes that down */
        sizes = (skv_group_sizes){.prompts = 1, .text_tokens = 1, .longest = 1};
    return sizes;
}

skv_status skv_rows_init(skv_rows *rows, const skv_settings *s, const skv_prompts *prompts,
                         const skv_tokenizer *tokenizer)
{
    skv_status st = SKV_OK;

    *rows = (skv_rows){.settings = s, .prompts = prompts, .tokenizer = tokenizer};
    if (prompts->n == 0)
        return skv_fail(SKV_E_ARG, "%s: no prompts", s->prompts);
    if (prompts->n > (size_t)INT64_MAX / 10000)
        return skv_fail(SKV_E_ARG, "%s: %zu prompts are too many", s->prompts, prompts->n);
    rows->n_rows = (int64_t)prompts->n * s->samples;
    rows->n_groups = (rows->n_rows + s->group_size - 1) / s->group_size;
    SKV_TRY_GOTO(skv_alloc(&rows->tokens, prompts->n, sizeof *rows->tokens, "prompts"), done);
    SKV_TRY_GOTO(
        skv_alloc(&rows->negative_tokens, prompts->n, sizeof *rows->negative_tokens, "prompts"),
        done);
    SKV_TRY_GOTO(skv_alloc(&rows->truncated, prompts->n, sizeof *rows->truncated, "prompts"), done);
    for (int64_t i = 0; i < (int64_t)prompts->n; i++)
        SKV_TRY_GOTO(count_prompt(rows, i), done);
done:
    if (st != SKV_OK)
        skv_rows_deinit(rows);
    return st;
}

void skv_rows_deinit(skv_rows *rows)
{
    free(rows->tokens);
    free(rows->negative_tokens);
    free(rows->truncated);
    *rows = (skv_rows){0};
}
