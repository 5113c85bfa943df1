#include "kernels/cuda/choose.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dtype.h"
#include "core/log.h"
#include "core/mem.h"

#define TIMED_RUNS 3
#define COMPARED   4096 /* numbers at a time */

/* Of the squares: rounding to bf16 makes 1e-5 of it. */
#define WRONG 1e-3

/* ------------------------------------------------------------------- comparing */

skv_status skv_cuda__compare(skv_backend *be, skv_cuda__difference *d, const void *got,
                             const void *want, skv_dtype type, int64_t n)
{
    const size_t bytes = skv_dtype_bytes(type);
    float x[COMPARED], y[COMPARED];
    char raw[COMPARED * sizeof(float)];

    for (int64_t at = 0; at < n; at += COMPARED) {
        const size_t count = (size_t)(n - at < COMPARED ? n - at : COMPARED);

        SKV_TRY(
            skv_backend_download(be, raw, (const char *)got + (size_t)at * bytes, count * bytes));
        skv_to_f32(x, raw, type, count);
        SKV_TRY(
            skv_backend_download(be, raw, (const char *)want + (size_t)at * bytes, count * bytes));
        skv_to_f32(y, raw, type, count);
        for (size_t i = 0; i < count; i++) {
            const double difference = (double)x[i] - (double)y[i];

            if (!isfinite(y[i])) /* the model's doing */
                continue;
            d->error += difference * difference;
            d->size += (double)y[i] * (double)y[i];
        }
    }
    return SKV_OK;
}

/* What was taken runs once, and some of its result is looked at. */
static skv_status check(bool *right, const skv_cuda__contest *c, const char *choice)
{
    skv_cuda__difference d = {0};

    SKV_TRY(c->take(c->ctx, choice));
    SKV_TRY(c->run(c->ctx));
    SKV_TRY(c->check(c->ctx, &d));
    *right = d.error <= WRONG * d.size; /* false for NaN */
    if (!*right)
        skv_warn("%s computes nonsense for %s by \"%s\" (error %.3g of %.3g): not taken", c->name,
                 c->key, choice, d.error, d.size);
    return SKV_OK;
}

/* ------------------------------------------------------------------- measuring */

/* Milliseconds of one run of what was taken. */
static skv_status time_run(float *ms, skv_backend *be, const skv_cuda__contest *c)
{
    skv_cuda *cuda = skv_cuda__of(be);

    SKV_CUDA(cudaEventRecord(cuda->timing[0], cuda->stream));
    SKV_TRY(c->run(c->ctx));
    SKV_CUDA(cudaEventRecord(cuda->timing[1], cuda->stream));
    SKV_CUDA(cudaEventSynchronize(cuda->timing[1]));
    SKV_CUDA(cudaEventElapsedTime(ms, cuda->timing[0], cuda->timing[1]));
    return SKV_OK;
}

/* *best: of its timed runs, the first of which is the last where it is slow. */
static skv_status time_candidate(float *best, skv_backend *be, const skv_cuda__contest *c,
                                 float best_so_far)
{
    float ms = 0, least = -1;

    for (int i = 0; i < c->warm_runs + TIMED_RUNS; i++) {
        SKV_TRY(time_run(&ms, be, c));
        if (i < c->warm_runs)
            continue;
        if (least < 0 || ms < least)
            least = ms;
        if (skv_tuning_is_slow(ms, best_so_far))
            break;
    }
    *best = least;
    return SKV_OK;
}

/* *ms stays negative where the candidate cannot be had or does not run. Only a stop or a lost GPU
 * is a failure, and the latter names the candidate. */
static skv_status try_candidate(float *ms, skv_backend *be, const skv_cuda__contest *c,
                                const char *choice, float best_so_far)
{
    skv_status st;

    SKV_TRY(skv_backend_go_on(be));
    if (!skv_tuning_try(&be->tuning, c->key, choice)) {
        skv_info("%s for %s: \"%s\" is left out", c->name, c->key, choice);
        return SKV_OK;
    }
    st = c->take(c->ctx, choice);
    if (st == SKV_OK)
        st = time_candidate(ms, be, c, best_so_far);
    if (st == SKV_OK) {
        skv_debug("%s for %s: %.4f ms by \"%s\"", c->name, c->key, (double)*ms, choice);
        return SKV_OK;
    }
    skv_debug("%s for %s: not \"%s\": %s", c->name, c->key, choice, skv_message());
    st = skv_cuda__lost(c->name);
    if (st != SKV_OK)
        skv_context("%s was tried for %s with \"%s\"%s", c->name, c->key, choice,
                    be->tuning.trying ? ", which the next start leaves out" : "");
    return st;
}

