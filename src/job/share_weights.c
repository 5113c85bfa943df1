#include "job/share_weights.h"

static skv_status send(void *ctx, skv_status st, skv_backend *be, void *data, size_t bytes)
{
    skv_weights_sharing *s = ctx;

    st = skv_spread_send(s->spread, st, be, data, bytes);
    s->share.reader = skv_spread_reads(s->spread); /* of what comes next */
    return st;
}

skv_status skv_weights_sharing_open(skv_weights_sharing *s, skv_comm *comm, skv_backend *be,
                                    bool takes)
{
    *s = (skv_weights_sharing){.comm = comm};
    if (skv_comm_size(comm) == 1)
        return SKV_OK;
    SKV_TRY(skv_spread_open(&s->spread, comm, be, takes));
    s->share = (skv_weights_share){skv_spread_reads(s->spread), send, s};
    return SKV_OK;
}

void skv_weights_sharing_close(skv_weights_sharing *s)
{
    skv_spread_close(s->spread);
    s->spread = NULL;
}

void skv_weights_sharing_use(skv_weights_sharing *s, skv_weights *w)
{
    if (s->spread)
        skv_weights_set_share(w, &s->share);
}

skv_status skv_weights_sharing_agree(skv_weights_sharing *s, skv_status st)
{
    return s->spread ? skv_spread_end(s->spread, st) : skv_comm_agree(s->comm, st);
}
