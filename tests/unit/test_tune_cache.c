/* The choices that runs share, and the notes of what is tried. */
#include "sample/tune_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "core/log.h"
#include "temp_folder.h"

static skv_backend *be;
static char *folder;

static int open_world(void **state)
{
    if (temp_folder_make(state) != 0 || skv_backend_open_cpu(&be, 1) != SKV_OK)
        return 1;
    setenv("SKV_CACHE", temp_folder(), 1);
    return skv_tune_cache_folder(&folder, skv_backend_describe(be)) != SKV_OK;
}

static int close_world(void **state)
{
    skv_backend_destroy(be);
    be = NULL;
    free(folder);
    folder = NULL;
    return temp_folder_remove(state);
}

static skv_tune_cache *opened(void)
{
    skv_tune_cache *c = NULL;

    assert_int_equal(skv_tune_cache_open(&c, be), SKV_OK);
    return c;
}

/* As a run that has measured this much. */
static void measure(const char *key, const char *choice)
{
    be->tuning.measuring = true;
    assert_int_equal(skv_tuning_set(&be->tuning, key, choice), SKV_OK);
    be->tuning.measuring = false;
}

static void forget(void)
{
    skv_tuning_clear(&be->tuning);
}

static const char *found(const char *key)
{
    return skv_tuning_find(&be->tuning, key);
}

static void the_environment_names_the_folder(void **state)
{
    char *out = NULL;

    (void)state;
    assert_int_equal(strncmp(folder, temp_folder(), strlen(temp_folder())), 0);
    unsetenv("SKV_CACHE");
    setenv("XDG_CACHE_HOME", "/x", 1);
    assert_int_equal(skv_tune_cache_folder(&out, "gpu"), SKV_OK);
    assert_int_equal(strncmp(out, "/x/skv/tune/", 12), 0);
    free(out);
    unsetenv("XDG_CACHE_HOME");
    setenv("HOME", "/h", 1);
    assert_int_equal(skv_tune_cache_folder(&out, "gpu"), SKV_OK);
    assert_int_equal(strncmp(out, "/h/.cache/skv/tune/", 19), 0);
    free(out);
    unsetenv("HOME");
    assert_int_equal(skv_tune_cache_folder(&out, "gpu"), SKV_OK);
    assert_null(out);
    assert_int_equal(skv_tune_cache_close(opened(), SKV_OK), SKV_OK);
}

static void devices_have_folders_of_their_own(void **state)
{
    char *other = NULL;

    (void)state;
    assert_int_equal(skv_tune_cache_folder(&other, "another"), SKV_OK);
    assert_string_not_equal(folder, other);
    free(other);
}

/* Each opened the folder before the other wrote. */
static void two_runs_at_once_lose_nothing(void **state)
{
    skv_tune_cache *first = opened(), *second = opened();

    (void)state;
    measure("a", "id=1");
    assert_int_equal(skv_tune_cache_close(first, SKV_OK), SKV_OK);
    forget();
    measure("b", "id=2");
    assert_int_equal(skv_tune_cache_close(second, SKV_OK), SKV_OK);
    assert_int_equal(skv_tune_cache_count(folder), 2);
    forget();
    first = opened();
    assert_string_equal(found("a"), "id=1");
    assert_string_equal(found("b"), "id=2");
    assert_int_equal(skv_tuning_measured(&be->tuning), 0);
    assert_int_equal(skv_tune_cache_close(first, SKV_OK), SKV_OK);
    assert_int_equal(skv_tune_cache_count(folder), 2); /* nothing new, nothing written */
}

/* The same bytes under another name, and half a file under its own. */
static void damaged_files_are_passed_over(void **state)
{
    char command[4096];
    skv_tune_cache *c = opened();

    (void)state;
    measure("a", "id=1");
    assert_int_equal(skv_tune_cache_close(c, SKV_OK), SKV_OK);
    forget();
    measure("b", "id=2");
    assert_int_equal(skv_tune_cache_close(opened(), SKV_OK), SKV_OK);
    forget();
    snprintf(command, sizeof command,
             "cd '%s' && for f in *.json; do grep -q id=1 $f && mv $f foreign.json || "
             "truncate -s -3 $f; done",
             folder);
    assert_int_equal(system(command), 0);
    c = opened();
    assert_null(found("a"));
    assert_null(found("b"));
    measure("b", "id=2");
    assert_int_equal(skv_tune_cache_close(c, SKV_OK), SKV_OK); /* and mends it */
    forget();
    c = opened();
    assert_string_equal(found("b"), "id=2");
    assert_int_equal(skv_tune_cache_close(c, SKV_OK), SKV_OK);
}

