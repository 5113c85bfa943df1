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

/* Ranks without work load nothing, and only wait until the others have. */
skv_status skv_job__share_weights(void *job)
{
    skv_job *j = job;

    SKV_TRY(skv_weights_sharing_open(&j->sharing, j->comm, j->be, j->count > 0));
    if (!j->settings.text_cache)
        skv_weights_sharing_use(&j->sharing, j->run.t5_weights);
    skv_weights_sharing_use(&j->sharing, j->run.sources.transformer);
    skv_weights_sharing_use(&j->sharing, j->run.sources.vae);
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
    st = skv_weights_sharing_agree(&j->sharing, st);
    skv_weights_sharing_close(&j->sharing);
    return st;
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
