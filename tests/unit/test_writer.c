/* The writer's threads: what is put is on disk when finish returns, or finish says why not. */
#include "sample/writer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "temp_folder.h"

enum { ROWS = 3, SIDE = 8, BITS = 5, SCALES = 3 };

static const char *const phase_names[SKV_N_PHASES] = {"text", "transformer", "vae"};

static void *take(size_t n, size_t bytes)
{
    void *p = calloc(n, bytes);

    assert_non_null(p);
    return p;
}

/* Group g of one path: row 1 of it failed. */
static skv_result *result_of(int64_t g)
{
    skv_result *r = take(1, sizeof *r);

    r->id = take(ROWS, sizeof *r->id);
    r->id_list = take(ROWS, sizeof *r->id_list);
    r->given_id = take(ROWS, sizeof *r->given_id);
    r->negative = take(ROWS, sizeof *r->negative);
    r->offset = take(ROWS, sizeof *r->offset);
    r->prompt = take(ROWS, sizeof *r->prompt);
    r->prompt_used = take(ROWS, sizeof *r->prompt_used);
    r->error = take(ROWS, sizeof *r->error);
    r->row = take(ROWS, sizeof *r->row);
    r->sample = take(ROWS, sizeof *r->sample);
    r->tokens = take(ROWS, sizeof *r->tokens);
    r->status = take(ROWS, sizeof *r->status);
    r->seed = take(ROWS, sizeof *r->seed);
    r->truncated = take(ROWS, 1);
    r->bits = take(ROWS, BITS);
    r->image = take(ROWS, SIDE * SIDE * 3);
    r->bit_offset = take(SCALES + 1, sizeof *r->bit_offset);
    r->bit_offset[SCALES] = 8 * BITS;
    for (int i = 0; i < ROWS; i++) {
        r->row[i] = g * ROWS + i;
        snprintf(r->id[i], sizeof r->id[i], "r%d", (int)r->row[i]);
        r->id_list[i] = r->id[i];
        r->given_id[i] = "a/cat";
        r->negative[i] = "fur";
        r->prompt[i] = "a cat";
        r->prompt_used[i] = "a cat";
        r->error[i] = i == 1 ? "not finite: picture" : "";
        r->status[i] = i == 1 ? SKV_E_FORMAT : SKV_OK;
        r->seed[i] = (uint64_t)r->row[i];
    }
    for (size_t k = 0; k < (size_t)ROWS * SIDE * SIDE * 3; k++)
        r->image[k] = (uint8_t)(k * 7 + (size_t)g);
    r->rec = (skv_group_record){.path_name = "full",
                                .config_digest = "c",
                                .path_digest = "p",
                                .version = "1",
                                .budget = "{}",
                                .device = "CPU",
                                .group = g,
                                .n_rows = ROWS,
                                .n_scales = SCALES,
                                .n_layers = 1,
                                .n_heads = 1,
                                .height = SIDE,
                                .width = SIDE,
                                .row = r->row,
                                .id = r->id_list,
                                .given_id = r->given_id,
                                .negative = r->negative,
                                .offset = r->offset,
                                .prompt = r->prompt,
                                .prompt_used = r->prompt_used,
                                .sample = r->sample,
                                .seed = r->seed,
                                .tokens = r->tokens,
                                .truncated = r->truncated,
                                .status = r->status,
                                .error = r->error,
                                .bits = r->bits,
                                .bit_offset = r->bit_offset,
                                .bits_bytes = BITS,
                                .image = r->image,
                                .seconds = r->seconds,
                                .phase_names = phase_names,
                                .n_phases = SKV_N_PHASES};
    return r;
}

static int make_run(void **state)
{
    if (temp_folder_make(state) != 0)
        return -1;
    return skv_folder_make(temp_path("groups/full")) == SKV_OK &&
                   skv_folder_make(temp_path("images/full")) == SKV_OK
               ? 0
               : -1;
}

static bool is_there(const char *name)
{
    return access(temp_path(name), F_OK) == 0;
}

static bool group_is_there(int64_t g)
{
    char name[64];

    snprintf(name, sizeof name, "groups/full/%06d.h5", (int)g);
    return is_there(name);
}

static skv_writer *open_writer(const char *only, int png_threads)
{
    const skv_writer_setup setup = {.run = {.folder = temp_folder()},
                                    .store = {.bits = true, .image = true, .png = true},
                                    .png_threads = png_threads,
                                    .only_id = only};
    skv_writer *w = NULL;

    assert_int_equal(skv_writer_create(&w, &setup), SKV_OK);
    return w;
}

