/* A run's prompts: found in RUN/rows.h5, or parsed by rank 0, tokenised by all ranks together and
 * kept there. Until then rank 0 alone has them, in memory; afterwards each rank reads what it needs
 * from the file.
 *
 * A few MiB of texts at a time are shared out, and token ids come back, so each text is sent to one
 * rank only, and no rank but the first holds more than a share of that. */
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "job/job_parts.h"
#include "sample/row_names.h"

/* SKV_E_NOTFOUND: there is no file that can be used. */
static skv_status open_old(skv_job *j)
{
    skv_prompt_table *table = NULL;
    skv_status st;

    if (!j->settings.out)
        return SKV_E_NOTFOUND;
    st = skv_prompt_table_open(&table, &j->facts_of_rows, j->settings.out, j->rows_key);
    if (st == SKV_OK)
        skv_run_setup_use_table(&j->run, table);
    else if (st != SKV_E_NOTFOUND && st != SKV_E_MEM)
        skv_warn("%s; it is made again", skv_message());
    return st == SKV_OK || st == SKV_E_MEM ? st : SKV_E_NOTFOUND;
}

/* What a run that is there already becomes with these prompts and samples. One of other groups is
 * another run: that is said when run.json is compared. */
static skv_status grow_run(skv_job *j, bool lines)
{
    const skv_settings *s = &j->settings;
    const skv_run_wish wish = {.run = s->out,
                               .list = skv_settings_list(s),
                               .lines = lines,
                               .counts_rows = strcmp(s->seed_rule, "run") == 0,
                               .table = j->run.table,
                               .facts = &j->facts_of_rows,
                               .rewrites = s->rewrite_cache != NULL,
                               .samples = s->samples};

    if (!s->out)
        return SKV_OK;
    SKV_TRY(skv_run_begun_read(&j->run.begun, &j->run.grown_from, s->out));
    if (j->run.begun.there && j->run.begun.segments.group_size != s->group_size)
        j->run.begun = (skv_run_begun){0};
    return j->run.begun.there ? skv_run_grow(&j->run.begun, &wish) : SKV_OK;
}

skv_status skv_job__find_rows(void *job)
{
    skv_job *j = job;
    skv_prompt_table *table = NULL;
    bool lines;
    skv_status st;

    if (j->rank != 0)
        return SKV_OK;
    j->rows_started = skv_seconds();
    skv_rows_key(j->rows_key, &j->list, &j->settings, j->run.tokenizer);
    st = open_old(j);
    j->rows_found = st == SKV_OK;
    if (st == SKV_E_NOTFOUND)
        st = skv_rows_parse(&table, &j->facts_of_rows, &j->list, &j->settings);
    if (table)
        skv_run_setup_use_table(&j->run, table);
    lines = j->list.source.form == SKV_PROMPTS_TEXT || j->list.source.form == SKV_PROMPTS_JSONL;
    skv_prompt_list_clear(&j->list);
    return st == SKV_OK ? grow_run(j, lines) : st;
}

skv_status skv_job__share_facts(void *job)
{
    skv_job *j = job;

    SKV_TRY(skv_comm_broadcast(j->comm, &j->rows_found, sizeof j->rows_found, 0));
    SKV_TRY(skv_comm_broadcast(j->comm, &j->run.begun, sizeof j->run.begun, 0));
    return skv_comm_broadcast(j->comm, &j->facts_of_rows, sizeof j->facts_of_rows, 0);
}

skv_status skv_job__make_rows(void *job)
{
    skv_job *j = job;

    SKV_TRY(skv_run_setup_rows(&j->run, &j->facts_of_rows));
    if (j->rank != 0)
        return SKV_OK;
    SKV_TRY(skv_rows_check_names(&j->run.rows));
    SKV_TRY(skv_rows_warn_bad(&j->run.rows));
    skv_rows_warn_unguided(&j->run.rows);
    return skv_rows_warn_missing(&j->run.rows);
}

/* Adds what all ranks have encoded; rank 0. */
static skv_status add_all(skv_job *j, const skv_blob *ids)
{
    skv_status st = SKV_OK;

    for (int r = 0; ids && r < j->size && st == SKV_OK; r++)
        st = skv_texts_add(j->run.table, &j->run.rows, ids[r].data, ids[r].bytes);
    return st;
}

