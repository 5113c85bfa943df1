/* The handler only sets flags and reads a clock; all else is done by what polls them. */
#include "job/stop.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"

#define SAME_REQUEST_SECONDS 2

static skv_flag asked; /* a skv_stop_reason */
static skv_flag quiet;
static struct timespec first_signal; /* the handler's own */
static double start;

static const struct {
    int number;
    skv_stop_reason why;
} signals[] = {{SIGTERM, SKV_STOP_TERM},
               {SIGINT, SKV_STOP_INT},
               {SIGHUP, SKV_STOP_HUP},
               {SIGUSR1, SKV_STOP_USR1},
               {SIGUSR2, SKV_STOP_USR2}};

#define N_SIGNALS (sizeof signals / sizeof signals[0])

static const char *const names[] = {
    [SKV_STOP_NONE] = "nothing",       [SKV_STOP_TERM] = "SIGTERM",
    [SKV_STOP_INT] = "SIGINT",         [SKV_STOP_HUP] = "SIGHUP",
    [SKV_STOP_USR1] = "SIGUSR1",       [SKV_STOP_USR2] = "SIGUSR2",
    [SKV_STOP_FILE] = "the file stop", [SKV_STOP_HOURS] = "--max-hours",
};

void skv_stop_leave(void)
{
    _exit(SKV_STOP_EXIT);
}

static void leave_by_signal(void)
{
    static const char words[] =
        "stopped at once by a second signal; to go on, run the same command again\n";

    if (!quiet && write(STDERR_FILENO, words, sizeof words - 1) < 0)
        skv_stop_leave(); /* nobody reads it */
    skv_stop_leave();
}

static void on_signal(int number)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    if (first_signal.tv_sec == 0 && first_signal.tv_nsec == 0)
        first_signal = now;
    else if ((double)(now.tv_sec - first_signal.tv_sec) +
                 1e-9 * (double)(now.tv_nsec - first_signal.tv_nsec) >=
             SAME_REQUEST_SECONDS)
        leave_by_signal();
    /* what announces a kill is never hidden by what came before it */
    for (size_t i = 0; i < N_SIGNALS; i++)
        if (signals[i].number == number && (!asked || number == SIGTERM || number == SIGINT))
            asked = signals[i].why;
}

void skv_stop_catch(void)
{
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESTART}, before;

    start = skv_seconds();
    for (size_t i = 0; i < N_SIGNALS; i++)
        sigaddset(&a.sa_mask, signals[i].number);
    for (size_t i = 0; i < N_SIGNALS; i++) {
        if (signals[i].number == SIGHUP && sigaction(SIGHUP, NULL, &before) == 0 &&
            before.sa_handler == SIG_IGN)
            continue;
        sigaction(signals[i].number, &a, NULL);
    }
    pthread_sigmask(SIG_UNBLOCK, &a.sa_mask, NULL); /* whatever the parent had blocked */
}

void skv_stop_be_quiet(void)
{
    quiet = 1;
}

const skv_flag *skv_stop_flag(void)
{
    return &asked;
}

void skv_stop_ask(skv_stop_reason why)
{
    if (!asked)
        asked = why;
}

skv_stop_reason skv_stop_why(void)
{
    return (skv_stop_reason)asked;
}

const char *skv_stop_name(skv_stop_reason why)
{
    return names[why];
}

skv_stop_reason skv_stop_named(const char *name)
{
    const size_t n = strcspn(name, ",\n");

    for (size_t i = SKV_STOP_TERM; i < sizeof names / sizeof names[0]; i++)
        if (strlen(names[i]) == n && strncmp(names[i], name, n) == 0)
            return (skv_stop_reason)i;
    return SKV_STOP_NONE;
}

double skv_stop_clock(void)
{
    return skv_seconds() - start;
}
