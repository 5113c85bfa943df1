#include "run/run_growth.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "io/prompts.h"

#define SPAN      1024 /* prompts compared at once */
#define SHOWN     60   /* bytes of a text in a message */
#define OTHERWISE "use another --out"

/* ---------------------------------------------------------------------------- run.json */

static const char *const growing[] = {"prompts", "rewritten", "samples"};

bool skv_run_key_grows(const char *key)
{
    for (size_t i = 0; i < sizeof growing / sizeof growing[0]; i++)
        if (strcmp(key, growing[i]) == 0)
            return true;
    return false;
}

skv_status skv_run_growing_part(json_t **out, const json_t *common, json_t *segments)
{
    skv_json_maker part = skv_json_object();

    for (size_t i = 0; i < sizeof growing / sizeof growing[0]; i++) {
        json_t *value = json_object_get(common, growing[i]);

        if (value)
            skv_json_put(&part, growing[i], json_incref(value));
    }
    if (segments)
        skv_json_put(&part, SKV_SEGMENTS, json_incref(segments));
    return skv_json_finish(out, &part, "the growing part of run.json");
}

static bool take_digest(char out[SKV_DIGEST_BYTES], const json_t *value)
{
    const char *text = json_string_value(value);

    if (!text || !skv_digest_is_text(text))
        return false;
    snprintf(out, SKV_DIGEST_BYTES, "%s", text);
    return true;
}

static bool take_facts(skv_run_begun *out, const json_t *root, const char *file)
{
    const json_t *common = json_object_get(root, "common");

    return take_digest(out->digest, json_object_get(root, "digest")) &&
           take_digest(out->prompts, json_object_get(common, "prompts")) &&
           (!json_object_get(common, "rewritten") ||
            take_digest(out->rewritten, json_object_get(common, "rewritten"))) &&
           skv_segments_of_run(&out->segments, root, file) == SKV_OK;
}

skv_status skv_run_begun_read(skv_run_begun *out, json_t **part, const char *run)
{
    skv_run_begun begun = {.there = true};
    json_t *root = NULL;
    char file[4096];
    skv_status st;

    *out = (skv_run_begun){0};
    *part = NULL;
    if (snprintf(file, sizeof file, "%s/run.json", run) >= (int)sizeof file)
        return SKV_OK;
    st = skv_json_read_below(&root, file, 1);
    if (skv_may_pass(st))
        return st;
    if (st != SKV_OK || !take_facts(&begun, root, file)) {
        json_decref(root);
        return SKV_OK;
    }
    *out = begun;
    st = skv_run_growing_part(part, json_object_get(root, "common"),
                              json_object_get(root, SKV_SEGMENTS));
    json_decref(root);
    return st;
}

/* ------------------------------------------------------------------- lists, prompt by prompt */

/* What a prompt's picture and name follow from, and how messages call it. */
static const struct {
    skv_list list;
    const char *name;
} compared[] = {
    {SKV_LIST_TEXT, "prompt"},
    {SKV_LIST_ID, "id"},
    {SKV_LIST_GIVEN_ID, "id"},
    {SKV_LIST_REWRITTEN, "rewritten prompt"},
    {SKV_LIST_NEGATIVE, "negative prompt"},
    {SKV_LIST_SEED, "seed"},
    {SKV_LIST_ERROR, "fault"},
};
#define N_COMPARED (sizeof compared / sizeof compared[0])
#define IDS        1 /* place of the ids in the table */

typedef struct {
    const skv_run_wish *wish;
    const skv_prompt_table *table[2]; /* before, now */
    const skv_prompt_facts *facts[2];
    int64_t first, n;
    skv_list_part part[2][N_COMPARED];
} pair;

static void clear_span(pair *p)
{
    for (int t = 0; t < 2; t++)
        for (size_t l = 0; l < N_COMPARED; l++) {
            free(p->part[t][l].end);
            p->part[t][l] = (skv_list_part){0};
        }
}

