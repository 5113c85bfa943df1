/* Which way device memory goes, and the ways through host memory.
 *
 * Easy to get wrong: ranks that do not take part must make the same collective calls as those that
 * do; and a rank whose copy fails must go on with the others, all agree at the end. */
#include "mpi/spread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "mpi/rendezvous.h"
#include "mpi/spread_impl.h"

#define PIECE_BYTES ((size_t)64 << 20)
#define N_NUMBERS   (sizeof(skv_spread_rank) / sizeof(int64_t))

struct skv_spread {
    skv_comm *comm;
    skv_backend *be;
    skv_spread_plan plan;
    int64_t host;
    skv_window window;
    int n_readers;
    bool nccl;   /* the way is NCCL */
    bool failed; /* a sending failed, on all ranks: they need not agree on it again */
    char why[512];
};

static skv_status describe_self(skv_spread_rank *out, const skv_spread *s, bool takes)
{
    unsigned char id[16];

    skv_rendezvous__host_id(id, s->comm);
    memcpy(&out->host, id, sizeof out->host);
    out->takes = takes;
    if (!takes || s->be->device == SKV_HOST)
        return SKV_OK;
    SKV_TRY(skv_nccl__device(&out->gpu, &out->slot));
    out->slot ^= out->host;
    return SKV_OK;
}

/* Every rank's row: each sets its own, the others are 0. */
static skv_status make_plan(skv_spread *s, bool takes)
{
    const skv_comm *c = s->comm;
    skv_spread_rank *rank = NULL;
    skv_status st;

    st = skv_alloc(&rank, (size_t)c->size, sizeof *rank, "what ranks say of their devices");
    if (st == SKV_OK)
        st = describe_self(&rank[c->rank], s, takes);
    SKV_TRY_GOTO(skv_comm_agree(s->comm, st), done);
    s->host = rank[c->rank].host;
    SKV_TRY_GOTO(skv_comm_sum_i64(s->comm, (int64_t *)rank, N_NUMBERS * (size_t)c->size), done);
    s->plan = skv_spread__plan(rank, c->size, c->rank);
done:
    free(rank);
    return st;
}

/* Collective. */
static skv_status take_host_way(skv_spread *s)
{
    int64_t readers;

    s->nccl = false;
    if (s->plan.neighbours)
        SKV_TRY(skv_window__open(&s->window, s->comm, &s->plan, s->host));
    readers = skv_spread_reads(s);
    SKV_TRY(skv_comm_sum_i64(s->comm, &readers, 1));
    s->n_readers = (int)readers;
    return SKV_OK;
}

static void give_up_nccl(skv_spread *s)
{
    snprintf(s->why, sizeof s->why, "%s", skv_message());
    if (s->comm->rank == 0)
        skv_warn("weights go through host memory: %s", s->why);
}

static skv_status choose_way(skv_spread *s)
{
    s->nccl = s->plan.by_nccl;
    if (s->nccl)
        SKV_TRY(skv_nccl__run(&s->nccl, s->comm, &s->plan, s->be, NULL, 0));
    if (s->nccl) {
        s->n_readers = 1;
        return SKV_OK;
    }
    if (s->plan.by_nccl)
        give_up_nccl(s);
    return take_host_way(s);
}

skv_status skv_spread_open(skv_spread **out, skv_comm *comm, skv_backend *be, bool takes)
{
    skv_spread *s = NULL;
    skv_status st = skv_alloc(&s, 1, sizeof *s, "the spreading of weights");

    SKV_TRY_GOTO(skv_comm_agree(comm, st), done);
    s->comm = comm;
    s->be = be;
    SKV_TRY_GOTO(make_plan(s, takes), done);
    SKV_TRY_GOTO(choose_way(s), done);
    *out = s;
    s = NULL;
done:
    skv_spread_close(s);
    return st;
}

void skv_spread_close(skv_spread *s)
{
    if (!s)
        return;
    skv_window__close(&s->window);
    free(s);
}

bool skv_spread_reads(const skv_spread *s)
{
    const int me = s->comm->rank;

    if (s->plan.number < 0)
        return false;
    if (s->nccl)
        return me == s->plan.first;
    return !s->window.half[0] || me == s->plan.host_first;
}

bool skv_spread_by_nccl(const skv_spread *s)
{
    return s->nccl;
}

const char *skv_spread_way(const skv_spread *s)
{
    return s->nccl ? "by NCCL" : "through host memory";
}

const char *skv_spread_why(const skv_spread *s)
{
    return s->why;
}

skv_status skv_spread_try_pairs(skv_spread_pairs *p, skv_spread *s)
{
    const int n = s->comm->size;
    int partner = -1;
    bool good = true;

    p->why[0] = '\0';
    p->tried = s->plan.by_nccl;
    if (p->tried)
        SKV_TRY(skv_nccl__pairs(&good, &partner, s->comm, &s->plan, s->be));
    if (!good)
        snprintf(p->why, sizeof p->why, "%s", skv_message());
    memset(p->partner, 0, (size_t)n * sizeof *p->partner);
    p->partner[s->comm->rank] = partner + 1;
    SKV_TRY(skv_comm_sum_i64(s->comm, p->partner, (size_t)n));
    for (int r = 0; r < n; r++)
        p->partner[r]--;
    return SKV_OK;
}

/* ------------------------------------------------------------- through host memory */

typedef struct {
    skv_backend *be; /* NULL: of a rank that does not take */
    unsigned char *data;
    size_t bytes;
} span;

