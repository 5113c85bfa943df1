/* The TCP form: every rank has one connection, to rank 0, which passes on what is for the others.
 * It carries settings, small sums and reports; weights go by NCCL where there are GPUs. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "mpi/rendezvous.h"
#include "mpi/tcp_link.h"

#define NAP_MS 100
#define PIECE  4096 /* values of a sum that rank 0 works on at a time */

static skv_link *link_to(const skv_comm *c, int rank)
{
    const skv_tcp_state *t = c->state;

    return &t->link[c->rank == 0 ? rank : 0];
}

static skv_status tcp_tell(skv_comm *c, int to, skv_word word)
{
    return skv_link__send(c, link_to(c, to), word, NULL, 0);
}

static int look(skv_tcp_state *t, int ms)
{
    for (int i = 0; i < t->n; i++)
        t->poll[i] = (struct pollfd){.fd = t->link[i].fd, .events = POLLIN};
    t->next = 0;
    return poll(t->poll, (nfds_t)t->n, ms);
}

static skv_status tcp_heard(skv_comm *c, int *from, skv_word *word)
{
    skv_tcp_state *t = c->state;

    *word = SKV_WORD_NONE;
    if (t->next >= t->n && look(t, 0) <= 0)
        t->next = t->n;
    for (; t->next < t->n; t->next++) {
        skv_link *l = &t->link[t->next];

        if (t->poll[t->next].revents == 0)
            continue;
        SKV_TRY(skv_link__word(c, l, word));
        if (*word != SKV_WORD_NONE) {
            *from = l->peer;
            t->next++;
            return SKV_OK;
        }
    }
    return SKV_OK;
}

/* Words end it, so it may be long: many waiting ranks of one host cost it nothing. */
static void tcp_nap(skv_comm *c, long ns)
{
    skv_tcp_state *t = c->state;

    (void)ns;
    if (look(t, NAP_MS) <= 0)
        t->next = t->n;
}

static skv_status tcp_send(skv_comm *c, const void *data, size_t bytes, int to)
{
    return skv_link__send(c, link_to(c, to), SKV_FRAME_DATA, data, bytes);
}

static skv_status tcp_recv(skv_comm *c, void *data, size_t bytes, int from)
{
    return skv_link__recv(c, link_to(c, from), data, bytes);
}

static skv_status tcp_broadcast(skv_comm *c, void *data, size_t bytes, int root)
{
    if (c->rank > 0)
        return c->rank == root ? tcp_send(c, data, bytes, 0) : tcp_recv(c, data, bytes, 0);
    if (root > 0)
        SKV_TRY(tcp_recv(c, data, bytes, root));
    for (int r = 1; r < c->size; r++)
        if (r != root)
            SKV_TRY(tcp_send(c, data, bytes, r));
    return SKV_OK;
}

static void combine(int64_t *values, const int64_t *more, size_t n, bool is_max)
{
    for (size_t i = 0; i < n; i++) {
        if (!is_max)
            values[i] += more[i];
        else if (more[i] > values[i])
            values[i] = more[i];
    }
}

/* Rank 0 reckons, a piece after the other. */
static skv_status tcp_reduce_i64(skv_comm *c, int64_t *values, size_t n, bool is_max)
{
    int64_t more[PIECE];

    for (size_t at = 0; at < n; at += PIECE) {
        const size_t k = n - at < PIECE ? n - at : PIECE, bytes = k * sizeof *values;

        if (c->rank > 0) {
            SKV_TRY(tcp_send(c, values + at, bytes, 0));
            SKV_TRY(tcp_recv(c, values + at, bytes, 0));
            continue;
        }
        for (int r = 1; r < c->size; r++) {
            SKV_TRY(tcp_recv(c, more, bytes, r));
            combine(values + at, more, k, is_max);
        }
        SKV_TRY(tcp_broadcast(c, values + at, bytes, 0));
    }
    return SKV_OK;
}

static void tcp_end_all(skv_comm *c, int code)
{
    const skv_tcp_state *t = c->state;

    (void)code;
    for (int i = 0; i < t->n; i++)
        skv_link__end(&t->link[i], c->why);
}

static void tcp_close(skv_comm *c)
{
    skv_tcp_state *t = c->state;

    for (int i = 0; t && t->link && i < t->n; i++)
        skv_link__close(&t->link[i]);
    if (t) {
        free(t->link);
        free(t->poll);
    }
    free(t);
}

static const skv_comm_ops tcp_ops = {
    .name = "tcp",
    .tell = tcp_tell,
    .heard = tcp_heard,
    .nap = tcp_nap,
    .broadcast = tcp_broadcast,
    .reduce_i64 = tcp_reduce_i64,
    .send = tcp_send,
    .recv = tcp_recv,
    .end_all = tcp_end_all,
    .close = tcp_close,
};

static skv_status alloc_state(skv_comm *c)
{
    skv_tcp_state *t = NULL;

    SKV_TRY(skv_alloc(&t, 1, sizeof *t, "the TCP form"));
    c->state = t;
    t->next = t->n = c->rank == 0 ? c->size : 1;
    SKV_TRY(skv_alloc(&t->poll, (size_t)t->n, sizeof *t->poll, "connections"));
    SKV_TRY(skv_alloc(&t->link, (size_t)t->n, sizeof *t->link, "connections"));
    for (int i = 0; i < t->n; i++)
        t->link[i] = (skv_link){.fd = -1, .peer = i};
    return SKV_OK;
}

skv_status skv_comm__open_tcp(skv_comm *c, const skv_launch *launch, const skv_comm_wish *wish)
{
    skv_status st;

    c->ops = &tcp_ops;
    c->rank = (int)launch->rank;
    c->size = (int)launch->promised;
    SKV_TRY(skv_comm__alloc_ranks(c));
    SKV_TRY(alloc_state(c));
    st = skv_rendezvous(c, launch->job, wish);
    if (st != SKV_OK && !c->told) {
        snprintf(c->why, sizeof c->why, "%s", skv_message());
        tcp_end_all(c, 1);
    }
    return st;
}
