#include "sample/estimate.h"

/* Fitted to seven measurements (src/sample/README.md, Seconds). */
#define FLOPS_A_SECOND      663e12
#define SECONDS_A_LAYER     69.5e-6 /* of each scale, however small: launches, reading weights */
#define SECONDS_A_MEGAPIXEL 27.9e-3 /* VAE, draws */

/* Multiply-adds of a layer's products for one token, in units of width²: QKV 3, projections of self
 * and cross attention 3, FFN 8. */
#define PRODUCTS 14.0

/* Tokens of all rows and layers together that scale si attends to, its own among them. */
static double attended(const skv_kv_plan *kv, const skv_engine_setup *s, int si, int rows)
{
    const skv_dims *d = &s->sources->dims;
    double sum = 0;

    for (int layer = 0; layer < d->depth; layer++)
        for (int head = 0; head < d->heads; head++)
            sum += skv_kv_plan_attended(kv, layer, head, si);
    return sum * rows / d->heads;
}

skv_status skv_estimate_group(double *seconds, const skv_engine_setup *s, const skv_path *path)
{
    const skv_dims *d = &s->sources->dims;
    const int rows = s->guided ? 2 * s->max_prompts : s->max_prompts;
    const double width = d->width, depth = d->depth;
    const double pixels =
        (double)skv_picture_height(&s->schedule) * skv_picture_width(&s->schedule);
    double flops = 0;
    skv_kv_plan *kv = NULL;

    SKV_TRY(skv_engine_kv_plan(&kv, s, path, s->max_prompts));
    for (int si = 0; si < s->schedule.n_scales; si++) {
        const double tokens = skv_schedule_tokens(&s->schedule, si);
        const double texts = depth * s->max_text_tokens;

        flops += 2 * PRODUCTS * width * width * depth * rows * tokens;
        flops += 4 * width * tokens * (attended(kv, s, si, rows) + texts);
    }
    skv_kv_plan_destroy(kv);
    *seconds = flops / FLOPS_A_SECOND + SECONDS_A_LAYER * depth * s->schedule.n_scales +
               SECONDS_A_MEGAPIXEL * s->max_prompts * pixels / (1 << 20);
    return SKV_OK;
}