static void what_is_put_is_on_disk_when_finish_returns(void **state)
{
    const skv_run_place run = {.folder = temp_folder()};
    skv_writer *w = open_writer(NULL, 3);

    (void)state;
    for (int64_t g = 0; g < 9; g++)
        assert_int_equal(skv_writer_put(w, result_of(g)), SKV_OK);
    assert_int_equal(skv_writer_finish(w), SKV_OK);
    for (int64_t g = 0; g < 9; g++) {
        skv_result *meant = result_of(g);
        skv_group_record found;
        skv_run_name file;
        char name[64];

        assert_int_equal(skv_run_name_group(&file, &run, "full", g), SKV_OK);
        assert_int_equal(skv_group_file_read(&found, &file, SKV_GROUP_ALL), SKV_OK);
        assert_memory_equal(found.image, meant->image, (size_t)ROWS * SIDE * SIDE * 3);
        assert_int_equal(found.row[2], meant->row[2]);
        for (int i = 0; i < ROWS; i++) {
            snprintf(name, sizeof name, "images/full/%s.png", meant->id[i]);
            assert_int_equal(is_there(name), i != 1); /* a failed row has no picture */
        }
        skv_group_record_clear(&found);
        skv_result_destroy(meant);
    }
}

static void only_one_picture_and_no_group_file_where_one_id_is_asked_for(void **state)
{
    skv_writer *w = open_writer("r5", 1);

    (void)state;
    for (int64_t g = 0; g < 3; g++)
        assert_int_equal(skv_writer_put(w, result_of(g)), SKV_OK);
    assert_int_equal(skv_writer_finish(w), SKV_OK);
    assert_true(is_there("images/full/r5.png"));
    assert_false(is_there("images/full/r3.png"));
    assert_false(group_is_there(1));
}

static void the_first_failure_is_what_put_and_finish_return(void **state)
{
    skv_status st = SKV_OK;
    skv_writer *w;

    (void)state;
    assert_int_equal(rmdir(temp_path("groups/full")), 0);
    w = open_writer(NULL, 2);
    for (int64_t g = 0; g < 20 && st == SKV_OK; g++)
        st = skv_writer_put(w, result_of(g));
    assert_int_equal(st, SKV_E_KIND); /* at the third at the latest, since two are in flight */
    assert_int_equal(skv_writer_finish(w), SKV_E_KIND);
    assert_non_null(strstr(skv_message(), "groups/full/000000.h5"));
    assert_false(is_there("images/full/r0.png")); /* no picture without its group file */
}

typedef struct {
    skv_writer *writer;
    atomic_int n_put;
} putter;

static void *put_three(void *arg)
{
    putter *p = arg;

    for (int64_t g = 0; g < 3; g++) {
        if (skv_writer_put(p->writer, result_of(g)) != SKV_OK)
            return p;
        atomic_fetch_add(&p->n_put, 1);
    }
    return NULL;
}

/* While another thread has HDF5, nothing is written, and no more than two groups are taken. */
static void a_hold_stops_the_files_and_two_groups_fill_the_queue(void **state)
{
    const struct timespec moment = {0, 20000000};
    putter p = {.writer = open_writer(NULL, 1)};
    pthread_t thread;
    void *failed = NULL;

    (void)state;
    skv_writer_hold(p.writer);
    assert_int_equal(pthread_create(&thread, NULL, put_three, &p), 0);
    while (atomic_load(&p.n_put) < 2)
        nanosleep(&moment, NULL);
    for (int i = 0; i < 5; i++)
        nanosleep(&moment, NULL); /* a third that were taken would be taken by now */
    assert_int_equal(atomic_load(&p.n_put), 2);
    assert_false(group_is_there(0));
    skv_writer_release(p.writer);
    pthread_join(thread, &failed);
    assert_null(failed);
    assert_int_equal(skv_writer_finish(p.writer), SKV_OK);
    assert_true(group_is_there(0) && group_is_there(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_put_is_on_disk_when_finish_returns, make_run,
                                        temp_folder_remove),
        cmocka_unit_test_setup_teardown(
            only_one_picture_and_no_group_file_where_one_id_is_asked_for, make_run,
            temp_folder_remove),
        cmocka_unit_test_setup_teardown(the_first_failure_is_what_put_and_finish_return, make_run,
                                        temp_folder_remove),
        cmocka_unit_test_setup_teardown(a_hold_stops_the_files_and_two_groups_fill_the_queue,
                                        make_run, temp_folder_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
