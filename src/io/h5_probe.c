#define _GNU_SOURCE /* environ */
#include "io/h5_probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"
#include "io/h5_internal.h"

#define LIMIT_SECONDS  60
#define BYTES_A_SECOND ((off_t)20 << 20) /* a slow disk: longer files get more time */

typedef struct {
    bool sealed;
    char path[4096]; /* for messages */
} request;           /* with the descriptor of the file */

typedef struct {
    int32_t status; /* of the child's walk */
    int32_t signal; /* that ended the child; -1: it took too long, -2: it ended in another way */
    int32_t seconds;
    char text[1000]; /* the child's message */
} answer;

/* ------------------------------------------------------------------- this process */

static struct {
    int socket; /* < 0: no process */
    pid_t process;
    bool required;
} probe = {.socket = -1};

void skv_h5_probe_require(void)
{
    probe.required = true;
}

/* The parent's environment, with libraries kept from starting threads, and freed memory filled, so
 * that a use of it shows. The array alone is new. */
static skv_status make_environment(char ***out)
{
    static char first[][32] = {"OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1",
                               "MALLOC_PERTURB_=165"};
    const size_t n_first = sizeof first / sizeof first[0];
    size_t n = 0, at = 0;
    char **list = NULL;

    while (environ[n])
        n++;
    SKV_TRY(skv_alloc(&list, n + n_first + 1, sizeof *list, "an environment"));
    for (size_t i = 0; i < n_first; i++)
        list[at++] = first[i]; /* the first of a name counts */
    for (size_t i = 0; i < n; i++)
        list[at++] = environ[i];
    *out = list;
    return SKV_OK;
}

/* Signals that end a job are the parent's to act on: its end ends the process. */
static void blocked_signals(sigset_t *set)
{
    const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

    sigemptyset(set);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        sigaddset(set, numbers[i]);
}

static int spawn(pid_t *process, int socket, char **environment)
{
    char program[] = "skv", command[] = SKV_H5_PROBE_COMMAND;
    char *const words[] = {program, command, NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t how;
    sigset_t blocked;
    int failed;

    blocked_signals(&blocked);
    if (posix_spawn_file_actions_init(&files) != 0 || posix_spawnattr_init(&how) != 0)
        return ENOMEM;
    failed = posix_spawn_file_actions_adddup2(&files, socket, 0);
    for (int fd = 1; fd <= 2 && !failed; fd++)
        failed = posix_spawn_file_actions_addopen(&files, fd, "/dev/null", O_RDWR, 0);
    if (!failed)
        failed = posix_spawnattr_setsigmask(&how, &blocked);
    if (!failed)
        failed = posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
    if (!failed)
        failed = posix_spawn(process, "/proc/self/exe", &files, &how, words, environment);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&how);
    return failed;
}

skv_status skv_h5_probe_start(void)
{
    char **environment = NULL;
    int pair[2], failed;

    if (probe.socket >= 0)
        return SKV_OK;
    SKV_TRY(make_environment(&environment));
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        free(environment);
        return skv_fail(SKV_E_IO, "cannot make a socket: %s", strerror(errno));
    }
    failed = spawn(&probe.process, pair[1], environment);
    free(environment);
    close(pair[1]);
    if (failed) {
        close(pair[0]);
        return skv_fail(SKV_E_IO, "cannot start the process that checks HDF5 files: %s",
                        strerror(failed));
    }
    probe.socket = pair[0];
    return SKV_OK;
}

void skv_h5_probe_stop(void)
{
    if (probe.socket < 0)
        return;
    close(probe.socket);
    probe.socket = -1;
    while (waitpid(probe.process, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* A message of `bytes` with or without a descriptor; the socket keeps messages apart. */
static bool send_message(int socket, const void *data, size_t bytes, int fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof fd)];
    } control = {.bytes = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = bytes};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t n;

    if (fd >= 0) {
        m.msg_control = control.bytes;
        m.msg_controllen = sizeof control.bytes;
        *CMSG_FIRSTHDR(&m) = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof fd);
    }
    do {
        n = sendmsg(socket, &m, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)bytes;
}

static bool receive_answer(answer *a, int socket)
{
    ssize_t n;

    do {
        n = recv(socket, a, sizeof *a, 0);
    } while (n < 0 && errno == EINTR);
    a->text[sizeof a->text - 1] = '\0';
    return n == (ssize_t)sizeof *a;
}

skv_status skv_h5__ask(int fd, const char *path, bool sealed)
{
    request r = {.sealed = sealed};
    answer a;

    if (probe.socket < 0)
        return probe.required
                   ? skv_fail(SKV_E_UNSUPPORTED,
                              "%s: this command has not started the process that checks HDF5 files",
                              path)
                   : SKV_OK;
    snprintf(r.path, sizeof r.path, "%s", path);
    if (!send_message(probe.socket, &r, sizeof r, fd) || !receive_answer(&a, probe.socket))
        return skv_fail(SKV_E_IO, "%s: the process that checks HDF5 files has ended", path);
    if (a.signal > 0)
        return skv_fail(SKV_E_FORMAT, "%s: damaged: HDF5 crashes on it (%s)", path,
                        strsignal(a.signal));
    if (a.signal == -1)
        return skv_fail(SKV_E_FORMAT, "%s: damaged: HDF5 took more than %d s to read it", path,
                        (int)a.seconds);
    if (a.signal != 0)
        return skv_fail(SKV_E_FORMAT, "%s: damaged: HDF5 ends the program on it", path);
    return a.status == SKV_OK ? SKV_OK : skv_fail((skv_status)a.status, "%s", a.text);
}

/* ---------------------------------------------------------------- the other process */

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

/* False: the asking process has ended. */
static bool receive_request(request *r, int *fd)
{
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof *fd)];
    } control;
    struct iovec part = {.iov_base = r, .iov_len = sizeof *r};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    const struct cmsghdr *c;
    ssize_t n;

    do {
        n = recvmsg(0, &m, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    c = n == (ssize_t)sizeof *r ? CMSG_FIRSTHDR(&m) : NULL;
    if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof *fd))
        return false;
    memcpy(fd, CMSG_DATA(c), sizeof *fd);
    r->path[sizeof r->path - 1] = '\0';
    return true;
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
    answer a = {.status = SKV_OK};
    request r;
    int fd = -1;

    while (a.status == SKV_OK && receive_request(&r, &fd)) {
        a.status = skv_h5__walk(fd, r.path, r.sealed);
        if (a.status != SKV_OK)
            snprintf(a.text, sizeof a.text, "%s", skv_message());
        close(fd);
        if (!send_message(0, &a, sizeof a, -1))
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
static bool ask_child(answer *a, child *c, const request *r, int fd)
{
    struct pollfd waits[] = {{.fd = c->socket, .events = POLLIN}, {.fd = 0, .events = 0}};
    int ready, status;

    *a = (answer){.seconds = limit_of(fd) / 1000};
    if (!send_message(c->socket, r, sizeof *r, fd))
        ready = 1; /* it has ended */
    else
        do {
            ready = poll(waits, 2, a->seconds * 1000);
        } while (ready < 0 && errno == EINTR);
    if (ready > 0 && !waits[1].revents) {
        const int seconds = a->seconds;

        if (receive_answer(a, c->socket) && a->status == SKV_OK)
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
    request r;
    int fd = -1;
    bool good = true;

    close_inherited();
    if (skv_h5_init() != SKV_OK)
        return 1;
    while (good && receive_request(&r, &fd)) {
        answer a = {0};
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
        good = good && send_message(0, &a, sizeof a, -1);
    }
    return good ? 0 : 1;
}
