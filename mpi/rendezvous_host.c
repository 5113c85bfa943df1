/* Rank 0: listens until all ranks have come. Whoever connects is a stranger until it has shown the
 * token; strangers cost a few hundred bytes each, and at most GUESTS at a time are listened to. */
#include "mpi/rendezvous.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/mem.h"
#include "mpi/tcp_link.h"

#define GUESTS      64
#define PATIENT     10.0 /* s: for the hello of who has connected */
#define IMPATIENT   2.0  /* s: the same, where others wait to be let in */
#define NAP_MS      20
#define OTHER_FILES 256 /* what a job opens besides */
#define LOOK        1.0 /* s: between looks at the file */

typedef struct {
    int fd; /* -1: none */
    double since;
    skv_hello hello;
    size_t n;
} guest;

typedef struct {
    skv_comm *c;
    const skv_place *place;
    unsigned char (*host_id)[16]; /* (size) */
    int listener, left;
    guest guest[GUESTS];
} host;

/* ------------------------------------------------------------------ listening */

static skv_status cannot_listen(int fd, int port)
{
    const int reason = errno;

    if (fd >= 0)
        close(fd);
    if (port > 0)
        return skv_fail(SKV_E_IO, "--port %d: cannot listen there: %s", port, strerror(reason));
    return skv_fail(SKV_E_IO, "cannot listen for other ranks: %s", strerror(reason));
}

/* IPv6 and IPv4 in one where there is IPv6. */
static skv_status listen_at(int *out, int port, bool own_host_only)
{
    struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const int on = 1, off = 0;
    int fd = own_host_only ? -1 : socket(AF_INET6, SOCK_STREAM, 0), bound = -1;

    if (fd >= 0 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        bound = bind(fd, (struct sockaddr *)&any6, sizeof any6);
    }
    if (bound != 0) {
        if (fd >= 0)
            close(fd);
        any.sin_addr.s_addr = htonl(own_host_only ? INADDR_LOOPBACK : INADDR_ANY);
        fd = socket(AF_INET, SOCK_STREAM, 0);
        if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
            bind(fd, (struct sockaddr *)&any, sizeof any) != 0)
            return cannot_listen(fd, port);
    }
    if (listen(fd, SOMAXCONN) != 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return cannot_listen(fd, port);
    *out = fd;
    return SKV_OK;
}

static skv_status port_of(int *out, int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } at;
    socklen_t n = sizeof at;

    if (getsockname(fd, &at.any, &n) != 0)
        return skv_fail(SKV_E_IO, "cannot listen for other ranks: %s", strerror(errno));
    *out = ntohs(at.any.sa_family == AF_INET6 ? at.in6.sin6_port : at.in.sin_port);
    return SKV_OK;
}

/* This host's addresses, but for those that mean every host's own. */
static void list_addresses(skv_place *p)
{
    struct ifaddrs *all = NULL;

    if (getifaddrs(&all) != 0)
        all = NULL;
    for (const struct ifaddrs *i = all; i && p->n < SKV_PLACE_ADDRESSES; i = i->ifa_next) {
        const int family = i->ifa_addr ? i->ifa_addr->sa_family : 0;
        const socklen_t n =
            family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
        char *text = p->address[p->n];

        if ((family != AF_INET && family != AF_INET6) ||
            getnameinfo(i->ifa_addr, n, text, SKV_PLACE_ADDRESS, NULL, 0, NI_NUMERICHOST) != 0)
            continue;
        if (strncmp(text, "127.", 4) != 0 && strcmp(text, "::1") != 0 &&
            strncmp(text, "fe80:", 5) != 0)
            p->n++;
    }
    if (all)
        freeifaddrs(all);
    if (p->n == 0)
        snprintf(p->address[p->n++], SKV_PLACE_ADDRESS, "127.0.0.1");
}

/* ------------------------------------------------------------------ guests */

static void dismiss(guest *g)
{
    if (g->fd >= 0)
        close(g->fd);
    *g = (guest){.fd = -1};
}

/* A free place, or that of who has been silent longest, if for long; NULL: the next must wait. */
static guest *place_for_guest(host *h)
{
    guest *oldest = &h->guest[0];

    for (int i = 0; i < GUESTS; i++) {
        if (h->guest[i].fd < 0)
            return &h->guest[i];
        if (h->guest[i].since < oldest->since)
            oldest = &h->guest[i];
    }
    if (skv_seconds() - oldest->since < IMPATIENT)
        return NULL;
    dismiss(oldest);
    return oldest;
}

