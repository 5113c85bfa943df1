#include "run/run_folder.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/clock.h"
#include "core/file.h"
#include "run/run_lock.h"
#include "temp_folder.h"

/* Two rows, r0 and r1, in one group of path "full". */
static skv_status row_id(void *rows, int64_t row, char *id, size_t bytes, bool *sampled)
{
    (void)rows;
    snprintf(id, bytes, "r%d", (int)row);
    *sampled = true;
    return SKV_OK;
}

static const skv_run_plan_path full = {.name = "full", .digest = "p", .reference = true};

static skv_run_plan plan_of(json_t *common)
{
    return (skv_run_plan){.common = common,
                          .digest = "0123456789abcdef0123456789abcdef",
                          .path = &full,
                          .n_paths = 1,
                          .n_rows = 2,
                          .n_groups = 1,
                          .group_size = 2,
                          .settings = common,
                          .device = "CPU",
                          .image = true,
                          .png = true,
                          .row_id = row_id};
}

/* A plan of n rows in groups of two, where a folder of more than flat_max entries is divided. */
static skv_status open_plan(skv_by_hundred *divided, const char *run, int64_t n, int64_t flat_max)
{
    json_t *common = json_pack("{s:s}", "model", "m");
    skv_run_plan_path path = full;
    skv_run_plan plan = plan_of(common);
    skv_status st;

    path.report = common;
    plan.path = &path;
    plan.n_rows = n;
    plan.n_groups = (n + 1) / 2;
    plan.flat_max = flat_max;
    st = skv_run_folder_open(divided, run, &plan);
    json_decref(common);
    return st;
}

static skv_status open_run(const char *run)
{
    skv_by_hundred divided;

    return open_plan(&divided, run, 2, SKV_FLAT_MAX);
}

static int is_there(const char *name)
{
    struct stat info;

    return lstat(temp_path(name), &info) == 0;
}

/* A process that holds the lock for some time. */
static pid_t hold_lock(const char *run, int milliseconds)
{
    const struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    int ready[2];
    char byte;
    pid_t child;

    assert_int_equal(pipe(ready), 0);
    child = fork();
    if (child == 0) {
        int fd;

        if (skv_run_lock_take(&fd, run, 0, NULL) != SKV_OK || write(ready[1], "x", 1) != 1)
            _exit(1);
        nanosleep(&time, NULL);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void the_lock_is_waited_for_and_then_taken(void **state)
{
    pid_t child;
    int fd = -1, status = 1;

    (void)state;
    child = hold_lock(temp_folder(), 300);
    assert_int_equal(skv_run_lock_take(&fd, temp_folder(), 30, NULL), SKV_OK);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    skv_run_lock_release(fd);
}

static void a_lock_that_stays_is_refused_naming_its_holder(void **state)
{
    char holder[64];
    pid_t child;
    int fd = -1;

    (void)state;
    child = hold_lock(temp_folder(), 60000);
    assert_int_equal(skv_run_lock_take(&fd, temp_folder(), 0, NULL), SKV_E_IO);
    snprintf(holder, sizeof holder, "process %ld on ", (long)child);
    assert_non_null(strstr(skv_message(), holder));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static volatile sig_atomic_t stop;

static void ask(int number)
{
    (void)number;
    stop = 1;
}

static void a_stop_ends_the_wait_at_once(void **state)
{
    struct sigaction a = {.sa_handler = ask};
    pid_t child;
    double start;
    int fd = -1;

    (void)state;
    child = hold_lock(temp_folder(), 60000);
    sigaction(SIGALRM, &a, NULL);
    alarm(1);
    start = skv_seconds();
    assert_int_equal(skv_run_lock_take(&fd, temp_folder(), 30, &stop), SKV_E_STOPPED);
    assert_true(skv_seconds() - start < 20);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void left_overs_of_dead_writers_go_when_the_lock_is_taken(void **state)
{
    static const char *const left[] = {"run.h5.1.tmp",
                                       "metrics.h5.2.tmp",
                                       "run.json.3.tmp",
                                       "groups/full/000000.h5.4.tmp",
                                       "images/old/x.png.5.tmp",
                                       "groups/full/0012/001234.h5.6.tmp",
                                       "images/old/0000/y.png.7.tmp"};

    (void)state;
    assert_int_equal(skv_folder_make(temp_path("groups/full/0012")), SKV_OK);
    assert_int_equal(skv_folder_make(temp_path("images/old/0000")), SKV_OK);
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++)
        assert_int_equal(skv_file_write(temp_path(left[i]), "x", 1), SKV_OK);
    assert_int_equal(skv_file_write(temp_path("groups/full/000000.h5"), "x", 1), SKV_OK);
    assert_int_equal(open_run(temp_folder()), SKV_OK);
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++)
        assert_false(is_there(left[i]));
    assert_true(is_there("groups/full/000000.h5"));
}

static void links_inside_a_run_are_refused_and_the_run_itself_may_be_one(void **state)
{
    static const char *const names[] = {"groups", "images", "groups/full", "images/full",
                                        "run.json"};
    char run[64], path[128];

    (void)state;
    assert_int_equal(skv_folder_make(temp_path("out")), SKV_OK);
    assert_int_equal(skv_file_write(temp_path("out/precious.1.tmp"), "x", 1), SKV_OK);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(run, sizeof run, "run%zu", i);
        snprintf(path, sizeof path, "%s/groups", run);
        assert_int_equal(skv_folder_make(temp_path(strchr(names[i], '/') ? path : run)), SKV_OK);
        snprintf(path, sizeof path, "%s/images", run);
        if (strchr(names[i], '/'))
            assert_int_equal(skv_folder_make(temp_path(path)), SKV_OK);
        snprintf(path, sizeof path, "%s/%s", run, names[i]);
        assert_int_equal(symlink(temp_path("out"), temp_path(path)), 0);
        assert_int_not_equal(open_run(temp_path(run)), SKV_OK);
        assert_non_null(strstr(skv_message(), run));
    }
    assert_true(is_there("out/precious.1.tmp"));
    assert_int_equal(rmdir(temp_path("out/full")), -1); /* nothing was made there */
    assert_int_equal(symlink(temp_path("out"), temp_path("link")), 0);
    assert_int_equal(open_run(temp_path("link")), SKV_OK);
    assert_true(is_there("out/run.json"));
}

static void a_path_name_that_leads_elsewhere_is_refused(void **state)
{
    static const char text[] = "{\"common\":{\"model\":\"m\"},\"device\":\"CPU\","
                               "\"paths\":{\"../../evil\":{}}}";

    (void)state;
    assert_int_equal(skv_file_write(temp_path("run.json"), text, strlen(text)), SKV_OK);
    assert_int_equal(open_run(temp_folder()), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "../../evil"));
}

