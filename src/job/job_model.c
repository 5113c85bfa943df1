/* Texts, weights and the choice of algorithms: all that comes before the first group. */
#include "core/clock.h"
#include "core/log.h"
#include "job/job_parts.h"
#include "sample/tune.h"

skv_status skv_job__encode_texts(void *job)
{
    skv_job *j = job;

    return skv_text_phase_run(&j->texts, j->todo.work);
}

skv_status skv_job__open_texts(void *job)
{
    skv_job *j = job;

    return j->count > 0 ? skv_text_phase_open(&j->texts) : SKV_OK;
}

/* If every rank has work, rank 0 reads the checkpoints and sends them; otherwise each rank that has
 * work reads them itself. */
skv_status skv_job__share_weights(void *job)
{
    skv_job *j = job;
    int64_t idle = j->count == 0;

    SKV_TRY(skv_comm_sum_i64(j->comm, &idle, 1));
    skv_weights_sharing_start(&j->sharing, j->comm);
    if (idle > 0 || j->size == 1)
        return SKV_OK;
    if (!j->settings.text_cache)
        skv_weights_set_share(j->run.t5_weights, &j->sharing.share);
    skv_weights_set_share(j->run.sources.transformer, &j->sharing.share);
    skv_weights_set_share(j->run.sources.vae, &j->sharing.share);
    return SKV_OK;
}

bool skv_job__encodes(const void *job)
{
    return !skv_job__text_cache(job);
}

skv_status skv_job__load_t5(void *job)
{
    skv_job *j = job;
    skv_status st = SKV_OK;

    if (j->count > 0)
        st = skv_t5_create(&j->t5, j->text_be, j->run.t5_weights, &j->run.t5_dims);
    return skv_weights_sharing_agree(&j->sharing, st);
}

skv_status skv_job__load_model(void *job)
{
    skv_job *j = job;
    skv_status st = SKV_OK;

    if (j->count > 0)
        st = skv_engine_create(&j->engine, &j->run.engine);
    return skv_weights_sharing_agree(&j->sharing, st);
}

/* ------------------------------------------------- algorithms, the same on all ranks */

static int tuning_rank(const skv_job *j)
{
    return skv_todo_list_first_rank(&j->todo);
}

bool skv_job__tunes(const void *job)
{
    const skv_job *j = job;

    return j->be->device != SKV_HOST && tuning_rank(j) >= 0;
}

/* On one rank: RUN/tune.json of an earlier start, or measured now. */
skv_status skv_job__measure(void *job)
{
    skv_job *j = job;
    const char *out = j->settings.out;
    skv_status st;
    double start;

    if (j->rank != tuning_rank(j))
        return SKV_OK;
    st = skv_tune_read((char **)&j->tuning.data, &j->tuning.bytes, out);
    if (st != SKV_E_NOTFOUND || j->settings.only)
        return st == SKV_E_NOTFOUND ? SKV_OK : st;
    skv_info("measuring which algorithms are fastest here, once for this run");
    start = skv_seconds();
    SKV_TRY(skv_tune_measure(j->engine, &j->run.engine));
    skv_info("%zu choices in %.0f s, kept in %s/tune.json", j->be->tuning.n, skv_seconds() - start,
             out);
    SKV_TRY(skv_tune_write(j->be, out));
    return skv_tune_read((char **)&j->tuning.data, &j->tuning.bytes, out);
}

skv_status skv_job__share_tuning(void *job)
{
    skv_job *j = job;

    return skv_comm_broadcast_blob(j->comm, &j->tuning.data, &j->tuning.bytes, tuning_rank(j));
}

skv_status skv_job__use_tuning(void *job)
{
    skv_job *j = job;

    if (j->tuning.bytes == 0)
        return SKV_OK;
    return skv_tune_parse(j->be, j->tuning.data, j->tuning.bytes, "tune.json",
                          j->settings.allow_other_device);
}
