/* The word "stop" between the ranks of a job, which here are processes of one folder. */
#include "job/watcher.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/clock.h"
#include "core/file.h"
#include "failing_folder.h"
#include "temp_folder.h"

#define PATIENCE 30 /* seconds, for a loaded machine */

static void make_file(const char *name, const char *text)
{
    assert_int_equal(skv_file_write(temp_path(name), text, strlen(text)), SKV_OK);
}

static bool is_there(const char *name)
{
    return access(temp_path(name), F_OK) == 0;
}

static bool comes_true(bool (*what)(void))
{
    const struct timespec nap = {.tv_nsec = 20000000};
    const double until = skv_seconds() + PATIENCE;

    while (!what() && skv_seconds() < until)
        nanosleep(&nap, NULL);
    return what();
}

static bool asked(void)
{
    return *skv_stop_flag() != 0;
}

static bool told(void)
{
    return is_there(".stop-job");
}

static bool never(void)
{
    return false;
}

/* What a child does; its exit status. */
typedef struct {
    skv_watcher_setup setup;
    skv_stop_reason ask; /* of itself */
    bool (*until)(void);
    const char *want; /* why it was asked, NULL: not looked at */
} rank;

static int run_rank(const rank *r)
{
    skv_watcher *w = NULL;
    char why[SKV_STOP_TEXT_BYTES];

    skv_stop_catch();
    if (skv_watcher_start(&w, &r->setup) != SKV_OK)
        return 1;
    if (r->ask)
        skv_stop_ask(r->ask);
    if (!comes_true(r->until))
        return 2;
    skv_watcher_why(w, why);
    skv_watcher_end(w);
    if (!r->want || strcmp(why, r->want) == 0)
        return 0;
    fprintf(stderr, "why: %s, want %s\n", why, r->want);
    return 3;
}

static pid_t start(const rank *r)
{
    const pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        _exit(run_rank(r));
    return pid;
}

static int end(pid_t pid)
{
    int status = 0;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static rank a_rank(const char *who)
{
    return (rank){.setup = {.run = temp_folder(), .job = "job", .who = who}, .until = asked};
}

static void one_rank_tells_the_others(void **state)
{
    rank teller = a_rank("rank 1 of 3 (here)"), listener = a_rank("rank 2 of 3 (there)");
    pid_t pid;

    (void)state;
    listener.want = "SIGUSR1 at rank 1 of 3 (here)";
    pid = start(&listener);
    teller.ask = SKV_STOP_USR1;
    teller.until = told;
    teller.want = listener.want;
    assert_int_equal(end(start(&teller)), 0);
    assert_int_equal(end(pid), 0);
    assert_true(told()); /* neither was the first rank, whose business that is */
}

static void a_file_stops_every_job_and_is_gone_at_the_next_start(void **state)
{
    rank r = a_rank("rank 0 of 1");

    (void)state;
    r.setup.first = true;
    r.want = "the file stop";
    make_file("stop", "");
    assert_int_equal(end(start(&r)), 0);
    assert_true(is_there("stop"));
    assert_false(told()); /* the job's own word went with it */
    assert_int_equal(skv_stop_words_sweep(temp_folder()), SKV_OK);
    assert_false(is_there("stop"));
}

static void another_jobs_word_is_not_heard_and_lives(void **state)
{
    rank r = a_rank("rank 0 of 2");

    (void)state;
    r.setup.first = true;
    make_file(".stop-other", "SIGTERM,rank 5\n");
    r.until = told;
    r.ask = SKV_STOP_HOURS;
    r.want = "--max-hours";
    assert_int_equal(end(start(&r)), 0);
    assert_true(is_there(".stop-other"));
}

static void words_of_dead_jobs_are_swept(void **state)
{
    const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

    (void)state;
    make_file(".stop-dead", "SIGTERM,rank 5\n");
    assert_int_equal(utimensat(AT_FDCWD, temp_path(".stop-dead"), old, 0), 0);
    make_file(".stop-job", "SIGTERM,rank 1\n");
    assert_int_equal(skv_stop_words_sweep(temp_folder()), SKV_OK);
    assert_false(is_there(".stop-dead"));
    assert_true(is_there(".stop-job"));
    failing_folder(2);
    assert_int_equal(skv_stop_words_sweep(temp_folder()), SKV_E_IO);
    failing_folder(-1);
}

static void hostile_words_are_heard_as_a_stop(void **state)
{
    rank r = a_rank("rank 0 of 2");

    (void)state;
    make_file(".stop-job", "\x1b[31m nothing known");
    r.want = "the file stop";
    assert_int_equal(end(start(&r)), 0);
}

static void speak(void *ctx, const char *why)
{
    FILE *f = fopen(temp_path("said"), "w");

    (void)ctx;
    if (f) {
        fputs(why, f);
        fclose(f);
    }
}

static void what_a_hurried_launcher_ends_leaves_at_once(void **state)
{
    rank r = a_rank("rank 0 of 2");

    (void)state;
    r.setup.hurried = true;
    r.setup.last_words = speak;
    r.ask = SKV_STOP_TERM;
    r.until = never;
    assert_int_equal(end(start(&r)), SKV_STOP_EXIT);
    assert_true(is_there("said"));
}

static void hours_that_are_over_end_the_process(void **state)
{
    rank r = a_rank("rank 0 of 2");

    (void)state;
    r.setup.seconds = 0.5;
    r.until = never;
    assert_int_equal(end(start(&r)), SKV_STOP_EXIT);
    assert_true(told());
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_rank_tells_the_others),
        CASE(a_file_stops_every_job_and_is_gone_at_the_next_start),
        CASE(another_jobs_word_is_not_heard_and_lives),
        CASE(words_of_dead_jobs_are_swept),
        CASE(hostile_words_are_heard_as_a_stop),
        CASE(what_a_hurried_launcher_ends_leaves_at_once),
        CASE(hours_that_are_over_end_the_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
