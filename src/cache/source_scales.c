#include "cache/source_scales.h"

#include <assert.h>
#include <stdlib.h>

#include "cache/select.h"
#include "kernels/ops.h"

static const skv_source_scales *of_state(const skv_policy_state *s)
{
    return (const skv_source_scales *)(const void *)s;
}

skv_status skv_source_scales__init(skv_source_scales *s, const skv_policy_setup *setup)
{
    const int last = setup->schedule->n_scales - 1;

    s->base = setup->base;
    s->schedule = *setup->schedule;
    s->depth = setup->dims->depth;
    s->heads = setup->dims->heads;
    SKV_TRY(skv_alloc(&s->kept, (size_t)last * (size_t)s->depth * (size_t)s->heads, sizeof *s->kept,
                      "source scales"));
    for (int si = 0; si < last; si++)
        for (int layer = 0; layer < s->depth; layer++)
            for (int head = 0; head < s->heads; head++)
                *skv_source_scales__of(s, layer, head, si) = (2 << si) - 1;
    return SKV_OK;
}

void skv_source_scales__deinit(skv_source_scales *s)
{
    free(s->kept);
    s->kept = NULL;
}

int32_t *skv_source_scales__of(const skv_source_scales *s, int layer, int head, int si)
{
    assert(si >= 0 && si < s->schedule.n_scales - 1 && layer < s->depth && head < s->heads);
    return s->kept + ((size_t)si * (size_t)s->depth + (size_t)layer) * (size_t)s->heads + head;
}

int skv_source_scales__tokens(const skv_source_scales *s, int32_t bits)
{
    int n = 0;

    for (int j = 0; j < s->schedule.n_scales; j++)
        n += bits >> j & 1 ? skv_schedule_tokens(&s->schedule, j) : 0;
    return n;
}

int skv_source_scales__capacity(const skv_policy_state *s, int layer, int head, int si)
{
    const skv_source_scales *own = of_state(s);

    return skv_source_scales__tokens(own, *skv_source_scales__of(own, layer, head, si));
}

skv_status skv_source_scales__select(const skv_policy_state *s, skv_backend *be,
                                     const skv_select_args *a)
{
    const skv_source_scales *own = of_state(s);
    skv_tensor score;

    SKV_TRY(skv_select__one_score(&score, be, a));
    SKV_TRY(skv_source_scores(
        be, &(skv_source_scores_args){.s = score,
                                      .origin = a->origin,
                                      .len = a->len,
                                      .base = a->base,
                                      .edge = own->schedule.start,
                                      .kept = skv_source_scales__of(own, a->layer, 0, a->si),
                                      .first = own->schedule.start[a->si],
                                      .n_scales = own->schedule.n_scales}));
    return skv_select__best(be, a, &score);
}

void skv_source_scales__release(skv_policy_state *s)
{
    skv_source_scales__deinit((skv_source_scales *)(void *)s);
}
