#include "calibrate/stability.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "core/rng.h"
#include "core/text.h"

/* What one look at the set takes; the prompts' first places in the calibration. */
typedef struct {
    const skv_stability_setup *setup;
    skv_stability *s;
    double *mean;
    int64_t *place;
    int64_t *start; /* (n_prompts + 1) of the prompts that have pictures, in order */
    int64_t n_prompts;
} look;

/* The set by some pictures, and its overlap with the set of all. */
static skv_status choose(skv_drafters *set, double *overlap, look *k, int64_t n,
                         const skv_asi_choice *choice)
{
    skv_asi asi;

    skv_brief_mean(k->mean, k->setup->calibration, n > 0 ? k->place : NULL,
                   n > 0 ? n : k->setup->calibration->n);
    skv_asi_make(&asi, &k->setup->calibration->what, k->mean, choice);
    SKV_TRY(skv_drafters_choose(set, &asi, &k->setup->draft));
    *overlap = skv_drafters_overlap(set, &k->s->set, k->s->first, k->s->n_scales);
    return SKV_OK;
}

/* All pictures of so many prompts, drawn with replacement. */
static int64_t resample(look *k, int64_t n_prompts, uint32_t number)
{
    int64_t n = 0;

    for (int64_t i = 0; i < n_prompts; i++) {
        const double u =
            (double)skv_uniform(k->setup->seed, number, (uint32_t)n_prompts, (uint32_t)i);
        const int64_t p = (int64_t)(u * (double)k->n_prompts);

        for (int64_t at = k->start[p]; at < k->start[p + 1]; at++)
            k->place[n++] = at;
    }
    return n;
}

static skv_status by_prompts(look *k)
{
    skv_stability *s = k->s;
    skv_drafters set;
    double overlap;
    int size = 1;

    while (s->n_sizes < SKV_SIZE_STEPS) {
        const bool all = size >= k->n_prompts || s->n_sizes == SKV_SIZE_STEPS - 1;
        const int64_t n = all ? k->n_prompts : size;

        for (uint32_t r = 0; r < SKV_RESAMPLES; r++) {
            SKV_TRY(choose(&set, &overlap, k, resample(k, n, r), &k->setup->asi));
            s->by_size[s->n_sizes] += overlap / SKV_RESAMPLES;
            if (!all)
                continue;
            s->same += (overlap == 1.0) / (double)SKV_RESAMPLES;
            for (int si = s->first; si < s->n_scales; si++)
                for (int l = 0; l < s->asi.layers; l++)
                    s->chosen[si][l] += (double)(set.layers[si - 1] >> l & 1) / SKV_RESAMPLES;
        }
        s->size[s->n_sizes++] = (int)n;
        if (all)
            break;
        size *= 2;
    }
    s->overlap = s->by_size[s->n_sizes - 1];
    return SKV_OK;
}

static skv_status by_choice(look *k)
{
    const skv_measures *m = &k->setup->calibration->what;
    skv_asi_choice other = k->setup->asi;
    skv_drafters set;

    for (int t = 0; t < m->n_tops; t++) {
        other.top = t;
        SKV_TRY(choose(&set, &k->s->by_top[t], k, 0, &other));
    }
    k->s->uncond = k->s->both = -1;
    if (m->kinds < 2)
        return SKV_OK;
    other = k->setup->asi;
    other.rows = SKV_ROWS_UNCOND;
    SKV_TRY(choose(&set, &k->s->uncond, k, 0, &other));
    other.rows = SKV_ROWS_BOTH;
    return choose(&set, &k->s->both, k, 0, &other);
}

static skv_status by_seed(look *k)
{
    const skv_calibration *c = k->setup->calibration;
    const int64_t samples = k->setup->samples;
    double sum = 0, overlap;
    skv_drafters set;
    int seen = 0;

    k->s->seeds = -1;
    for (int64_t s = 0; samples > 1 && s < samples; s++) {
        int64_t n = 0;

        for (int64_t i = 0; i < c->n; i++)
            if (c->row[i] % samples == s)
                k->place[n++] = i;
        if (n == 0)
            continue;
        SKV_TRY(choose(&set, &overlap, k, n, &k->setup->asi));
        sum += overlap;
        seen++;
    }
    if (seen > 0)
        k->s->seeds = sum / seen;
    return SKV_OK;
}

static skv_status prepare(look *k)
{
    const skv_calibration *c = k->setup->calibration;
    const int64_t samples = k->setup->samples;

    SKV_TRY(skv_alloc(&k->mean, skv_briefs(&c->what), sizeof *k->mean, "figures"));
    SKV_TRY(skv_alloc(&k->place, (size_t)(c->n * samples), sizeof *k->place, "pictures"));
    SKV_TRY(skv_alloc(&k->start, (size_t)c->n + 1, sizeof *k->start, "prompts"));
    for (int64_t i = 0; i < c->n; i++)
        if (i == 0 || c->row[i] / samples != c->row[i - 1] / samples)
            k->start[k->n_prompts++] = i;
    k->start[k->n_prompts] = c->n;
    return SKV_OK;
}

skv_status skv_stability_find(skv_stability *out, const skv_stability_setup *setup)
{
    const skv_measures *m = &setup->calibration->what;
    look k = {.setup = setup, .s = out};
    skv_status st;

    memset(out, 0, sizeof *out);
    out->first = setup->draft.first;
    out->n_scales = m->schedule.n_scales;
    SKV_TRY_GOTO(prepare(&k), done);
    skv_brief_mean(k.mean, setup->calibration, NULL, setup->calibration->n);
    skv_asi_make(&out->asi, m, k.mean, &setup->asi);
    SKV_TRY_GOTO(skv_drafters_choose(&out->set, &out->asi, &setup->draft), done);
    SKV_TRY_GOTO(by_prompts(&k), done);
    SKV_TRY_GOTO(by_choice(&k), done);
    SKV_TRY_GOTO(by_seed(&k), done);
done:
    free(k.mean);
    free(k.place);
    free(k.start);
    return st;
}

void skv_stability_say(char *buf, size_t bytes, const skv_stability *s, const skv_measures *m)
{
    size_t n = (size_t)snprintf(
        buf, bytes, "overlap %.2f over %d resamples of %d prompt%s (%.0f %% the same set)",
        s->overlap, SKV_RESAMPLES, s->size[s->n_sizes - 1], skv_s(s->size[s->n_sizes - 1]),
        100 * s->same);

    for (int t = 0; t < m->n_tops && n < bytes; t++)
        n += (size_t)snprintf(buf + n, bytes - n, "%s %.2f (%s)", t == 0 ? "; K'" : ",",
                              s->by_top[t], m->top[t].name);
    if (s->uncond >= 0 && n < bytes)
        n += (size_t)snprintf(buf + n, bytes - n, "; unconditional rows %.2f, both %.2f", s->uncond,
                              s->both);
    if (s->seeds >= 0 && n < bytes)
        snprintf(buf + n, bytes - n, "; one seed of several %.2f", s->seeds);
}
