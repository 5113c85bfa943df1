#include "run/gather_missing.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "io/prompts.h"
#include "run/prompt_table.h"
#include "run/run_folder.h"
#include "run/schema.h"

#define WHAT   "missing rows"
#define REASON "its group is not there yet"

/* Of the rows of one group, room for the largest. */
struct skv_gather_missing {
    const char *run;
    const skv_segments *segments;
    skv_prompt_table *table; /* NULL: not asked for yet */
    skv_prompt_facts facts;
    skv_list_part text, own_id, given_id; /* of the group's prompts */
    int64_t *row;
    int32_t *sample, *status;
    char (*made_id)[SKV_ID_BYTES];
    const char **id, **given, **prompt, **error;
};

skv_status skv_gather_missing_open(skv_gather_missing **out, const char *run,
                                   const skv_segments *segments)
{
    const size_t n = (size_t)segments->group_size;
    skv_gather_missing *m = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&m, 1, sizeof *m, WHAT), done);
    m->run = run;
    m->segments = segments;
    SKV_TRY_GOTO(skv_alloc(&m->row, n, sizeof *m->row, WHAT), done);
    SKV_TRY_GOTO(skv_alloc(&m->sample, n, sizeof *m->sample, WHAT), done);
    SKV_TRY_GOTO(skv_alloc(&m->status, n, sizeof *m->status, WHAT), done);
    SKV_TRY_GOTO(skv_alloc(&m->made_id, n, sizeof *m->made_id, WHAT), done);
    SKV_TRY_GOTO(skv_alloc(&m->id, n, sizeof *m->id, WHAT), done);
    SKV_TRY_GOTO(skv_alloc(&m->given, n, sizeof *m->given, WHAT), done);
    SKV_TRY_GOTO(skv_alloc(&m->prompt, n, sizeof *m->prompt, WHAT), done);
    SKV_TRY_GOTO(skv_alloc(&m->error, n, sizeof *m->error, WHAT), done);
    for (size_t i = 0; i < n; i++) {
        m->status[i] = SKV_ROW_MISSING;
        m->id[i] = m->made_id[i];
        m->error[i] = REASON;
    }
    *out = m;
    m = NULL;
done:
    skv_gather_missing_close(m);
    return st;
}

static void clear_parts(skv_gather_missing *m)
{
    skv_list_part *parts[] = {&m->text, &m->own_id, &m->given_id};

    for (int i = 0; i < 3; i++) {
        free(parts[i]->end);
        *parts[i] = (skv_list_part){0};
    }
}

void skv_gather_missing_close(skv_gather_missing *m)
{
    if (!m)
        return;
    clear_parts(m);
    skv_prompt_table_destroy(m->table);
    free(m->row);
    free(m->sample);
    free(m->status);
    free(m->made_id);
    free((void *)m->id);
    free((void *)m->given);
    free((void *)m->prompt);
    free((void *)m->error);
    free(m);
}

/* Its prompts must be the run's: a run that is about to grow may have more. */
static skv_status open_table(skv_gather_missing *m)
{
    skv_status st;

    if (m->table)
        return SKV_OK;
    st = skv_prompt_table_open(&m->table, &m->facts, m->run, NULL);
    if (st == SKV_OK && m->facts.n_prompts < m->segments->n_prompts)
        st = skv_fail(SKV_E_FORMAT, "%s/rows.h5 has %lld prompts, the run has %lld", m->run,
                      (long long)m->facts.n_prompts, (long long)m->segments->n_prompts);
    if (st != SKV_OK)
        skv_context("the missing rows have no names (skv sample makes rows.h5 again)");
    return st;
}

/* The i-th text of a part, NULL: none. */
static const char *text_of(const skv_list_part *part, int64_t i)
{
    const int64_t start = part->end && i > 0 ? part->end[i - 1] : 0;

    return part->end && part->end[i] > start ? (const char *)part->values + start : NULL;
}

static skv_status read_list(skv_list_part *out, const skv_gather_missing *m, skv_list list,
                            int64_t first, int64_t n)
{
    return skv_prompt_table_has(m->table, list)
               ? skv_prompt_table_read(out, m->table, list, first, n)
               : SKV_OK;
}

/* Row i of the group, of prompt first + k. */
static skv_status name_row(skv_gather_missing *m, int i, int64_t first, int64_t k)
{
    const char *own = text_of(&m->own_id, k), *given = text_of(&m->given_id, k);
    const char *text = text_of(&m->text, k);

    if (own && !skv_prompts_id_is_usable(own))
        return skv_fail(SKV_E_FORMAT, "%s/rows.h5: the id of prompt %lld cannot be a file name",
                        m->run, (long long)(first + k));
    skv_prompt_row_id(m->made_id[i], SKV_ID_BYTES, &m->facts, own, first + k, m->sample[i]);
    m->given[i] = own ? own : given ? given : "";
    m->prompt[i] = text ? text : "";
    return SKV_OK;
}

static skv_status name_rows(skv_gather_missing *m, int64_t row, int n)
{
    int64_t first, last, sample, prompt;

    SKV_TRY(open_table(m));
    skv_segments_of_row(m->segments, row, &first, &sample);
    skv_segments_of_row(m->segments, row + n - 1, &last, &sample);
    clear_parts(m);
    SKV_TRY(read_list(&m->text, m, SKV_LIST_TEXT, first, last - first + 1));
    SKV_TRY(read_list(&m->own_id, m, SKV_LIST_ID, first, last - first + 1));
    SKV_TRY(read_list(&m->given_id, m, SKV_LIST_GIVEN_ID, first, last - first + 1));
    for (int i = 0; i < n; i++) {
        skv_segments_of_row(m->segments, row + i, &prompt, &sample);
        m->row[i] = row + i;
        m->sample[i] = (int32_t)sample;
        SKV_TRY(name_row(m, i, first, prompt - first));
    }
    return SKV_OK;
}

skv_status skv_gather_missing_group(skv_group_record *rec, skv_gather_missing *m, const char *path,
                                    int64_t group, bool named)
{
    int64_t row;
    int n;

    skv_segments_group(m->segments, group, &row, &n);
    *rec = (skv_group_record){
        .path_name = path, .group = group, .n_rows = n, .status = m->status, .error = m->error};
    if (!named)
        return SKV_OK;
    SKV_TRY(name_rows(m, row, n));
    rec->row = m->row;
    rec->id = m->id;
    rec->given_id = m->given;
    rec->prompt = m->prompt;
    rec->sample = m->sample;
    return SKV_OK;
}
