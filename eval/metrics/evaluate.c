/* Rows go in rounds: each rank takes a part of a round, rank 0 collects it. So memory is bounded,
 * and moments are summed over the same blocks however many ranks there are. */
#include "eval/metrics/evaluate.h"

#include <math.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/mem.h"
#include "eval/metrics/compare.h"
#include "eval/metrics/summary.h"

#define ROUND 2048 /* rows; a block of the moments */

typedef struct {
    const skv_eval_setup *setup;
    skv_record_plan plan;
    skv_summary *summary; /* NULL but for rank 0 */
} evaluation;

static size_t record_numbers(const evaluation *e)
{
    return (size_t)(e->setup->pairs->n_sides - 1) * (size_t)e->plan.numbers;
}

/* What a rank sends after a round: records of its rows, then their features. */
typedef struct {
    skv_part part;
    void *block; /* both */
    size_t bytes;
} parcel;

static skv_status make_parcel(parcel *out, const evaluation *e, int64_t first, int64_t n)
{
    const size_t records = (size_t)n * record_numbers(e);
    const size_t features = (size_t)n * (size_t)e->setup->pairs->n_sides * (size_t)e->plan.features;

    *out = (parcel){.part = {.first = first, .n = n},
                    .bytes = records * sizeof(double) + features * sizeof(float)};
    SKV_TRY(skv_alloc(&out->block, out->bytes + 1, 1, "results of a round"));
    out->part.record = out->block;
    out->part.feature = (float *)(out->part.record + records);
    for (size_t i = 0; i < records; i++)
        out->part.record[i] = NAN;
    return SKV_OK;
}

/* Rows of rank r in a round of n. */
static void share_out(int64_t *first, int64_t *count, int64_t n, int rank, int size)
{
    *first = n * rank / size;
    *count = n * (rank + 1) / size - *first;
}

static skv_status collect(const evaluation *e, const skv_blob *blobs, int64_t first, int64_t n)
{
    const int size = skv_comm_size(e->setup->comm);

    for (int rank = 0; rank < size; rank++) {
        const double *record = blobs[rank].data;
        int64_t at, count;

        share_out(&at, &count, n, rank, size);
        SKV_TRY(skv_summary_add(e->summary, first + at, count, record,
                                (const float *)(record + (size_t)count * record_numbers(e))));
    }
    return skv_summary_end_round(e->summary);
}

static skv_status run_round(const evaluation *e, int64_t first, int64_t n)
{
    skv_comm *comm = e->setup->comm;
    parcel mine = {0};
    skv_blob *blobs = NULL;
    int64_t at, count;
    skv_status st;

    share_out(&at, &count, n, skv_comm_rank(comm), skv_comm_size(comm));
    st = make_parcel(&mine, e, first + at, count);
    if (st == SKV_OK)
        st = skv_compare_rows(&mine.part, e->setup, &e->plan);
    SKV_TRY_GOTO(skv_comm_agree(comm, st), done);
    SKV_TRY_GOTO(skv_comm_gather_blobs(&blobs, comm, mine.block, mine.bytes), done);
    if (e->summary)
        st = collect(e, blobs, first, n);
    st = skv_comm_agree(comm, st);
done:
    free(blobs);
    free(mine.block);
    return st;
}

static skv_status begin(evaluation *e)
{
    const skv_eval_setup *s = e->setup;

    SKV_TRY(skv_record_plan_make(&e->plan, s->pairs, s->networks, s->against));
    if (skv_comm_rank(s->comm) > 0)
        return SKV_OK;
    return skv_summary_create(&e->summary, s->pairs, &e->plan, s->weights, s->against);
}

skv_status skv_evaluate(skv_results *out, const skv_eval_setup *setup)
{
    const int64_t n = setup->pairs->n;
    evaluation e = {.setup = setup};
    skv_status st;

    *out = (skv_results){0};
    SKV_TRY_GOTO(skv_comm_agree(setup->comm, begin(&e)), done);
    for (int64_t first = 0; first < n; first += ROUND) {
        const int64_t rows = n - first < ROUND ? n - first : ROUND;

        SKV_TRY_GOTO(run_round(&e, first, rows), done);
        if (e.summary && n > ROUND)
            skv_info("%lld of %lld pictures compared", (long long)(first + rows), (long long)n);
    }
    if (e.summary)
        st = skv_summary_finish(out, e.summary, setup->threads);
    st = skv_comm_agree(setup->comm, st);
done:
    skv_summary_destroy(e.summary);
    skv_record_plan_clear(&e.plan);
    return st;
}
