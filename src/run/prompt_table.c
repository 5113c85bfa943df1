#include "run/prompt_table.h"
#include "run/prompt_table_parts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"
#include "io/prompts.h"

#define MAX_TEXT ((int64_t)(1 << 20) + 1) /* with the NUL, as io/prompts.h takes them */

const skv_list__kind skv_list__kinds[SKV_N_LISTS] = {
    [SKV_LIST_TEXT] = {"text", SKV_H5_U8, MAX_TEXT, "prompt as given", ""},
    [SKV_LIST_ID] = {"id", SKV_H5_U8, 256, "id of its own", ""},
    [SKV_LIST_GIVEN_ID] = {"given_id", SKV_H5_U8, MAX_TEXT,
                           "id as given, where it cannot be a file name", ""},
    [SKV_LIST_REWRITTEN] = {"rewritten", SKV_H5_U8, MAX_TEXT, "encoded in place of the text", ""},
    [SKV_LIST_NEGATIVE] = {"negative", SKV_H5_U8, MAX_TEXT, "negative prompt of its own", ""},
    [SKV_LIST_ERROR] = {"error", SKV_H5_U8, 4096, "why it cannot be sampled", ""},
    [SKV_LIST_SEED] = {"seed", SKV_H5_U64, 1, "seed of its own", "1"},
    [SKV_LIST_TOKEN] = {"token", SKV_H5_I32, 512, "token ids of what is encoded", "1"},
    [SKV_LIST_NEGATIVE_TOKEN] = {"negative_token", SKV_H5_I32, 512,
                                 "token ids of its own negative prompt", "1"},
    [SKV_LIST_TRUNCATED] = {"truncated", SKV_H5_U8, 1, "1: cut to 512 tokens", "1"},
};

skv_status skv_prompt_table__new(skv_prompt_table **out, const char *path, int fd)
{
    skv_prompt_table *t = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&t, 1, sizeof *t, "the prompts"));
    t->fd = -1;
    st = skv_text_copy(&t->path, path);
    if (st != SKV_OK) {
        skv_prompt_table_destroy(t);
        return st;
    }
    t->fd = fd;
    *out = t;
    return SKV_OK;
}

skv_status skv_prompt_table_create(skv_prompt_table **out, const char *what)
{
    return skv_prompt_table__new(out, what, -1);
}

void skv_prompt_table_destroy(skv_prompt_table *t)
{
    if (!t)
        return;
    for (int l = 0; l < SKV_N_LISTS; l++) {
        skv_spool_clear(&t->value[l]);
        skv_spool_clear(&t->end[l]);
    }
    if (t->fd >= 0)
        close(t->fd);
    free(t->path);
    free(t);
}

skv_status skv_prompt_table_add(skv_prompt_table *t, skv_list list, int64_t prompt,
                                const void *entries, size_t n)
{
    const skv_list__kind *kind = &skv_list__kinds[list];
    int64_t *n_prompts = &t->place.list[list].n_prompts, *total = &t->place.list[list].n;

    assert(t->fd < 0 && prompt >= *n_prompts && (int64_t)n <= kind->most);
    if (n == 0)
        return SKV_OK;
    SKV_TRY(skv_spool_add(&t->value[list], entries, n * skv_h5_type_bytes(kind->type), t->path));
    for (; *n_prompts <= prompt; ++*n_prompts) {
        const int64_t end = *n_prompts < prompt ? *total : *total + (int64_t)n;

        SKV_TRY(skv_spool_add(&t->end[list], &end, sizeof end, t->path));
    }
    *total += (int64_t)n;
    return SKV_OK;
}

void skv_prompt_row_id(char *out, size_t bytes, const skv_prompt_facts *facts, const char *own,
                       int64_t prompt, int64_t sample)
{
    char id[SKV_PROMPT_ID_BYTES];

    if (own)
        snprintf(id, sizeof id, "%s", own);
    else
        skv_prompts_index_id(id, sizeof id, (size_t)prompt, (int)facts->index_digits,
                             (int)facts->index_dashes);
    if (sample > 0)
        snprintf(out, bytes, "%s-%lld", id, (long long)sample);
    else
        snprintf(out, bytes, "%s", id);
}

/* ----------------------------------------------------------------------- reading */

bool skv_prompt_table_has(const skv_prompt_table *t, skv_list list)
{
    return t->place.list[list].n > 0;
}

