#include "run/run_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "core/process.h"
#include "run/run_growth.h"
#include "run/run_index.h"
#include "run/run_lock.h"
#include "failing_folder.h"
#include "failing_open.h"
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

static skv_segments segments;

static void rows_of(int64_t n)
{
    segments = skv_segments_none(2);
    assert_int_equal(skv_segments_grow(&segments, n, 1), SKV_OK);
}

static skv_run_plan plan_of(json_t *common)
{
    rows_of(2);
    return (skv_run_plan){.common = common,
                          .digest = "0123456789abcdef0123456789abcdef",
                          .path = &full,
                          .n_paths = 1,
                          .segments = &segments,
                          .settings = common,
                          .device = "CPU",
                          .image = true,
                          .png = true,
                          .row_id = row_id};
}

/* What may change in a run as it grows, as it is now. */
static json_t *growing_part(const char *run)
{
    char file[256];
    json_t *root = NULL, *part = NULL;

    snprintf(file, sizeof file, "%s/run.json", run);
    if (skv_json_read(&root, file) == SKV_OK)
        assert_int_equal(skv_run_growing_part(&part, json_object_get(root, "common"),
                                              json_object_get(root, SKV_SEGMENTS)),
                         SKV_OK);
    json_decref(root);
    return part;
}

static bool is_unseen; /* what became of the run since this job looked at it */

/* A plan of n rows in groups of two, where a folder of more than flat_max entries is divided. */
static skv_status open_plan(skv_by_hundred *divided, const char *run, int64_t n, int64_t flat_max)
{
    json_t *common = json_pack("{s:s, s:s}", "model", "m", SKV_RUN_RANDOM, "132:2048");
    skv_run_plan_path path = full;
    skv_run_plan plan = plan_of(common);
    skv_claims *claims = NULL;
    json_t *as_seen;
    skv_status st;

    path.report = common;
    plan.path = &path;
    rows_of(n);
    plan.flat_max = flat_max;
    plan.grown_from = as_seen = is_unseen ? NULL : growing_part(run);
    st = skv_run_folder_open(&claims, divided, run, &plan);
    if (st == SKV_OK)
        skv_run_lock_release(claims);
    skv_run_folder_leave(claims);
    skv_claims_close(claims);
    json_decref(as_seen);
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

/* The name of a process that has ended. */
static void dead_process(char out[SKV_PROCESS_BYTES])
{
    int names[2];
    pid_t child;

    assert_int_equal(pipe(names), 0);
    child = fork();
    if (child == 0) {
        skv_process_name(out);
        _exit(write(names[1], out, SKV_PROCESS_BYTES) == SKV_PROCESS_BYTES ? 0 : 1);
    }
    assert_int_equal(read(names[0], out, SKV_PROCESS_BYTES), SKV_PROCESS_BYTES);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(names[0]);
    close(names[1]);
}

static void put_aside(const char *name, const char *process)
{
    char path[256];

    snprintf(path, sizeof path, "%s.%s.tmp", name, process);
    assert_int_equal(skv_file_write(temp_path(path), "x", 1), SKV_OK);
}

static int has_aside(const char *name, const char *process)
{
    char path[256];

    snprintf(path, sizeof path, "%s.%s.tmp", name, process);
    return is_there(path);
}

static void left_overs_of_dead_writers_go_and_those_of_living_ones_stay(void **state)
{
    static const char *const left[] = {"run.h5",
                                       "metrics.h5",
                                       "run.json",
                                       "groups/full/000000.h5",
                                       "images/old/x.png",
                                       "groups/full/0012/001234.h5",
                                       "images/old/0000/y.png"};
    static const char stranger[] = "0123456789ab-17-99"; /* of another host, no heartbeat */
    static const char living[] = "0123456789ab-16-99";
    char dead[SKV_PROCESS_BYTES];

    (void)state;
    dead_process(dead);
    assert_int_equal(mkdir(temp_path("claims"), 0777), 0);
    assert_int_equal(skv_file_write(temp_path("claims/0123456789ab-16-99.alive"), "x", 1), SKV_OK);
    assert_int_equal(skv_folder_make(temp_path("groups/full/0012")), SKV_OK);
    assert_int_equal(skv_folder_make(temp_path("images/old/0000")), SKV_OK);
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        put_aside(left[i], dead);
        put_aside(left[i], living);
        put_aside(left[i], stranger);
    }
    assert_int_equal(skv_file_write(temp_path("groups/full/000000.h5"), "x", 1), SKV_OK);
    assert_int_equal(open_run(temp_folder()), SKV_OK);
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
        assert_false(has_aside(left[i], dead));
        assert_true(has_aside(left[i], living));
        assert_true(has_aside(left[i], stranger));
    }
    assert_true(is_there("groups/full/000000.h5"));
}

