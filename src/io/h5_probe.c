#define _GNU_SOURCE /* environ */
#include "io/h5_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/mem.h"
#include "io/h5_probe_wire.h"

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
        return skv_fail(SKV_E_IO, "cannot start the process that checks HDF5 files: %s%s",
                        strerror(failed),
                        access("/proc/self/exe", F_OK) == 0 ? "" : " (want /proc mounted)");
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

skv_status skv_h5__ask(int fd, const char *path, bool sealed, const char *but)
{
    skv_h5__request r = {.sealed = sealed};
    skv_h5__answer a;

    if (probe.socket < 0)
        return probe.required
                   ? skv_fail(SKV_E_UNSUPPORTED,
                              "%s: this command has not started the process that checks HDF5 files",
                              path)
                   : SKV_OK;
    snprintf(r.path, sizeof r.path, "%s", path);
    snprintf(r.but, sizeof r.but, "%s", but);
    if (!skv_h5__send(probe.socket, &r, sizeof r, fd) || !skv_h5__receive_answer(&a, probe.socket))
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
