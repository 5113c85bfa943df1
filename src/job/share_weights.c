#include "job/share_weights.h"

#include "core/clock.h"
#include "core/log.h"

static skv_status spread(void *ctx, skv_status st, skv_backend *be, void *data, size_t bytes)
{
    skv_weights_sharing *s = ctx;
    const double start = skv_seconds();
    const char *how = "";

    st = skv_comm_broadcast_device(s->comm, st, be, data, bytes, 0, &how);
    s->failed = st != SKV_OK;
    if (st == SKV_OK && s->share.reader)
        skv_info("%.2f GiB of weights read once for %d ranks, sent %s in %.2f s",
                 (double)bytes / (1 << 30), skv_comm_size(s->comm), how, skv_seconds() - start);
    return st;
}

void skv_weights_sharing_start(skv_weights_sharing *s, skv_comm *comm)
{
    *s = (skv_weights_sharing){.comm = comm};
    s->share = (skv_weights_share){skv_comm_rank(comm) == 0, spread, s};
}

skv_status skv_weights_sharing_agree(const skv_weights_sharing *s, skv_status st)
{
    return s->failed ? st : skv_comm_agree(s->comm, st);
}