static skv_status load_span(pair *p, int64_t first, int64_t n)
{
    p->first = first;
    p->n = n;
    for (int t = 0; t < 2; t++)
        for (size_t l = 0; l < N_COMPARED; l++)
            if (skv_prompt_table_has(p->table[t], compared[l].list))
                SKV_TRY(
                    skv_prompt_table_read(&p->part[t][l], p->table[t], compared[l].list, first, n));
    return SKV_OK;
}

/* Bytes of prompt first + i in a list; NULL: it has none. */
static const char *entry_of(size_t *bytes, const pair *p, int t, size_t l, int64_t i)
{
    const size_t size = compared[l].list == SKV_LIST_SEED ? sizeof(uint64_t) : 1;
    const skv_list_part *part = &p->part[t][l];
    const int64_t start = part->end && i > 0 ? part->end[i - 1] : 0;

    *bytes = part->end ? (size_t)(part->end[i] - start) * size : 0;
    return *bytes > 0 ? (const char *)part->values + (size_t)start * size : NULL;
}

/* A text, cut short, in quotes; a seed; or that there is none. */
static void show(char out[SHOWN + 32], const char *entry, size_t bytes, skv_list list)
{
    uint64_t seed;
    int n = 0;

    if (!entry)
        snprintf(out, SHOWN + 32, "none");
    else if (list == SKV_LIST_SEED) {
        memcpy(&seed, entry, sizeof seed);
        snprintf(out, SHOWN + 32, "%" PRIu64, seed);
    } else {
        n = (int)(bytes - 1 < SHOWN ? bytes - 1 : SHOWN);
        while (n > 0 && n == SHOWN && ((unsigned char)entry[n] & 0xc0) == 0x80)
            n--; /* not within a character */
        snprintf(out, SHOWN + 32, "\"%.*s%s\"", n, entry, (size_t)n < bytes - 1 ? "..." : "");
    }
}

static skv_status differs(const pair *p, size_t l, int64_t i, const char *before, const char *now)
{
    const skv_run_wish *w = p->wish;

    return skv_fail(SKV_E_ARG,
                    "%s: the %s of %s %lld is %s, and was %s when %s was made: a run grows at the "
                    "end of its list only; restore it, or " OTHERWISE,
                    w->list, compared[l].name, w->lines ? "line" : "prompt",
                    (long long)(p->first + i + 1), now, before, w->run);
}

/* The reason of a fault names the file, which may have another name now. */
static skv_status compare_entry(const pair *p, size_t l, int64_t i)
{
    size_t bytes[2];
    const char *entry[2] = {entry_of(&bytes[0], p, 0, l, i), entry_of(&bytes[1], p, 1, l, i)};
    char text[2][SHOWN + 32];

    if (!entry[0] == !entry[1] && (!entry[0] || compared[l].list == SKV_LIST_ERROR ||
                                   (bytes[0] == bytes[1] && !memcmp(entry[0], entry[1], bytes[0]))))
        return SKV_OK;
    for (int t = 0; t < 2; t++)
        show(text[t], entry[t], bytes[t], compared[l].list);
    return differs(p, l, i, text[0], text[1]);
}

/* A longer list may call prompts without ids otherwise: by more digits, or by another word. */
static skv_status compare_index(const pair *p, int64_t i)
{
    char id[2][SKV_PROMPT_ID_BYTES];
    size_t bytes;

    if (entry_of(&bytes, p, 0, IDS, i))
        return SKV_OK;
    for (int t = 0; t < 2; t++)
        skv_prompts_index_id(id[t], sizeof id[t], (size_t)(p->first + i),
                             (int)p->facts[t]->index_digits, (int)p->facts[t]->index_dashes);
    if (strcmp(id[0], id[1]) == 0)
        return SKV_OK;
    return skv_fail(SKV_E_ARG,
                    "%s: with what was added the %s without an id would be called %s, and is "
                    "called %s in %s; give the new prompts other ids, or " OTHERWISE,
                    p->wish->list, p->wish->lines ? "lines" : "prompts", id[1], id[0],
                    p->wish->run);
}