/* In the same time whatever is wrong with it. */
static bool same_secret(const unsigned char *a, const unsigned char *b)
{
    unsigned char differ = 0;

    for (int i = 0; i < SKV_PLACE_SECRET; i++)
        differ |= a[i] ^ b[i];
    return differ == 0;
}

static void refuse_text(char *out, size_t bytes, const host *h, const skv_hello *hello)
{
    const skv_tcp_state *t = h->c->state;

    out[0] = '\0';
    if (hello->size != h->c->size)
        snprintf(out, bytes, "rank 0 is one of %d ranks, this one of %d", h->c->size,
                 (int)hello->size);
    else if (hello->rank < 1 || hello->rank >= h->c->size)
        snprintf(out, bytes, "rank 0 wants ranks 1 to %d", h->c->size - 1);
    else if (t->link[hello->rank].fd >= 0)
        snprintf(out, bytes, "rank %d has come already, from another process", (int)hello->rank);
}

/* Its hello is whole: a rank gets its seat, anyone else goes. */
static void judge(host *h, guest *g)
{
    skv_comm *c = h->c;
    const skv_tcp_state *t = c->state;
    skv_reply reply = {.magic = SKV_HELLO_MAGIC};
    const skv_hello *hello = &g->hello;

    if (memcmp(hello->magic, reply.magic, sizeof reply.magic) != 0 ||
        !same_secret(hello->token, h->place->token)) {
        dismiss(g);
        return;
    }
    memcpy(reply.answer, h->place->answer, sizeof reply.answer);
    memcpy(reply.host, c->host, sizeof reply.host);
    refuse_text(reply.refused, sizeof reply.refused, h, hello);
    if (send(g->fd, &reply, sizeof reply, MSG_NOSIGNAL) != sizeof reply || reply.refused[0]) {
        dismiss(g);
        return;
    }
    t->link[hello->rank].fd = g->fd;
    snprintf(c->hosts[hello->rank], SKV_HOST_BYTES, "%.*s", SKV_HOST_BYTES - 1, hello->host);
    memcpy(h->host_id[hello->rank], hello->host_id, sizeof hello->host_id);
    c->missing[hello->rank] = false;
    h->left--;
    g->fd = -1;
}

static void listen_to(host *h, guest *g)
{
    const ssize_t n = recv(g->fd, (char *)&g->hello + g->n, sizeof g->hello - g->n, MSG_DONTWAIT);

    if (n > 0)
        g->n += (size_t)n;
    if (g->n == sizeof g->hello)
        judge(h, g);
    else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) ||
             skv_seconds() - g->since > PATIENT)
        dismiss(g);
}

/* Most have said hello by the time that they are let in, and leave their place at once. */
static void welcome(host *h)
{
    guest *g;

    while ((g = place_for_guest(h))) {
        const int fd = accept(h->listener, NULL, NULL);

        if (fd < 0)
            return;
        if (skv_link__set_up(h->c, fd) == SKV_OK) {
            *g = (guest){.fd = fd, .since = skv_seconds()};
            listen_to(h, g);
        } else {
            close(fd);
        }
    }
}

static void serve_guests(host *h)
{
    struct pollfd p[GUESTS + 1] = {{.fd = h->listener, .events = POLLIN}};

    for (int i = 0; i < GUESTS; i++)
        p[i + 1] = (struct pollfd){.fd = h->guest[i].fd, .events = POLLIN};
    (void)poll(p, GUESTS + 1, NAP_MS);
    for (int i = 0; i < GUESTS; i++)
        if (h->guest[i].fd >= 0)
            listen_to(h, &h->guest[i]);
    welcome(h);
}

/* ------------------------------------------------------------------ until all are there */

/* A rank that has come may go again: it has lost patience and will come back, or is dead. */
static void leave_seat(host *h, int rank)
{
    const skv_tcp_state *t = h->c->state;

    skv_link__close(&t->link[rank]);
    h->c->missing[rank] = true;
    h->left++;
}

/* Ranks that have come have nothing to say yet: what is heard of them is that they went. */
static void check_seats(host *h)
{
    const skv_tcp_state *t = h->c->state;

    for (int r = 0; r < t->n; r++)
        t->poll[r] = (struct pollfd){.fd = t->link[r].fd, .events = POLLIN};
    if (poll(t->poll, (nfds_t)t->n, 0) <= 0)
        return;
    for (int r = 1; r < t->n; r++)
        if (t->poll[r].revents)
            leave_seat(h, r);
}