static size_t piece_of(const span *d, size_t at, size_t room)
{
    return d->bytes - at < room ? d->bytes - at : room;
}

/* Each host by itself, but all in step: while a piece is put into one half of the window, the one
 * before is taken out of the other. */
static skv_status by_window(skv_spread *s, const span *d)
{
    const bool there = d->be && s->window.half[0], gives = there && skv_spread_reads(s);
    const size_t n = (d->bytes + SKV_WINDOW_BYTES - 1) / SKV_WINDOW_BYTES;
    skv_status st = SKV_OK;

    for (size_t i = 0; i <= n; i++) {
        const size_t k = gives || i == 0 ? i : i - 1, at = k * SKV_WINDOW_BYTES;
        const bool moves = there && st == SKV_OK && (gives ? i < n : i > 0);

        if (moves && gives)
            st = skv_backend_download(d->be, s->window.half[k % 2], d->data + at,
                                      piece_of(d, at, SKV_WINDOW_BYTES));
        else if (moves)
            st = skv_backend_upload(d->be, d->data + at, s->window.half[k % 2],
                                    piece_of(d, at, SKV_WINDOW_BYTES));
        SKV_TRY(skv_comm_barrier(s->comm));
    }
    return skv_comm_agree(s->comm, st);
}

/* From the only rank that has read, through the communicator. */
static skv_status by_broadcast(skv_spread *s, const span *d)
{
    const int me = s->comm->rank, root = s->plan.first;
    const size_t room = d->bytes < PIECE_BYTES ? d->bytes : PIECE_BYTES;
    void *piece = NULL;
    skv_status st, copied = SKV_OK;

    st = skv_alloc(&piece, room, 1, "a piece of weights");
    SKV_TRY_GOTO(skv_comm_agree(s->comm, st), done);
    for (size_t at = 0; at < d->bytes; at += room) {
        const size_t n = piece_of(d, at, room);

        if (copied == SKV_OK && me == root)
            copied = skv_backend_download(d->be, piece, d->data + at, n);
        SKV_TRY_GOTO(skv_comm_broadcast(s->comm, piece, n, root), done);
        if (copied == SKV_OK && d->be && me != root)
            copied = skv_backend_upload(d->be, d->data + at, piece, n);
    }
    st = skv_comm_agree(s->comm, copied);
done:
    free(piece);
    return st;
}

/* ------------------------------------------------------------------------- sending */

static void say(const skv_spread *s, size_t bytes, double seconds)
{
    const skv_spread_plan *p = &s->plan;
    char reads[64], sent[64] = "";

    if (s->n_readers == 1)
        snprintf(reads, sizeof reads, "once");
    else if (s->n_readers == p->n_hosts)
        snprintf(reads, sizeof reads, "once on each of %d hosts", p->n_hosts);
    else
        snprintf(reads, sizeof reads, "%d times", s->n_readers);
    if (s->n_readers < p->n_takers)
        snprintf(sent, sizeof sent, ", sent %s in %.2f s", skv_spread_way(s), seconds);
    skv_info("%.2f GiB of weights read %s for %d rank%s%s", (double)bytes / (1 << 30), reads,
             p->n_takers, skv_s(p->n_takers), sent);
}

/* Collective over all ranks. */
static skv_status move(skv_spread *s, const span *d)
{
    const double start = skv_seconds();
    bool good = true;

    if (s->nccl)
        SKV_TRY(skv_nccl__run(&good, s->comm, &s->plan, d->be, d->data, d->bytes));
    else if (s->plan.neighbours)
        SKV_TRY(by_window(s, d));
    if (!good) { /* it worked before: what one rank has read already is not read again */
        give_up_nccl(s);
        SKV_TRY(by_broadcast(s, d));
        return take_host_way(s);
    }
    if (s->comm->rank == 0)
        say(s, d->bytes, skv_seconds() - start);
    return SKV_OK;
}

/* Collective. *bytes of the takers, 0 where they have sent everything. */
static skv_status compare_sizes(const skv_spread *s, size_t *bytes)
{
    int64_t range[2] = {0, INT64_MIN}; /* the largest, and the smallest's opposite */

    if (s->plan.number >= 0) {
        range[0] = (int64_t)*bytes;
        range[1] = -range[0];
    }
    SKV_TRY(skv_comm_max_i64(s->comm, range, 2));
    if (s->plan.n_takers > 0 && range[0] != -range[1])
        return skv_fail(SKV_E_UNSUPPORTED,
                        "weights take %lld bytes on one rank and %lld on another: ranks must have "
                        "GPUs of one kind",
                        (long long)range[0], (long long)-range[1]);
    *bytes = (size_t)range[0];
    return SKV_OK;
}

skv_status skv_spread_send(skv_spread *s, skv_status st, skv_backend *be, void *data, size_t bytes)
{
    if (st == SKV_OK)
        st = skv_backend_sync(be); /* other streams are to see what was queued */
    st = skv_comm_agree(s->comm, st);
    if (st == SKV_OK)
        st = compare_sizes(s, &bytes);
    if (st == SKV_OK && bytes > 0)
        st = move(s, &(span){be, data, bytes});
    s->failed = st != SKV_OK;
    return st;
}

skv_status skv_spread_end(skv_spread *s, skv_status st)
{
    if (s->failed)
        return st;
    for (;;) {
        size_t bytes = 0;

        SKV_TRY(skv_comm_agree(s->comm, st));
        SKV_TRY(compare_sizes(s, &bytes));
        if (bytes == 0)
            return SKV_OK;
        SKV_TRY(move(s, &(span){.bytes = bytes}));
    }
}
