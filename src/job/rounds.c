#include "job/rounds.h"

#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"

skv_status skv_rounds_note(skv_rounds *r, int64_t row, const double *figures)
{
    SKV_TRY(skv_bytes_add(&r->found, &row, sizeof row, "figures"));
    return skv_bytes_add(&r->found, figures, r->n_figures * sizeof *figures, "figures");
}

static skv_status own_group(skv_rounds *r, int64_t first)
{
    const int64_t g = first + skv_comm_rank(r->comm);

    r->found.n = 0;
    return g < r->n_groups ? r->group(r->ctx, g) : SKV_OK;
}

/* Rank 0: what the ranks have found, in their order, which is that of the groups. */
static skv_status add_all(const skv_rounds *r, const skv_blob *found, double *room)
{
    const size_t one = r->n_figures * sizeof *room;
    int64_t row;

    for (int rank = 0; found && rank < skv_comm_size(r->comm); rank++)
        for (size_t at = 0; at < found[rank].bytes; at += sizeof row + one) {
            const char *p = (const char *)found[rank].data + at;

            memcpy(&row, p, sizeof row);
            memcpy(room, p + sizeof row, one);
            SKV_TRY(r->add(r->ctx, row, room));
        }
    return SKV_OK;
}

static skv_status one_round(skv_rounds *r, int64_t first, double *room)
{
    skv_blob *all = NULL;
    skv_status st;

    SKV_TRY(skv_comm_agree(r->comm, own_group(r, first)));
    SKV_TRY(skv_comm_gather_blobs(&all, r->comm, r->found.data, r->found.n));
    st = skv_comm_agree(r->comm, add_all(r, all, room));
    free(all);
    return st;
}

static skv_status all_rounds(skv_rounds *r, double *room)
{
    const double start = skv_seconds();
    const int size = skv_comm_size(r->comm);

    for (int64_t first = 0; first < r->n_groups; first += size) {
        const int64_t left = r->n_groups - first - size;

        SKV_TRY(one_round(r, first, room));
        skv_info("%lld of %lld group%s %s, in %.1f s",
                 (long long)(left > 0 ? r->n_groups - left : r->n_groups), (long long)r->n_groups,
                 skv_s(r->n_groups), r->done, skv_seconds() - start);
    }
    return skv_comm_sum_i64(r->comm, &r->n_failed, 1);
}

skv_status skv_rounds_run(skv_rounds *r)
{
    double *room = NULL;
    skv_status st = skv_alloc(&room, r->n_figures, sizeof *room, "figures");

    st = skv_comm_agree(r->comm, st);
    if (st == SKV_OK)
        st = all_rounds(r, room);
    free(room);
    skv_bytes_clear(&r->found);
    return st;
}
