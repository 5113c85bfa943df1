/* skv <command> [--config f.json] [--option value ...] */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/verbosity.h"
#include "job/libraries.h"
#include "core/build.h"
#include "core/log.h"
#include "io/h5.h"
#include "io/h5_probe.h"
#include "io/h5_probe_serve.h"
#include "job/compare_ranks.h"

/* The build, and a line a library: what it was built with, and what runs where that is another. */
static int print_version(void)
{
    skv_library l[SKV_ALL_LIBRARIES];
    const int n = skv_all_libraries(l);

    printf("skv %s\n", skv_build());
    for (int k = 0; k < n; k++) {
        printf("%-14s %s", l[k].name, l[k].built);
        if (l[k].running[0] && strcmp(l[k].running, l[k].built) != 0)
            printf(", running with %s", l[k].running);
        printf("\n");
    }
    return SKV_EXIT_OK;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (is_help(argv[i]))
            return true;
    return false;
}

static int exit_code_of(skv_status st)
{
    switch (st) {
    case SKV_OK:
        return SKV_EXIT_OK;
    case SKV_E_ARG:
        return SKV_EXIT_USAGE;
    case SKV_E_STOPPED:
        return SKV_EXIT_AGAIN;
    default:
        return SKV_EXIT_FAILED;
    }
}

/* Rank 0 speaks; the others only when something is wrong, and say who they are. */
static void set_up_log(const skv_comm *comm, skv_log_level level)
{
    char prefix[96] = "";

    if (skv_comm_size(comm) > 1)
        snprintf(prefix, sizeof prefix, "[%d/%d %.60s]", skv_comm_rank(comm), skv_comm_size(comm),
                 skv_comm_host(comm));
    if (skv_comm_rank(comm) > 0)
        skv_log_setup(SKV_LOG_ERROR, prefix);
    else
        skv_log_setup(level, "");
}

static int run(const skv_command *c, skv_log_level level, int argc, char **argv)
{
    skv_comm *comm = NULL;
    skv_comm_wish wish;
    char *text = NULL;
    skv_status st = SKV_OK;
    int code = SKV_EXIT_OK;

    skv_h5_probe_require();
    if (c->reads_hdf5)
        st = skv_h5_probe_start(); /* a process that uses MPI should not start others */
    if (st == SKV_OK && c->distributed) {
        skv_command_wish(&wish, &text, c, argc, argv);
        st = skv_comm_open(&comm, &wish);
    }
    if (comm)
        set_up_log(comm, level);
    if (st == SKV_OK && comm)
        st = skv_ranks_compare_commands(comm, c->name);
    if (st == SKV_OK && comm && !c->any_build)
        st = skv_ranks_compare_builds(comm);
    if (st == SKV_OK)
        st = c->run(comm, argc, argv, &code);
    if (st == SKV_OK && comm)
        st = skv_comm_leave(comm);
    if (st != SKV_OK) {
        code = exit_code_of(st);
        if (!comm || skv_comm_reports(comm))
            skv_log(st == SKV_E_STOPPED ? SKV_LOG_WARN : SKV_LOG_ERROR, "%s", skv_message());
        skv_debug("at %s (%s)", skv_origin(), skv_status_name(st));
    }
    if (comm && skv_comm_is_lost(comm))
        skv_comm_abort(comm, code);
    skv_comm_close(comm);
    free(text);
    skv_h5_probe_stop();
    return code;
}

static int start(int argc, char **argv)
{
    const skv_command *c;
    skv_log_level level = SKV_LOG_INFO;
    int code, n = argc - 2;

    if (argc == 2 && strcmp(argv[1], SKV_H5_PROBE_COMMAND) == 0)
        _exit(skv_h5_probe_serve()); /* in its children, too: libraries have nothing to end there */
    skv_log_setup(level, "");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error of the write that meets it */
    if (argc < 2) {
        skv_help_program(stderr);
        return SKV_EXIT_USAGE;
    }
    if (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0 ||
        strcmp(argv[1], "-V") == 0)
        return print_version();
    if (skv_command_find(&c, is_help(argv[1]) ? "help" : argv[1]) != SKV_OK) {
        skv_error("%s", skv_message());
        return SKV_EXIT_USAGE;
    }
    if (wants_help(argc - 2, argv + 2)) {
        skv_help_command(stdout, c);
        return SKV_EXIT_OK;
    }
    if (skv_verbosity_take(&level, c, &n, argv + 2) != SKV_OK) {
        skv_error("%s", skv_message());
        return SKV_EXIT_USAGE;
    }
    skv_log_setup(level, "");
    if (skv_h5_init() != SKV_OK) {
        skv_error("%s", skv_message());
        return SKV_EXIT_FAILED;
    }
    if (c->stops)
        skv_stop_catch();
    code = run(c, level, n, argv + 2);
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == SKV_EXIT_OK) {
        skv_error("standard output: cannot write: %s", strerror(errno));
        code = SKV_EXIT_FAILED;
    }
    skv_log_close();
    return code;
}

int main(int argc, char **argv)
{
    const int code = start(argc, argv);
    struct rlimit r;

    /* OpenBLAS's threads ask for memory until they get it, and libraries wait for them at the end
     * of the process: where memory may never come, nobody is waited for. */
    if (getrlimit(RLIMIT_AS, &r) == 0 && r.rlim_cur != RLIM_INFINITY) {
        (void)fflush(NULL);
        _exit(code);
    }
    return code;
}
