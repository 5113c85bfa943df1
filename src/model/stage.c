/* What a run computes once: RoPE tables of its schedule. */
#include "model/infinity.h"

#include <stdlib.h>

#include "model/infinity_parts.h"
#include "model/rope.h"

/* Takes the stage's tensors; the plan runs it on a counting arena. */
static skv_status layout(skv_stage *s, const skv_dims *d, const skv_backend *be, skv_arena *arena)
{
    for (int si = 0; si < s->schedule.n_scales; si++)
        SKV_TRY(SKV_TAKE(&s->rope[si], arena, SKV_F32, be->device,
                         skv_schedule_tokens(&s->schedule, si), d->head_dim / 2, 2));
    return SKV_OK;
}

static skv_status upload_rope(skv_stage *s, skv_backend *be, int head_dim)
{
    skv_status st = SKV_OK;
    float *table = NULL;

    SKV_TRY(skv_alloc(&table, (size_t)s->schedule.start[s->schedule.n_scales],
                      (size_t)head_dim * sizeof *table, "RoPE table"));
    for (int si = 0; si < s->schedule.n_scales; si++) {
        skv_rope_fill(table, &s->schedule, si, head_dim);
        SKV_TRY_GOTO(
            skv_backend_upload(be, s->rope[si].data, table, skv_tensor_bytes(&s->rope[si])), done);
    }
done:
    free(table);
    return st;
}

skv_status skv_stage_create(skv_stage **out, const skv_infinity *m, const skv_schedule *schedule,
                            skv_arena *arena)
{
    skv_status st;
    skv_stage *s = NULL;

    SKV_TRY(skv_alloc(&s, 1, sizeof *s, "stage"));
    s->schedule = *schedule;
    SKV_TRY_GOTO(layout(s, &m->dims, m->be, arena), done);
    SKV_TRY_GOTO(upload_rope(s, m->be, m->dims.head_dim), done);
    *out = s;
    s = NULL;
done:
    skv_stage_destroy(s);
    return st;
}

void skv_stage_destroy(skv_stage *s)
{
    free(s);
}

skv_status skv_stage_plan(size_t *arena_bytes, const skv_dims *dims, const skv_backend *be,
                          const skv_schedule *schedule)
{
    skv_stage s = {.schedule = *schedule};
    skv_arena counting;

    skv_arena_init_counting(&counting, "stage plan");
    SKV_TRY(layout(&s, dims, be, &counting));
    *arena_bytes = counting.high;
    return SKV_OK;
}