/* The next texts and, of these, each rank's share (free()); *next: the prompt to go on with. */
static skv_status pack_shares(skv_bytes *texts, skv_blob **share, skv_job *j, int64_t *next)
{
    skv_blob *s = NULL;
    size_t *end = NULL, from = 0;
    skv_status st = SKV_OK;

    SKV_TRY_GOTO(skv_texts_pack(texts, next, &j->run.rows), done);
    SKV_TRY_GOTO(skv_alloc(&end, (size_t)j->size, sizeof *end, "shares of texts"), done);
    SKV_TRY_GOTO(skv_alloc(&s, (size_t)j->size, sizeof *s, "shares of texts"), done);
    skv_texts_cut(end, j->size, texts);
    for (int r = 0; r < j->size; from = end[r++])
        s[r] = (skv_blob){texts->data + from, end[r] - from};
    *share = s;
done:
    free(end);
    return st;
}

/* Tokenises the next texts; *next: the prompt to go on with, on rank 0. */
static skv_status one_round(skv_job *j, int64_t *next)
{
    const int n_threads = skv_device_threads(j->settings.threads, skv_comm_local_size(j->comm));
    skv_bytes texts = {0}, ids = {0};
    skv_blob *shares = NULL, mine = {0}, *all = NULL;
    skv_status st;

    st = j->rank == 0 ? pack_shares(&texts, &shares, j, next) : SKV_OK;
    SKV_TRY_GOTO(skv_comm_agree(j->comm, st), done);
    SKV_TRY_GOTO(skv_comm_scatter_blobs(&mine, j->comm, shares), done);
    st = skv_texts_encode(&ids, mine.data, mine.bytes, j->run.tokenizer, n_threads);
    SKV_TRY_GOTO(skv_comm_agree(j->comm, st), done);
    SKV_TRY_GOTO(skv_comm_gather_blobs(&all, j->comm, ids.data, ids.n), done);
    st = skv_comm_agree(j->comm, add_all(j, all));
done:
    free(shares);
    free(mine.data);
    free(all);
    skv_bytes_clear(&texts);
    skv_bytes_clear(&ids);
    return st;
}

/* A long list's time and memory. */
static void tell(const skv_job *j)
{
    const double seconds = skv_seconds() - j->rows_started;
    const long long n = (long long)j->run.rows.facts.n_prompts;

    if (seconds < 1)
        return;
    if (j->rows_found)
        skv_info("%lld prompt%s found in rows.h5 in %.1f s", n, skv_s(n), seconds);
    else
        skv_info("%lld prompt%s parsed, and tokenised by %d rank%s, in %.1f s", n, skv_s(n),
                 j->size, skv_s(j->size), seconds);
}

skv_status skv_job__share_tokens(void *job)
{
    skv_job *j = job;
    skv_rows *rows = &j->run.rows;
    int64_t next = 0;
    skv_status st = SKV_OK;

    while (!j->rows_found && next < rows->facts.n_prompts) {
        SKV_TRY(one_round(j, &next));
        SKV_TRY(skv_comm_broadcast(j->comm, &next, sizeof next, 0));
    }
    if (j->rank == 0)
        st = skv_rows_measure(&j->run.sizes, rows, j->settings.group_size);
    SKV_TRY(skv_comm_agree(j->comm, st));
    if (j->rank == 0)
        tell(j);
    SKV_TRY(skv_comm_broadcast(j->comm, &rows->facts, sizeof rows->facts, 0));
    return skv_comm_broadcast(j->comm, &j->run.sizes, sizeof j->run.sizes, 0);
}

/* ------------------------------------------------------------------- RUN/rows.h5 */

skv_status skv_job__keep_rows(skv_job *j)
{
    skv_prompt_facts facts;
    skv_prompt_table *table = NULL;

    if (j->rows_found)
        return SKV_OK;
    SKV_TRY(skv_prompt_table_save(j->run.table, j->settings.out, j->rows_key, &j->run.rows.facts));
    SKV_TRY(skv_prompt_table_open(&table, &facts, j->settings.out, j->rows_key));
    skv_run_setup_use_table(&j->run, table);
    return SKV_OK;
}

skv_status skv_job__share_place(void *job)
{
    skv_job *j = job;

    if (j->rank == 0)
        skv_prompt_table_place(&j->rows_place, j->run.table);
    SKV_TRY(skv_comm_broadcast(j->comm, &j->rows_place, sizeof j->rows_place, 0));
    return skv_comm_broadcast(j->comm, &j->place.by_hundred, sizeof j->place.by_hundred, 0);
}

skv_status skv_job__open_rows(void *job)
{
    skv_job *j = job;
    skv_prompt_table *table = NULL;

    if (j->rank == 0)
        return SKV_OK;
    SKV_TRY(skv_prompt_table_open_at(&table, j->settings.out, &j->rows_place));
    skv_run_setup_use_table(&j->run, table);
    return SKV_OK;
}
