/* Texts and weights. */
#include "job/job_parts.h"

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