static float least_of(const skv_cuda__candidates *all)
{
    const int best = skv_tuning_fastest(all->ms, all->n);

    return best < 0 ? -1.0f : all->ms[best];
}

static skv_status measure_round(skv_cuda__candidates *all, int round, skv_backend *be,
                                const skv_cuda__contest *c)
{
    const int first = all->n;
    int measured = 0;

    SKV_TRY(skv_backend_go_on(be));
    SKV_TRY(c->offer(c->ctx, round, all));
    for (int i = first; i < all->n; i++)
        all->ms[i] = -1;
    for (int i = first; i < all->n && measured < c->n_measured; i++) {
        SKV_TRY(try_candidate(&all->ms[i], be, c, all->choice[i], least_of(all)));
        measured += all->ms[i] >= 0;
    }
    return SKV_OK;
}

static skv_status measure_rival(skv_cuda__candidates *all, skv_backend *be,
                                const skv_cuda__contest *c)
{
    const int i = all->n;

    if (!c->rival || least_of(all) < 0 || i == all->room)
        return SKV_OK;
    snprintf(all->choice[i], SKV_TUNING_CHOICE, "%s", c->rival);
    all->ms[i] = -1;
    all->n++;
    return try_candidate(&all->ms[i], be, c, all->choice[i], least_of(all));
}

/* *best: the place of the fastest whose result is right, -1: there is none. */
static skv_status measure(int *best, skv_cuda__candidates *all, skv_backend *be,
                          const skv_cuda__contest *c)
{
    bool right = false;

    all->room = SKV_CUDA_CANDIDATES;
    for (int round = 0; round < c->n_rounds + c->n_spare; round++)
        if (round < c->n_rounds || least_of(all) < 0)
            SKV_TRY(measure_round(all, round, be, c));
    SKV_TRY(measure_rival(all, be, c));
    for (*best = skv_tuning_fastest(all->ms, all->n); *best >= 0;
         *best = skv_tuning_fastest(all->ms, all->n)) {
        SKV_TRY(check(&right, c, all->choice[*best]));
        if (right)
            break;
        all->ms[*best] = -1;
    }
    return SKV_OK;
}

/* -------------------------------------------------------------------- choosing */

static skv_status by_measuring(bool *ours, skv_cuda__candidates *all, skv_backend *be,
                               const skv_cuda__contest *c)
{
    int best = -1;

    SKV_TRY(measure(&best, all, be, c));
    *ours = best < 0;
    return skv_tuning_set(&be->tuning, c->key, *ours ? SKV_TUNING_OURS : all->choice[best]);
}

static skv_status take_first(bool *ours, skv_cuda__candidates *all, const skv_cuda__contest *c,
                             int rounds)
{
    for (int round = 0; *ours && round < rounds; round++) {
        const int first = all->n;

        SKV_TRY(c->offer(c->ctx, round, all));
        for (int i = first; *ours && i < all->n; i++) {
            *ours = c->take(c->ctx, all->choice[i]) != SKV_OK;
            if (*ours)
                SKV_TRY(skv_cuda__lost(c->name));
        }
    }
    return SKV_OK;
}

/* To write all candidates takes time, and the first one nearly always serves. */
static skv_status by_order(bool *ours, skv_cuda__candidates *all, const skv_cuda__contest *c)
{
    *ours = true;
    all->room = 1;
    SKV_TRY(take_first(ours, all, c, 1));
    all->n = 0;
    all->room = SKV_CUDA_CANDIDATES;
    return take_first(ours, all, c, c->n_rounds + c->n_spare);
}

/* *known: the table had a choice, and it was taken. */
static skv_status by_table(bool *known, bool *ours, skv_backend *be, const skv_cuda__contest *c)
{
    const char *choice = skv_tuning_find(&be->tuning, c->key);

    *known = choice != NULL;
    *ours = *known && strcmp(choice, SKV_TUNING_OURS) == 0;
    if (!*known || *ours || c->take(c->ctx, choice) == SKV_OK)
        return SKV_OK;
    skv_context("the choice \"%s\" that is on record for %s cannot be had here", choice, c->key);
    if (!be->tuning.measuring)
        return SKV_E_UNSUPPORTED;
    skv_warn("%s; measured again", skv_message());
    *known = false;
    return skv_cuda__lost(c->name);
}

skv_status skv_cuda__choose(skv_backend *be, const skv_cuda__contest *c, bool *ours)
{
    skv_cuda__candidates *all = NULL;
    bool known = false;
    skv_status st;

    SKV_TRY(by_table(&known, ours, be, c));
    if (known)
        return SKV_OK;
    SKV_TRY(skv_alloc(&all, 1, sizeof *all, "candidates"));
    st = be->tuning.measuring ? by_measuring(ours, all, be, c) : by_order(ours, all, c);
    free(all);
    return st;
}
