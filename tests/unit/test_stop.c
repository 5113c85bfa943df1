/* Signals that ask a process to stop. Each case is a process of its own: the state is the
 * process's.
 */
#include "job/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmocka_all.h"

#define FINE 0

/* Exit status of a child that runs `body`; -1: a signal ended it. said: what it wrote to stderr. */
static int child(int (*body)(void), char *said, size_t bytes)
{
    int ends[2], status = 0;
    ssize_t n;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        _exit(body());
    }
    close(ends[1]);
    n = read(ends[0], said, bytes - 1);
    said[n > 0 ? n : 0] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void nap(double seconds)
{
    struct timespec left = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

static int each_signal(void)
{
    const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    const skv_stop_reason why[] = {SKV_STOP_TERM, SKV_STOP_INT, SKV_STOP_HUP, SKV_STOP_USR1,
                                   SKV_STOP_USR2};

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const pid_t pid = fork();
        int status = 0;

        if (pid == 0) {
            signal(SIGHUP, SIG_DFL);
            skv_stop_catch();
            if (*skv_stop_flag() || skv_stop_why() != SKV_STOP_NONE)
                _exit(1);
            raise(numbers[i]);
            raise(numbers[i]);
            _exit(*skv_stop_flag() && skv_stop_why() == why[i] ? FINE : 2);
        }
        if (waitpid(pid, &status, 0) != pid || status != 0)
            return 10 + (int)i;
    }
    return FINE;
}

static void every_signal_asks_and_a_second_one_at_once_is_the_same(void **state)
{
    char said[256];

    (void)state;
    assert_int_equal(child(each_signal, said, sizeof said), FINE);
    assert_string_equal(said, "");
}

static int later_signal(void)
{
    skv_stop_catch();
    raise(SIGUSR1);
    nap(2.1);
    raise(SIGTERM);
    return 1;
}

static int quiet_signal(void)
{
    skv_stop_be_quiet();
    return later_signal();
}

static void a_later_signal_ends_the_process_at_once(void **state)
{
    char said[256];

    (void)state;
    assert_int_equal(child(later_signal, said, sizeof said), SKV_STOP_EXIT);
    assert_non_null(strstr(said, "run the same command again"));
    assert_int_equal(child(quiet_signal, said, sizeof said), SKV_STOP_EXIT);
    assert_string_equal(said, "");
}

static int term_after_usr1(void)
{
    skv_stop_catch();
    raise(SIGUSR1);
    raise(SIGTERM);
    raise(SIGUSR2);
    return skv_stop_why() == SKV_STOP_TERM ? FINE : 1;
}

static void what_announces_a_kill_outranks_other_signals(void **state)
{
    char said[256];

    (void)state;
    assert_int_equal(child(term_after_usr1, said, sizeof said), FINE);
}

static int hang_up_ignored(void)
{
    signal(SIGHUP, SIG_IGN);
    skv_stop_catch();
    raise(SIGHUP);
    return *skv_stop_flag() ? 1 : FINE;
}

static void nohup_is_respected(void **state)
{
    char said[256];

    (void)state;
    assert_int_equal(child(hang_up_ignored, said, sizeof said), FINE);
}

static int blocked_by_the_parent(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    skv_stop_catch();
    return skv_stop_why() == SKV_STOP_USR1 ? FINE : 1;
}

static void a_signal_from_before_the_start_is_heard(void **state)
{
    char said[256];

    (void)state;
    assert_int_equal(child(blocked_by_the_parent, said, sizeof said), FINE);
}

static int first_reason(void)
{
    skv_stop_ask(SKV_STOP_HOURS);
    skv_stop_ask(SKV_STOP_FILE);
    return skv_stop_why() == SKV_STOP_HOURS ? FINE : 1;
}

static void the_first_reason_counts(void **state)
{
    char said[256];

    (void)state;
    assert_int_equal(child(first_reason, said, sizeof said), FINE);
}

static void names_lead_back_to_reasons(void **state)
{
    (void)state;
    for (int why = SKV_STOP_TERM; why <= SKV_STOP_HOURS; why++)
        assert_int_equal(skv_stop_named(skv_stop_name((skv_stop_reason)why)), why);
    assert_int_equal(skv_stop_named("SIGUSR1,rank 3 of 8"), SKV_STOP_USR1);
    assert_int_equal(skv_stop_named("SIGUSR"), SKV_STOP_NONE);
    assert_int_equal(skv_stop_named(""), SKV_STOP_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_signal_asks_and_a_second_one_at_once_is_the_same),
        cmocka_unit_test(a_later_signal_ends_the_process_at_once),
        cmocka_unit_test(what_announces_a_kill_outranks_other_signals),
        cmocka_unit_test(nohup_is_respected),
        cmocka_unit_test(a_signal_from_before_the_start_is_heard),
        cmocka_unit_test(the_first_reason_counts),
        cmocka_unit_test(names_lead_back_to_reasons),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