static void a_strangers_left_overs_go_with_an_old_heartbeat_or_after_a_day(void **state)
{
    static const char silent[] = "0123456789ab-17-99", unknown[] = "0123456789ab-18-99";
    struct timespec old[2] = {{.tv_nsec = UTIME_OMIT}};
    char path[256];

    (void)state;
    put_aside("run.h5", silent);
    put_aside("run.h5", unknown);
    assert_int_equal(mkdir(temp_path("claims"), 0777), 0);
    snprintf(path, sizeof path, "claims/%s.alive", silent);
    assert_int_equal(skv_file_write(temp_path(path), "x", 1), SKV_OK);
    old[1].tv_sec = time(NULL) - 100;
    assert_int_equal(utimensat(AT_FDCWD, temp_path(path), old, 0), 0);
    assert_int_equal(open_run(temp_folder()), SKV_OK);
    assert_false(has_aside("run.h5", silent));
    assert_true(has_aside("run.h5", unknown));
    old[1].tv_sec = time(NULL) - 100000;
    snprintf(path, sizeof path, "run.h5.%s.tmp", unknown);
    assert_int_equal(utimensat(AT_FDCWD, temp_path(path), old, 0), 0);
    assert_int_equal(unlink(temp_path("run.json")), 0); /* its digest is none */
    assert_int_equal(open_run(temp_folder()), SKV_OK);
    assert_false(has_aside("run.h5", unknown));
    assert_false(is_there("claims")); /* nobody is left */
}

/* What an evaluation needs: not the folders below, which may be many. */
static void a_sweep_of_the_run_alone_is_of_its_own_folder_and_claims(void **state)
{
    char dead[SKV_PROCESS_BYTES], line[SKV_PROCESS_BYTES + 1];
    skv_claims *c = NULL;

    (void)state;
    dead_process(dead);
    snprintf(line, sizeof line, "%s\n", dead);
    assert_int_equal(skv_folder_make(temp_path("groups/full")), SKV_OK);
    put_aside("metrics.h5", dead);
    put_aside("groups/full/000000.h5", dead);
    assert_int_equal(skv_run_claims_open(&c, temp_folder()), SKV_OK);
    assert_int_equal(skv_file_write(temp_path("claims/metrics"), line, strlen(line)), SKV_OK);
    assert_int_equal(skv_run_sweep(c, temp_folder()), SKV_OK);
    assert_false(has_aside("metrics.h5", dead));
    assert_false(is_there("claims/metrics"));
    assert_true(has_aside("groups/full/000000.h5", dead));
    for (int n = 0; n < 4; n++) {
        failing_folder(n);
        assert_int_equal(skv_run_sweep(c, temp_folder()), SKV_E_IO);
    }
    failing_folder(-1);
    skv_claims_close(c);
}

/* A list that breaks off is said, whichever folder's it is. */
static void a_lock_is_not_taken_where_left_overs_cannot_be_looked_for(void **state)
{
    skv_claims *c = NULL;

    (void)state;
    assert_int_equal(skv_folder_make(temp_path("images/full")), SKV_OK);
    assert_int_equal(skv_run_claims_open(&c, temp_folder()), SKV_OK);
    for (int n = 0; n < 4; n++) {
        failing_folder(n);
        assert_int_equal(skv_run_lock_take(c, temp_folder(), 0, NULL), SKV_E_IO);
        assert_false(is_there("claims/folder"));
    }
    failing_folder(-1);
    assert_int_equal(skv_run_lock_take(c, temp_folder(), 0, NULL), SKV_OK);
    skv_run_lock_release(c);
    skv_claims_close(c);
}

static void links_inside_a_run_are_refused_and_the_run_itself_may_be_one(void **state)
{
    static const char *const names[] = {"groups",      "images",   "groups/full",
                                        "images/full", "run.json", "claims"};
    char run[64], path[128];

    (void)state;
    assert_int_equal(skv_folder_make(temp_path("out")), SKV_OK);
    assert_int_equal(skv_file_write(temp_path("out/precious.0123456789ab-1-1.tmp"), "x", 1),
                     SKV_OK);
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
    assert_true(is_there("out/precious.0123456789ab-1-1.tmp"));
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

static void a_run_of_other_random_numbers_is_refused_by_that_name(void **state)
{
    static const char text[] = "{\"common\": {\"model\": \"m\"}, \"paths\": {}}";

    (void)state;
    assert_int_equal(skv_file_write(temp_path("run.json"), text, strlen(text)), SKV_OK);
    assert_int_equal(open_run(temp_folder()), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "run.json was begun by an older version of skv, which "
                                          "drew other random numbers"));
}

