#include "mpi/tcp_link.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAGIC   0x534b5631u /* also tells byte orders apart */
#define LOOK_MS 100         /* while data wait, the clock is looked at so often */
#define PROBES  4           /* of keepalive */

skv_status skv_link__set_up(const skv_comm *c, int fd)
{
    const double limit = c->wait_limit > 0 ? c->wait_limit : 7200;
    const int on = 1, probes = PROBES;
    /* half of the time until the first probe, the rest between probes; whole seconds */
    const int idle = limit > 4 ? (int)(limit / 2) : 2;
    const int pause = limit > 2 * PROBES ? (int)(limit / 2 / PROBES) : 1;
    const int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &pause, sizeof pause) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes) != 0)
        return skv_fail(SKV_E_IO, "cannot set up a connection: %s", strerror(errno));
    return SKV_OK;
}

/* Reason 0: the other side has closed. */
static skv_status gone(const skv_comm *c, const skv_link *l, int reason)
{
    char peer[SKV_RANK_BYTES], me[SKV_RANK_BYTES];

    skv_comm__rank_text(peer, c, l->peer);
    if (reason == 0 || reason == ECONNRESET || reason == EPIPE)
        return skv_fail(SKV_E_PEER, "%s has gone: its connection to %s is closed", peer,
                        skv_comm__rank_text(me, c, c->rank));
    return skv_fail(SKV_E_PEER, "%s cannot be reached from %s any more: %s", peer,
                    skv_comm__rank_text(me, c, c->rank), strerror(reason));
}

/* Until the socket is ready for `events`, the other side is gone, or the wait is over. */
static skv_status wait_ready(const skv_comm *c, const skv_link *l, short events, skv_wait *w)
{
    struct pollfd p = {.fd = l->fd, .events = events};

    while (poll(&p, 1, LOOK_MS) <= 0)
        SKV_TRY(skv_comm__wait_check(w, c));
    return SKV_OK;
}

static skv_status send_all(skv_comm *c, skv_link *l, const void *data, size_t bytes)
{
    const char *at = data;
    skv_wait w;

    skv_comm__wait_begin(&w, c, l->peer);
    while (bytes > 0) {
        const ssize_t n = send(l->fd, at, bytes, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            SKV_TRY(wait_ready(c, l, POLLOUT, &w));
            continue;
        }
        if (n < 0)
            return gone(c, l, errno);
        at += n;
        bytes -= (size_t)n;
        skv_comm__wait_renew(&w);
    }
    return SKV_OK;
}

skv_status skv_link__send(skv_comm *c, skv_link *l, uint32_t kind, const void *data, size_t bytes)
{
    const skv_frame head = {MAGIC, kind, bytes};

    l->torn = true;
    SKV_TRY(send_all(c, l, &head, sizeof head));
    SKV_TRY(send_all(c, l, data, bytes));
    l->torn = false;
    return SKV_OK;
}

static skv_status recv_all(skv_comm *c, skv_link *l, void *data, size_t bytes)
{
    char *at = data;
    skv_wait w;

    skv_comm__wait_begin(&w, c, l->peer);
    while (bytes > 0) {
        const ssize_t n = recv(l->fd, at, bytes, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            SKV_TRY(wait_ready(c, l, POLLIN, &w));
            continue;
        }
        if (n <= 0)
            return gone(c, l, n < 0 ? errno : 0);
        at += n;
        bytes -= (size_t)n;
        skv_comm__wait_renew(&w);
    }
    return SKV_OK;
}

/* The job ends: in the words of the rank that ends it. */
static skv_status hear_end(skv_comm *c, skv_link *l)
{
    char why[SKV_MESSAGE_BYTES] = "";

    SKV_TRY(recv_all(c, l, why, (size_t)l->head.bytes));
    c->told = true;
    if (!why[0]) {
        skv_comm__rank_text(why, c, l->peer);
        return skv_fail(SKV_E_PEER, "%s ends the job and does not say why", why);
    }
    return skv_fail(SKV_E_PEER, "%s", why);
}

/* A header that is whole: anything that no rank sends here is an end. */
static skv_status check_head(skv_comm *c, skv_link *l, uint32_t want, size_t bytes)
{
    char peer[SKV_RANK_BYTES];
    const skv_frame *h = &l->head;

    skv_comm__rank_text(peer, c, l->peer);
    if (h->magic != MAGIC)
        return skv_fail(SKV_E_PEER, "%s sends what is not a message of skv on a machine like this",
                        peer);
    if (h->kind == SKV_FRAME_END && h->bytes < SKV_MESSAGE_BYTES)
        return hear_end(c, l);
    if (want == SKV_FRAME_DATA
            ? h->kind == want && h->bytes == bytes
            : h->kind >= SKV_WORD_HERE && h->kind <= SKV_WORD_FAILED && !h->bytes)
        return SKV_OK;
    return skv_fail(SKV_E_PEER, "%s is at another place than rank %d: they make different calls",
                    peer, c->rank);
}

skv_status skv_link__recv(skv_comm *c, skv_link *l, void *data, size_t bytes)
{
    SKV_TRY(recv_all(c, l, (char *)&l->head + l->n_head, sizeof l->head - l->n_head));
    l->n_head = 0;
    SKV_TRY(check_head(c, l, SKV_FRAME_DATA, bytes));
    return recv_all(c, l, data, bytes);
}

skv_status skv_link__word(skv_comm *c, skv_link *l, skv_word *word)
{
    *word = SKV_WORD_NONE;
    while (l->n_head < sizeof l->head) {
        const ssize_t n = recv(l->fd, (char *)&l->head + l->n_head, sizeof l->head - l->n_head, 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return SKV_OK;
        if (n <= 0)
            return gone(c, l, n < 0 ? errno : 0);
        l->n_head += (size_t)n;
    }
    l->n_head = 0;
    SKV_TRY(check_head(c, l, SKV_WORD_NONE, 0));
    *word = (skv_word)l->head.kind;
    return SKV_OK;
}

void skv_link__end(skv_link *l, const char *why)
{
    struct {
        skv_frame head;
        char text[SKV_MESSAGE_BYTES];
    } end = {.head = {MAGIC, SKV_FRAME_END, 0}};
    const size_t n = strnlen(why, sizeof end.text - 1);

    if (l->fd >= 0 && !l->torn) {
        end.head.bytes = n;
        memcpy(end.text, why, n);
        (void)send(l->fd, &end, sizeof end.head + n, MSG_NOSIGNAL); /* what does not fit is lost */
    }
    skv_link__close(l);
}

void skv_link__close(skv_link *l)
{
    if (l->fd >= 0)
        close(l->fd);
    l->fd = -1;
}