static void what_was_measured_before_a_stop_is_kept(void **state)
{
    skv_tune_cache *c = opened();

    (void)state;
    measure("a", "id=1");
    (void)skv_fail(SKV_E_STOPPED, "stopped by TERM");
    assert_int_equal(skv_tune_cache_close(c, SKV_E_STOPPED), SKV_E_STOPPED);
    assert_string_equal(skv_message(), "stopped by TERM");
    assert_int_equal(skv_tune_cache_count(folder), 1);
}

static void a_folder_that_cannot_be_made_costs_a_warning(void **state)
{
    char file[4096];
    skv_tune_cache *c;

    (void)state;
    snprintf(file, sizeof file, "%s/file", temp_folder());
    assert_int_equal(skv_file_write(file, "x", 1), SKV_OK);
    setenv("SKV_CACHE", file, 1);
    c = opened();
    measure("a", "id=1");
    (void)skv_fail(SKV_E_STOPPED, "stopped by TERM");
    assert_int_equal(skv_tune_cache_close(c, SKV_E_STOPPED), SKV_E_STOPPED);
    assert_string_equal(skv_message(), "stopped by TERM");
}

/* A child that ends in the middle, as one whose library crashes. */
static void die_while_trying(skv_status st, bool closes)
{
    const pid_t child = fork();
    int status = 0;

    if (child == 0) {
        skv_tune_cache *c = NULL;

        if (skv_tune_cache_open(&c, be) != SKV_OK)
            _exit(1);
        (void)skv_tuning_try(&be->tuning, "a longer key", "id=1");
        (void)skv_tuning_try(&be->tuning, "a", "id=2");
        if (closes)
            (void)skv_tune_cache_close(c, st);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_candidate_that_ended_its_process_is_left_out(void **state)
{
    skv_tune_cache *c;

    (void)state;
    die_while_trying(SKV_OK, false);
    c = opened();
    assert_false(skv_tuning_try(&be->tuning, "a", "id=2"));
    assert_true(skv_tuning_try(&be->tuning, "a", "id=1"));
    assert_true(skv_tuning_try(&be->tuning, "a longer key", "id=1"));
    assert_int_equal(skv_tune_cache_close(c, SKV_OK), SKV_OK);
    forget();
    c = opened(); /* the dead one's note stays, this process's is gone */
    assert_int_equal(be->tuning.n_skipped, 1);
    assert_int_equal(skv_tune_cache_close(c, SKV_OK), SKV_OK);
}

static void a_candidate_that_killed_the_gpu_is_left_out(void **state)
{
    skv_tune_cache *c;

    (void)state;
    die_while_trying(SKV_E_STOPPED, true);
    c = opened();
    assert_int_equal(be->tuning.n_skipped, 0);
    assert_int_equal(skv_tune_cache_close(c, SKV_OK), SKV_OK);
    die_while_trying(SKV_E_CUDA, true);
    c = opened();
    assert_false(skv_tuning_try(&be->tuning, "a", "id=2"));
    assert_int_equal(skv_tune_cache_close(c, SKV_OK), SKV_OK);
}

static void a_living_process_may_try_what_it_tries(void **state)
{
    skv_tune_cache *trying = opened(), *other;

    (void)state;
    assert_true(skv_tuning_try(&be->tuning, "a", "id=1"));
    other = opened();
    assert_true(skv_tuning_try(&be->tuning, "a", "id=1"));
    assert_int_equal(skv_tune_cache_close(other, SKV_OK), SKV_OK);
    assert_int_equal(skv_tune_cache_close(trying, SKV_OK), SKV_OK);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(devices_have_folders_of_their_own),
        CASE(two_runs_at_once_lose_nothing),
        CASE(damaged_files_are_passed_over),
        CASE(what_was_measured_before_a_stop_is_kept),
        CASE(a_folder_that_cannot_be_made_costs_a_warning),
        CASE(a_candidate_that_ended_its_process_is_left_out),
        CASE(a_candidate_that_killed_the_gpu_is_left_out),
        CASE(a_living_process_may_try_what_it_tries),
        CASE(the_environment_names_the_folder), /* leaves none */
    };

    skv_log_setup(SKV_LOG_ERROR, "");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
