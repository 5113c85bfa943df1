/* A rank but 0: looks where rank 0 is, connects, shows the token. What does not answer as rank 0
 * does (a port that somebody else has by now, a dead start's file) is left, and looked for again.
 */
#include "mpi/rendezvous.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "mpi/tcp_link.h"

#define PATIENT   3.0  /* s: for a connection */
#define LISTEN    15.0 /* s: for an answer: rank 0 may have a thousand to welcome */
#define NAP_FIRST 20   /* ms */
#define NAP_LAST  500
#define WHERE     512 /* bytes of what is said about the search */

/* Until the socket is ready or time is over. */
static bool ready(int fd, short events, double end)
{
    struct pollfd p = {.fd = fd, .events = events};
    const double left = end - skv_seconds();

    return left > 0 && poll(&p, 1, 1 + (int)(1000 * left)) > 0;
}

static bool connected(int fd, const struct sockaddr *to, socklen_t n)
{
    socklen_t size = sizeof(int);
    int reason = 0;

    if (connect(fd, to, n) == 0)
        return true;
    return errno == EINPROGRESS && ready(fd, POLLOUT, skv_seconds() + PATIENT) &&
           getsockopt(fd, SOL_SOCKET, SO_ERROR, &reason, &size) == 0 && reason == 0;
}

/* A connection to the address (-1: there is none). */
static int connect_to(const skv_comm *c, const char *address, int port)
{
    const struct addrinfo hint = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    char service[16];
    int fd = -1;

    snprintf(service, sizeof service, "%d", port);
    if (getaddrinfo(address, service, &hint, &all) != 0)
        return -1;
    for (const struct addrinfo *a = all; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 &&
            (skv_link__set_up(c, fd) != SKV_OK || !connected(fd, a->ai_addr, a->ai_addrlen))) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(all);
    return fd;
}

static bool recv_reply(int fd, skv_reply *reply)
{
    const double end = skv_seconds() + LISTEN;
    size_t got = 0;

    while (got < sizeof *reply && ready(fd, POLLIN, end)) {
        const ssize_t n = recv(fd, (char *)reply + got, sizeof *reply - got, 0);

        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return got == sizeof *reply;
}

/* Whether rank 0 is there and lets this rank in; `where` says what was found instead. */
static bool greet(skv_comm *c, const skv_place *p, int fd, char where[WHERE])
{
    skv_hello hello = {.magic = SKV_HELLO_MAGIC, .rank = c->rank, .size = c->size};
    skv_reply reply;

    memcpy(hello.token, p->token, sizeof hello.token);
    memcpy(hello.host, c->host, sizeof hello.host);
    skv_rendezvous__host_id(hello.host_id, c);
    if (send(fd, &hello, sizeof hello, MSG_NOSIGNAL) != sizeof hello || !recv_reply(fd, &reply) ||
        memcmp(reply.magic, hello.magic, sizeof reply.magic) != 0 ||
        memcmp(reply.answer, p->answer, sizeof reply.answer) != 0) {
        snprintf(where, WHERE, "who listens at port %d is not rank 0 of this start", p->port);
        return false;
    }
    reply.refused[sizeof reply.refused - 1] = '\0';
    if (reply.refused[0]) {
        snprintf(where, WHERE, "refused: %s", reply.refused);
        return false;
    }
    snprintf(c->hosts[0], SKV_HOST_BYTES, "%.*s", SKV_HOST_BYTES - 1, reply.host);
    return true;
}

static bool try_address(skv_comm *c, const skv_place *p, const char *address, char where[WHERE])
{
    skv_tcp_state *t = c->state;
    const int fd = connect_to(c, address, p->port);

    if (fd < 0) {
        snprintf(where, WHERE, "no answer from %.64s, port %d", address, p->port);
        return false;
    }
    if (!greet(c, p, fd, where)) {
        close(fd);
        return false;
    }
    t->link[0].fd = fd;
    return true;
}

static bool try_place(skv_comm *c, const skv_place *p, char where[WHERE])
{
    if (strcmp(p->host, c->host) == 0 && try_address(c, p, "127.0.0.1", where))
        return true;
    for (int i = 0; i < p->n; i++)
        if (try_address(c, p, p->address[i], where))
            return true;
    return false;
}

/* One look: true when this rank is in. */
static bool look(skv_comm *c, skv_place *p, const char *path, char where[WHERE])
{
    if (path && skv_place_read(p, path) != SKV_OK) {
        snprintf(where, WHERE, "which is found by a file: %.400s", skv_message());
        return false;
    }
    return try_place(c, p, where);
}

skv_status skv_rendezvous__join(skv_comm *c, skv_place *p, const char *path)
{
    const skv_tcp_state *t = c->state;
    long ms = NAP_FIRST;
    char where[WHERE] = "";
    skv_seat seat;
    skv_wait w;

    skv_comm__wait_begin(&w, c, 0);
    w.where = where;
    while (!look(c, p, path, where)) {
        const struct timespec nap = {0, ms * 1000000};

        SKV_TRY(skv_comm__wait_check(&w, c));
        nanosleep(&nap, NULL);
        ms = ms < NAP_LAST ? ms + ms / 2 : NAP_LAST;
    }
    SKV_TRY(skv_comm__hear_go(c));
    SKV_TRY(skv_link__recv(c, &t->link[0], &seat, sizeof seat));
    c->local_rank = seat.local_rank;
    c->local_size = seat.local_size;
    return SKV_OK;
}