static void a_fifo_in_place_of_a_file_is_refused_at_once(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(temp_path("run.json"), 0600), 0);
    assert_int_equal(open_run(temp_folder()), SKV_E_KIND);
    assert_non_null(strstr(skv_message(), "run.json"));
    assert_int_equal(mkdir(temp_path("other"), 0777), 0);
    assert_int_equal(mkdir(temp_path("other/claims"), 0777), 0);
    assert_int_equal(mkfifo(temp_path("other/claims/folder"), 0600), 0);
    assert_int_equal(open_run(temp_path("other")), SKV_E_KIND);
    assert_non_null(strstr(skv_message(), "claims/folder"));
}

static void a_folder_of_many_entries_is_divided_and_stays_so(void **state)
{
    static const char old[] =
        "{\"common\": {\"model\": \"m\", \"torch_gpu\": \"132:2048\"}, \"paths\": {}}";
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

static void a_run_that_grew_since_it_was_looked_at_is_refused(void **state)
{
    skv_by_hundred divided;

    (void)state;
    assert_int_equal(open_plan(&divided, temp_folder(), 2, 9), SKV_OK);
    is_unseen = true;
    assert_int_equal(open_plan(&divided, temp_folder(), 4, 9), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "since this one looked at it"));
    assert_int_equal(open_plan(&divided, temp_folder(), 2, 9), SKV_OK); /* as it is */
    is_unseen = false;
    assert_int_equal(open_plan(&divided, temp_folder(), 4, 9), SKV_OK);
    assert_int_equal(open_plan(&divided, temp_folder(), 4, 9), SKV_OK);
}

/* Each group is looked at by one rank, and pieces of the index go round the ranks. */
static void a_scan_is_shared_by_the_ranks(void **state)
{
    enum { GROUPS = 2 * SKV_INDEX_PIECE + 500 };
    static uint8_t work[2][GROUPS];
    const skv_run_place place = {.folder = temp_folder()};
    skv_run_plan plan = plan_of(NULL);

    (void)state;
    rows_of((int64_t)2 * GROUPS);
    assert_int_equal(segments.n_groups, GROUPS);
    for (int rank = 0; rank < 2; rank++)
        assert_int_equal(skv_run_folder_scan(work[rank], &place, &plan, rank, 2), SKV_OK);
    for (int g = 0; g < GROUPS; g++) {
        const int rank = g / SKV_INDEX_PIECE % 2;

        assert_int_equal(work[rank][g], SKV_WORK_COMPUTE);
        assert_int_equal(work[1 - rank][g], 0);
    }
}

/* What cannot be opened at the moment is neither another run nor a damaged list. */
static void what_cannot_be_opened_is_not_missing(void **state)
{
    const skv_prompt_facts facts = {.n_prompts = 2};
    const skv_run_wish wish = {
        .run = temp_folder(), .list = "prompts.txt", .facts = &facts, .samples = 1};
    skv_run_begun begun;
    json_t *part = NULL;

    (void)state;
    assert_int_equal(skv_run_begun_read(&begun, &part, temp_folder()), SKV_OK);
    assert_false(begun.there);
    failing_open("run.json");
    assert_int_equal(skv_run_begun_read(&begun, &part, temp_folder()), SKV_E_IO);
    begun = (skv_run_begun){.there = true, .segments = {.n_prompts = 2, .n_samples = 1}};
    assert_int_equal(skv_run_grow(&begun, &wish), SKV_E_ARG);
    failing_open("rows.h5");
    assert_int_equal(skv_run_grow(&begun, &wish), SKV_E_IO);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(left_overs_of_dead_writers_go_and_those_of_living_ones_stay),
        CASE(a_strangers_left_overs_go_with_an_old_heartbeat_or_after_a_day),
        CASE(a_sweep_of_the_run_alone_is_of_its_own_folder_and_claims),
        CASE(a_lock_is_not_taken_where_left_overs_cannot_be_looked_for),
        CASE(links_inside_a_run_are_refused_and_the_run_itself_may_be_one),
        CASE(a_path_name_that_leads_elsewhere_is_refused),
        CASE(a_run_of_other_random_numbers_is_refused_by_that_name),
        CASE(a_fifo_in_place_of_a_file_is_refused_at_once),
        CASE(a_folder_of_many_entries_is_divided_and_stays_so),
        CASE(a_run_that_grew_since_it_was_looked_at_is_refused),
        CASE(a_scan_is_shared_by_the_ranks),
        CASE(what_cannot_be_opened_is_not_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