static void a_fifo_in_place_of_a_file_is_refused_at_once(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(temp_path("run.json"), 0600), 0);
    assert_int_equal(open_run(temp_folder()), SKV_E_KIND);
    assert_non_null(strstr(skv_message(), "run.json"));
    assert_int_equal(mkdir(temp_path("other"), 0777), 0);
    assert_int_equal(mkfifo(temp_path("other/.lock"), 0600), 0);
    assert_int_equal(open_run(temp_path("other")), SKV_E_KIND);
    assert_non_null(strstr(skv_message(), ".lock"));
}

static void a_folder_of_many_entries_is_divided_and_stays_so(void **state)
{
    static const char old[] = "{\"common\": {\"model\": \"m\"}, \"paths\": {}}";
    skv_by_hundred divided;

    (void)state;
    assert_int_equal(open_plan(&divided, temp_path("few"), 4, 4), SKV_OK);
    assert_true(!divided.groups && !divided.images);
    assert_int_equal(open_plan(&divided, temp_path("some"), 5, 4), SKV_OK);
    assert_true(!divided.groups && divided.images);
    assert_int_equal(open_plan(&divided, temp_path("many"), 9, 4), SKV_OK);
    assert_true(divided.groups && divided.images);
    /* a run that grows keeps its form, as does one from before there was a choice */
    assert_int_equal(open_plan(&divided, temp_path("some"), 99, 4), SKV_OK);
    assert_true(!divided.groups && divided.images);
    assert_int_equal(skv_folder_make(temp_path("old")), SKV_OK);
    assert_int_equal(skv_file_write(temp_path("old/run.json"), old, strlen(old)), SKV_OK);
    assert_int_equal(open_plan(&divided, temp_path("old"), 99, 4), SKV_OK);
    assert_true(!divided.groups && !divided.images);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(the_lock_is_waited_for_and_then_taken),
        CASE(a_lock_that_stays_is_refused_naming_its_holder),
        CASE(a_stop_ends_the_wait_at_once),
        CASE(left_overs_of_dead_writers_go_when_the_lock_is_taken),
        CASE(links_inside_a_run_are_refused_and_the_run_itself_may_be_one),
        CASE(a_path_name_that_leads_elsewhere_is_refused),
        CASE(a_fifo_in_place_of_a_file_is_refused_at_once),
        CASE(a_folder_of_many_entries_is_divided_and_stays_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