static skv_status read_ends(int64_t *end, const skv_prompt_table *t, skv_list list, int64_t first,
                            int64_t n)
{
    if (t->fd >= 0)
        return skv_read_at(t->fd, end, (size_t)n * sizeof *end,
                           t->place.list[list].end + first * (int64_t)sizeof *end, t->path);
    return skv_spool_read(&t->end[list], (size_t)first * sizeof *end, (size_t)n * sizeof *end, end,
                          t->path);
}

/* Ends from the beginning of the list on; *start: where the first prompt's entries begin. */
static skv_status find_ends(int64_t *end, int64_t *start, const skv_prompt_table *t, skv_list list,
                            int64_t first, int64_t n)
{
    const int64_t known = t->place.list[list].n_prompts, total = t->place.list[list].n;
    const int64_t most = skv_list__kinds[list].most;
    const int64_t there = first >= known ? 0 : n < known - first ? n : known - first;
    int64_t before;

    *start = first >= known ? total : 0;
    if (first > 0 && first < known)
        SKV_TRY(read_ends(start, t, list, first - 1, 1));
    if (there > 0)
        SKV_TRY(read_ends(end, t, list, first, there));
    for (int64_t i = there; i < n; i++)
        end[i] = total;
    before = *start;
    if (before < 0 || before > total)
        return skv_fail(SKV_E_FORMAT, "%s: %s of prompt %lld lies outside the list", t->path,
                        skv_list__kinds[list].name, (long long)first);
    for (int64_t i = 0; i < n; i++) {
        if (end[i] < before || end[i] > total || end[i] - before > most)
            return skv_fail(SKV_E_FORMAT, "%s: %s of prompt %lld ends where it cannot", t->path,
                            skv_list__kinds[list].name, (long long)(first + i));
        before = end[i];
    }
    return SKV_OK;
}

skv_status skv_prompt_table_ends(int64_t *end, const skv_prompt_table *t, skv_list list,
                                 int64_t first, int64_t n)
{
    int64_t start = 0;

    SKV_TRY(find_ends(end, &start, t, list, first, n));
    for (int64_t i = 0; i < n; i++)
        end[i] -= start;
    return SKV_OK;
}

/* Readers take texts as strings. */
static skv_status check_texts(const skv_prompt_table *t, skv_list list, int64_t first, int64_t n,
                              const skv_list_part *part)
{
    const char *at = part->values;

    for (int64_t i = 0; i < n; i++) {
        const size_t bytes = (size_t)(part->end[i] - (i ? part->end[i - 1] : 0));

        if (bytes > 0 && (at[bytes - 1] != '\0' || !skv_utf8_is_valid(at, bytes - 1)))
            return skv_fail(SKV_E_FORMAT, "%s: %s of prompt %lld is not a text", t->path,
                            skv_list__kinds[list].name, (long long)(first + i));
        at += bytes;
    }
    return SKV_OK;
}

skv_status skv_prompt_table_read(skv_list_part *out, const skv_prompt_table *t, skv_list list,
                                 int64_t first, int64_t n)
{
    const int64_t size = (int64_t)skv_h5_type_bytes(skv_list__kinds[list].type);
    skv_list_part part = {0};
    int64_t start = 0, *ends = NULL;
    size_t bytes = 0;
    skv_status st;

    assert(n > 0);
    SKV_TRY(skv_alloc(&ends, (size_t)n, sizeof *ends, t->path));
    SKV_TRY_GOTO(find_ends(ends, &start, t, list, first, n), done);
    bytes = (size_t)((ends[n - 1] - start) * size);
    SKV_TRY_GOTO(skv_alloc(&part.end, (size_t)n * sizeof *ends + bytes, 1, t->path), done);
    part.values = part.end + n;
    for (int64_t i = 0; i < n; i++)
        part.end[i] = ends[i] - start;
    if (t->fd >= 0)
        SKV_TRY_GOTO(skv_read_at(t->fd, part.values, bytes,
                                 t->place.list[list].value + start * size, t->path),
                     done);
    else
        SKV_TRY_GOTO(
            skv_spool_read(&t->value[list], (size_t)(start * size), bytes, part.values, t->path),
            done);
    if (skv_list__is_text(list))
        SKV_TRY_GOTO(check_texts(t, list, first, n, &part), done);
    *out = part;
    part.end = NULL;
done:
    free(part.end);
    free(ends);
    return st;
}