static void ask_for_patience(host *h)
{
    for (int r = 1; r < h->c->size; r++)
        if (!h->c->missing[r] && h->c->ops->tell(h->c, r, SKV_WORD_WAIT) != SKV_OK)
            leave_seat(h, r);
}

static skv_status check_file(const skv_place *mine, const char *path)
{
    skv_place now;

    if (skv_place_read(&now, path) == SKV_OK &&
        memcmp(now.token, mine->token, sizeof now.token) != 0)
        return skv_fail(SKV_E_PEER, "%s: another start of this job has taken it over", path);
    return SKV_OK;
}

static skv_status wait_for_all(host *h, const char *path)
{
    skv_comm *c = h->c;
    double look = skv_seconds() + LOOK;
    char where[512];
    skv_wait w;

    snprintf(where, sizeof where, "which find it by %.400s", path ? path : "--port");
    skv_comm__wait_begin(&w, c, SKV_WAIT_MISSING);
    w.where = where;
    for (int r = 0; r < c->size; r++)
        c->missing[r] = r > 0;
    while (h->left > 0) {
        serve_guests(h);
        check_seats(h);
        if (skv_comm__wait_word(&w, c))
            ask_for_patience(h);
        if (path && skv_seconds() > look) {
            SKV_TRY(check_file(h->place, path));
            look = skv_seconds() + LOOK;
        }
        SKV_TRY(skv_comm__wait_check(&w, c));
    }
    return SKV_OK;
}

static skv_seat seat_of(const host *h, int rank)
{
    skv_seat seat = {0, 0};

    for (int r = 0; r < h->c->size; r++) {
        const bool same = memcmp(h->host_id[r], h->host_id[rank], sizeof h->host_id[r]) == 0;

        seat.local_size += same;
        seat.local_rank += same && r < rank;
    }
    return seat;
}

/* All have come: each learns its place among the ranks of its host. */
static skv_status begin(host *h)
{
    skv_comm *c = h->c;
    const skv_tcp_state *t = c->state;
    const skv_seat mine = seat_of(h, 0);

    for (int r = 1; r < c->size; r++) {
        const skv_seat seat = seat_of(h, r);

        SKV_TRY(c->ops->tell(c, r, SKV_WORD_GO));
        SKV_TRY(skv_link__send(c, &t->link[r], SKV_FRAME_DATA, &seat, sizeof seat));
    }
    c->local_rank = mine.local_rank;
    c->local_size = mine.local_size;
    return SKV_OK;
}

/* A file for each connection, beside those of the job. */
static skv_status make_room(int size)
{
    const rlim_t want = (rlim_t)size + GUESTS + OTHER_FILES;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= want)
        return SKV_OK;
    if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < want)
        return skv_fail(SKV_E_IO,
                        "rank 0 needs %llu open files for %d ranks, %llu are allowed: "
                        "raise ulimit -n",
                        (unsigned long long)want, size, (unsigned long long)limit.rlim_max);
    limit.rlim_cur = want;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0
               ? SKV_OK
               : skv_fail(SKV_E_IO, "cannot raise the number of open files to %llu: %s",
                          (unsigned long long)want, strerror(errno));
}

static skv_status host_all(host *h, skv_place *p, const char *path, bool own_host_only)
{
    skv_comm *c = h->c;
    skv_status st;

    SKV_TRY(make_room(c->size));
    skv_rendezvous__host_id(h->host_id[0], c);
    memcpy(c->hosts[0], c->host, sizeof c->host);
    SKV_TRY(listen_at(&h->listener, p->port, own_host_only));
    if (path) {
        memcpy(p->host, c->host, sizeof p->host);
        list_addresses(p);
        SKV_TRY(port_of(&p->port, h->listener));
        SKV_TRY(skv_place_write(p, path));
    }
    st = wait_for_all(h, path);
    if (path)
        skv_place_remove(p, path);
    return st == SKV_OK ? begin(h) : st;
}

skv_status skv_rendezvous__host(skv_comm *c, skv_place *p, const char *path, bool own_host_only)
{
    host h = {.c = c, .place = p, .listener = -1, .left = c->size - 1};
    skv_status st;

    for (int i = 0; i < GUESTS; i++)
        h.guest[i].fd = -1;
    st = skv_alloc(&h.host_id, (size_t)c->size, sizeof *h.host_id, "the ranks' hosts");
    if (st == SKV_OK)
        st = host_all(&h, p, path, own_host_only);
    for (int i = 0; i < GUESTS; i++)
        dismiss(&h.guest[i]);
    if (h.listener >= 0)
        close(h.listener);
    free(h.host_id);
    return st;
}
