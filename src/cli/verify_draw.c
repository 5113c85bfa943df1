#include "cli/verify_draw.h"

#include <math.h>

#include "core/log.h"
#include "model/bits.h"

/* Whether rounding may have decided the bit with these logits and exponential numbers. */
static bool is_near(const float l[2], float q0, float q1, double top_p)
{
    const double d = (double)l[1] - (double)l[0];
    const double edge = log(top_p / (1 - top_p)); /* |d| from there on: the weaker is dropped */

    return fabs(d - log((double)q1 / (double)q0)) < SKV_DRAW_MARGIN ||
           fabs(fabs(d) - edge) < SKV_DRAW_MARGIN;
}

void skv_drawn_add(skv_drawn *d, bool *changed, const skv_recording *r, int si, uint8_t *bits,
                   const float *guided)
{
    const skv_recorded_scale *s = &r->scale[si];
    const int64_t n = s->tokens * s->bits, threads = skv_torch_threads(&d->of.gpu, 2 * n);
    const skv_generator g = {d->of.seed,
                             skv_bits_drawn(&r->schedule, &d->of.gpu, (int)s->bits, si)};

    *changed = false;
    d->all[si] += n;
    for (int64_t i = 0; i < n; i++) {
        const float q0 = skv_torch_exponential(&g, threads, 2 * i);
        const float q1 = skv_torch_exponential(&g, threads, 2 * i + 1);

        if (bits[i] == s->bit[i]) {
            d->same[si]++;
        } else if (is_near(guided + 2 * i, q0, q1, r->guidance.top_p)) {
            skv_debug("scale %d, token %lld, bit %lld: drawn within the margin", si,
                      (long long)(i / s->bits), (long long)(i % s->bits));
            bits[i] = s->bit[i];
            d->near++;
            *changed = true;
        } else {
            d->wrong++;
        }
    }
}

void skv_drawn_count(int64_t *same, int64_t *all, const skv_drawn *d)
{
    *same = *all = 0;
    for (int si = 0; si < SKV_MAX_SCALES; si++) {
        *same += d->same[si];
        *all += d->all[si];
    }
}

double skv_drawn_share(const skv_drawn *d)
{
    int64_t same, all;

    skv_drawn_count(&same, &all, d);
    return all > 0 ? (double)same / (double)all : 0;
}
