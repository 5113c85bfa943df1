#include "io/h5_probe_serve.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/h5_probe_wire.h"
#include "io/h5_types.h"
#include "io/h5_walk.h"

#define LIMIT_SECONDS  60
#define BYTES_A_SECOND ((off_t)20 << 20) /* a slow disk: longer files get more time */

/* Closes descriptors that the parent had open without O_CLOEXEC. */
static void close_inherited(void)
{
    DIR *d = opendir("/proc/self/fd");
    const struct dirent *e;

    while (d && (e = readdir(d))) {
        const int fd = atoi(e->d_name);

        if (fd > 2 && fd != dirfd(d))
            close(fd);
    }
    if (d)
        closedir(d);
}

/* Milliseconds that a look may take. */
static int limit_of(int fd)
{
    struct stat info;
    const off_t more = fstat(fd, &info) == 0 ? info.st_size / BYTES_A_SECOND : 0;

    return (int)(LIMIT_SECONDS + (more < 3600 ? more : 3600)) * 1000;
}

/* The child, asked over descriptor 0 like its parent: walks files, up to the first that is not
 * whole. That file may have damaged the library's memory, which must not affect later files. */
static int look_at_files(void)
{
    skv_h5__answer a = {.status = SKV_OK};
    skv_h5__request r;
    int fd = -1;

    while (a.status == SKV_OK && skv_h5__receive_request(&r, &fd, 0)) {
        a.status = skv_h5__walk(fd, r.path, r.sealed, r.but);
        if (a.status != SKV_OK)
            snprintf(a.text, sizeof a.text, "%s", skv_message());
        close(fd);
        if (!skv_h5__send(0, &a, sizeof a, -1))
            return 1;
    }
    return 0;
}

typedef struct {
    pid_t process; /* 0: none */
    int socket;
    bool is_child; /* this is the child itself */
} child;

static bool start_child(child *c)
{
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return false;
    c->process = fork();
    c->is_child = c->process == 0;
    c->socket = pair[c->is_child];
    close(pair[!c->is_child]);
    if (c->process < 0)
        close(c->socket);
    return c->process >= 0;
}

/* Returns how it ended, as waitpid says. */
static int end_child(child *c)
{
    int status = 0;

    close(c->socket);
    while (waitpid(c->process, &status, 0) < 0 && errno == EINTR)
        ;
    *c = (child){0};
    return status;
}

/* Has the child look. False: the parent has ended. */
static bool ask_child(skv_h5__answer *a, child *c, const skv_h5__request *r, int fd)
{
    struct pollfd waits[] = {{.fd = c->socket, .events = POLLIN}, {.fd = 0, .events = 0}};
    int ready, status;

    *a = (skv_h5__answer){.seconds = limit_of(fd) / 1000};
    if (!skv_h5__send(c->socket, r, sizeof *r, fd))
        ready = 1; /* it has ended */
    else
        do {
            ready = poll(waits, 2, a->seconds * 1000);
        } while (ready < 0 && errno == EINTR);
    if (ready > 0 && !waits[1].revents) {
        const int seconds = a->seconds;

        if (skv_h5__receive_answer(a, c->socket) && a->status == SKV_OK)
            return true;
        a->seconds = seconds;
    } else {
        kill(c->process, SIGKILL);
    }
    status = end_child(c);
    if (ready == 0)
        a->signal = -1;
    else if (WIFSIGNALED(status))
        a->signal = WTERMSIG(status);
    else if (a->status == SKV_OK || WEXITSTATUS(status) != 0)
        a->signal = -2;
    return !waits[1].revents;
}

int skv_h5_probe_serve(void)
{
    child c = {0};
    skv_h5__request r;
    int fd = -1;
    bool good = true;

    close_inherited();
    if (skv_h5_init() != SKV_OK)
        return 1;
    while (good && skv_h5__receive_request(&r, &fd, 0)) {
        skv_h5__answer a = {0};
        bool fresh;

        do { /* a verdict counts only from a child that has seen no other file */
            fresh = c.process == 0;
            good = !fresh || start_child(&c);
            if (c.is_child) {
                close(fd);
                return dup2(c.socket, 0) == 0 ? look_at_files() : 1;
            }
            good = good && ask_child(&a, &c, &r, fd);
        } while (good && !fresh && (a.signal != 0 || a.status != SKV_OK));
        close(fd);
        good = good && skv_h5__send(0, &a, sizeof a, -1);
    }
    return good ? 0 : 1;
}