static skv_status compare_prompts(pair *p, int64_t n)
{
    skv_status st = SKV_OK;

    for (int64_t at = 0; at < n && st == SKV_OK; at += SPAN) {
        st = load_span(p, at, n - at < SPAN ? n - at : SPAN);
        for (int64_t i = 0; i < p->n && st == SKV_OK; i++) {
            for (size_t l = 0; l < N_COMPARED && st == SKV_OK; l++)
                st = compare_entry(p, l, i);
            if (st == SKV_OK)
                st = compare_index(p, i);
        }
        clear_span(p);
    }
    return st;
}

/* ------------------------------------------------------------------------------- growth */

static bool is_digest(const char *text, skv_digest d)
{
    char now[SKV_DIGEST_BYTES];

    return strcmp(text, skv_digest_text(now, d)) == 0;
}

static bool is_same_list(const skv_run_begun *b, const skv_prompt_facts *f, bool rewrites)
{
    return is_digest(b->prompts, f->prompts) &&
           (rewrites ? is_digest(b->rewritten, f->rewriting) : !b->rewritten[0]);
}

/* The list as the run has it is in rows.h5. */
static skv_status compare_lists(const skv_run_begun *b, const skv_run_wish *w)
{
    skv_prompt_table *before = NULL;
    skv_prompt_facts facts = {0};
    pair p = {.wish = w};
    skv_status st = skv_prompt_table_open(&before, &facts, w->run, NULL);
    const int64_t n = facts.n_prompts < w->facts->n_prompts ? facts.n_prompts : w->facts->n_prompts;

    if (skv_may_pass(st))
        return st;
    if (st != SKV_OK || !is_same_list(b, &facts, b->rewritten[0] != '\0')) {
        skv_prompt_table_destroy(before);
        return skv_fail(SKV_E_ARG,
                        "%s is another list than %s was made of, and %s/rows.h5, which has that "
                        "one's prompts, is missing or damaged: run once with the former list, "
                        "which makes it again, or " OTHERWISE,
                        w->list, w->run, w->run);
    }
    p.table[0] = before;
    p.table[1] = w->table;
    p.facts[0] = &facts;
    p.facts[1] = w->facts;
    st = compare_prompts(&p, n);
    skv_prompt_table_destroy(before);
    return st;
}

static skv_status check_samples(const skv_run_begun *b, const skv_run_wish *w)
{
    if (w->samples < b->segments.n_samples)
        return skv_fail(SKV_E_ARG,
                        "--samples %lld: %s has %lld of each prompt, and a run does not shrink; "
                        "give --samples %lld, or " OTHERWISE,
                        (long long)w->samples, w->run, (long long)b->segments.n_samples,
                        (long long)b->segments.n_samples);
    if (w->samples > b->segments.n_samples && w->counts_rows)
        return skv_fail(SKV_E_ARG,
                        "--samples %lld: %s has %lld of each prompt, and with --seed-rule run the "
                        "random numbers of a picture follow those of all rows before it, so more "
                        "samples would change pictures that are there; " OTHERWISE,
                        (long long)w->samples, w->run, (long long)b->segments.n_samples);
    return SKV_OK;
}

skv_status skv_run_grow(skv_run_begun *b, const skv_run_wish *w)
{
    SKV_TRY(check_samples(b, w));
    if (!is_same_list(b, w->facts, w->rewrites))
        SKV_TRY(compare_lists(b, w));
    if (w->facts->n_prompts < b->segments.n_prompts)
        return skv_fail(SKV_E_ARG,
                        "%s has %lld prompt%s and %s was made of %lld, of which %s the "
                        "first: give all of them, or " OTHERWISE,
                        w->list, (long long)w->facts->n_prompts, skv_s(w->facts->n_prompts), w->run,
                        (long long)b->segments.n_prompts,
                        w->facts->n_prompts == 1 ? "this is" : "these are");
    return skv_segments_grow(&b->segments, w->facts->n_prompts, w->samples);
}
