/* A partial gather: run.h5 of the groups that are there. */
#include "run/gather.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "core/log.h"
#include "run/prompt_table.h"
#include "run/run_file.h"
#include "run/run_summary.h"
#include "run/schema.h"
#include "temp_folder.h"
#include "write_groups.h"

#define N       TEST_GROUPS_ROWS
#define MISSING SKV_ROW_MISSING
#define MANY    ((size_t)1 << 20)

static const char *const ids[N] = {"a", "b", "c", "d", "e"};

/* The groups' prompts, c without an id of its own. */
static void write_rows(void)
{
    const skv_prompt_facts facts = {.n_prompts = N, .index_digits = 5};
    skv_prompt_table *t = NULL;

    assert_int_equal(skv_prompt_table_create(&t, "prompts"), SKV_OK);
    for (int i = 0; i < N; i++) {
        assert_int_equal(skv_prompt_table_add(t, SKV_LIST_TEXT, i, "a prompt", 9), SKV_OK);
        if (i != 2)
            assert_int_equal(skv_prompt_table_add(t, SKV_LIST_ID, i, ids[i], 2), SKV_OK);
    }
    assert_int_equal(
        skv_prompt_table_save(t, temp_folder(), "0123456789abcdef0123456789abcdef", &facts),
        SKV_OK);
    skv_prompt_table_destroy(t);
}

static void write_all(void)
{
    write_groups();
    write_rows();
}

static void lose(int path, int group)
{
    assert_int_equal(unlink(group_name(path, group)), 0);
}

static skv_status gather(bool partial, int64_t *n_failed)
{
    const skv_gather_setup setup = {.run = temp_folder(), .partial = partial, .size = 1};
    skv_gather *g = NULL;
    skv_status st = skv_gather_open(&g, &setup);

    if (st == SKV_OK)
        st = skv_gather_look(g);
    if (st == SKV_OK)
        st = skv_gather_check(g);
    if (st == SKV_OK)
        st = skv_gather_write(g, n_failed);
    skv_gather_close(g);
    return st;
}

/* run.h5 says `partial`, and only whoever asks for a partial one gets it. */
static skv_run_file open_partial(const char *partial)
{
    skv_run_file run;

    assert_int_equal(skv_run_file_open(&run, temp_folder()), SKV_E_NOTFOUND);
    assert_non_null(strstr(skv_message(), partial));
    assert_non_null(strstr(skv_message(), "skv gather "));
    skv_run_file_close(&run);
    assert_int_equal(skv_run_file_open_partial(&run, temp_folder()), SKV_OK);
    assert_string_equal(run.partial, partial);
    assert_int_equal(run.n, N);
    return run;
}

static void assert_statuses(const skv_run_file *run, const int32_t want[N])
{
    int64_t n_missing = 0;

    for (int i = 0; i < N; i++) {
        assert_int_equal(run->status[i], want[i]);
        n_missing += want[i] == MISSING;
    }
    assert_int_equal(run->n_missing, n_missing);
}

/* A row that a path has, whether or not another one lacks it; of one that it lacks zeros. */
static void assert_row(const skv_run_file *run, int path, int row, bool there)
{
    uint8_t bits[TEST_GROUPS_BITS];
    skv_picture picture;

    assert_int_equal(skv_run_file_bits(bits, run, path, row), SKV_OK);
    for (int k = 0; k < TEST_GROUPS_BITS; k++)
        assert_int_equal(bits[k], there ? group_bits_byte(path, row, k) : 0);
    if (!there) {
        assert_int_equal(skv_run_file_picture(&picture, run, path, row), SKV_E_FORMAT);
        return;
    }
    assert_int_equal(skv_run_file_picture(&picture, run, path, row), SKV_OK);
    for (int k = 0; k < TEST_GROUPS_SIDES; k++)
        assert_int_equal(picture.rgb[k], group_image_byte(path, row, k));
    free(picture.rgb);
}

static void rows_of_groups_that_a_path_lacks_are_missing(void **state)
{
    skv_run_file run;
    int64_t n_failed = -1;

    (void)state;
    write_all();
    lose(0, 1);
    lose(1, 2);
    assert_int_equal(gather(true, &n_failed), SKV_OK);
    assert_int_equal(n_failed, 0);
    run = open_partial("2 of 5 rows; path full lacks 2, path scalekv-10 lacks 1");
    assert_statuses(&run, (int32_t[]){0, 0, MISSING, MISSING, MISSING});
    for (int i = 0; i < N; i++) {
        assert_row(&run, 0, i, i < 2 || i > 3);
        assert_row(&run, 1, i, i < 4);
        assert_string_equal(run.id[i], i == 2 ? "00002" : ids[i]);
        assert_string_equal(run.prompt[i], "a prompt");
    }
    assert_string_equal(run.error[1], "");
    assert_string_equal(run.error[3], "its group is not there yet");
    assert_string_equal(run.error[4], "path scalekv-10: its group is not there yet");
    skv_run_file_close(&run);
}

/* Sizes, means and seconds are those of the groups that are there. */
static void the_first_group_of_every_path_may_be_missing(void **state)
{
    const skv_extents e = {.rows = N,
                           .groups = TEST_GROUPS,
                           .scales = TEST_GROUPS_SCALES,
                           .layers = TEST_GROUPS_LAYERS,
                           .phases = 2};
    skv_h5_layout want = skv_schema_run_layout(SKV_SET_KEPT_BY_SOURCE, &e);
    skv_path_summary sum;
    skv_run_file run;
    float *kept = NULL;
    int64_t n_failed;

    (void)state;
    write_all();
    lose(0, 0);
    lose(1, 0);
    assert_int_equal(gather(true, &n_failed), SKV_OK);
    run = open_partial("3 of 5 rows; path full lacks 2, path scalekv-10 lacks 2");
    assert_statuses(&run, (int32_t[]){MISSING, MISSING, 0, 0, 0});
    for (int i = 0; i < N; i++)
        assert_row(&run, 1, i, i > 1);
    assert_int_equal(skv_path_summary_read(&sum, run.h5, "scalekv-10"), SKV_OK);
    assert_true(sum.transformer_seconds == 1.5 + 2.5 && sum.vae_seconds == 2 * 1.25);
    assert_int_equal(skv_h5_read(&kept, run.h5,
                                 skv_schema_in_run(SKV_SET_KEPT_BY_SOURCE, "scalekv-10").text,
                                 &want, MANY, true),
                     SKV_OK);
    assert_true(kept[5] == (float)((2 * (1 + 5) + (2 + 5)) / 3.0));
    free(kept);
    skv_run_file_close(&run);
}

static void a_path_without_any_group_is_left_out(void **state)
{
    skv_run_file run;
    int64_t n_failed;

    (void)state;
    write_all();
    for (int g = 0; g < TEST_GROUPS; g++)
        lose(0, g);
    lose(1, 1);
    assert_int_equal(gather(true, &n_failed), SKV_OK);
    run = open_partial("3 of 5 rows; path full lacks all 5, path scalekv-10 lacks 2");
    assert_int_equal(run.n_paths, 1);
    assert_string_equal(run.path[0].name, "scalekv-10");
    assert_statuses(&run, (int32_t[]){0, 0, MISSING, MISSING, 0});
    skv_run_file_close(&run);
    for (int g = 0; g < TEST_GROUPS; g += 2)
        lose(1, g);
    assert_int_equal(gather(true, &n_failed), SKV_E_NOTFOUND);
    assert_non_null(strstr(skv_message(), "none of its 6 groups is there yet"));
}

static void assert_complete(void)
{
    skv_run_file run;

    assert_int_equal(skv_run_file_open(&run, temp_folder()), SKV_OK);
    assert_null(run.partial);
    assert_statuses(&run, (int32_t[N]){0});
    for (int i = 0; i < N; i++)
        assert_row(&run, 0, i, true);
    skv_run_file_close(&run);
}

static void a_complete_gather_takes_its_place(void **state)
{
    int64_t n_failed;

    (void)state;
    write_all();
    lose(0, 1);
    assert_int_equal(gather(true, &n_failed), SKV_OK);
    assert_int_equal(gather(false, &n_failed), SKV_E_NOTFOUND);
    write_group(0, 1, NULL);
    assert_int_equal(gather(true, &n_failed), SKV_OK); /* there is nothing partial in it */
    assert_complete();
    lose(0, 1);
    assert_int_equal(gather(true, &n_failed), SKV_OK);
    write_group(0, 1, NULL);
    assert_int_equal(gather(false, &n_failed), SKV_OK);
    assert_complete();
}

/* One byte behind the first block, which a look at that block does not see. */
static void damage_body(const char *file)
{
    char *bytes = NULL;
    size_t n = 0;

    assert_int_equal(skv_file_read(&bytes, &n, file, MANY), SKV_OK);
    bytes[n - n / 4] ^= 16;
    assert_int_equal(skv_file_write(file, bytes, n), SKV_OK);
    free(bytes);
}

/* Found when the file is read, after everything seemed to be there: what it was made of is then
 * what it holds, so the group, computed again as it was, makes another run.h5. */
static void a_damaged_group_is_missing(void **state)
{
    skv_run_file run;
    int64_t n_failed;

    (void)state;
    write_all();
    damage_body(group_name(0, 1));
    assert_int_equal(gather(true, &n_failed), SKV_OK);
    run = open_partial("3 of 5 rows; path full lacks 2");
    assert_statuses(&run, (int32_t[]){0, 0, MISSING, MISSING, 0});
    skv_run_file_close(&run);
    write_group(0, 1, NULL);
    assert_int_equal(gather(false, &n_failed), SKV_OK);
    assert_complete();
}

static void failed_rows_are_counted_without_the_missing(void **state)
{
    skv_run_file run;
    int64_t n_failed = -1;

    (void)state;
    write_all();
    write_group(0, 0, &(test_groups_fault){.row_failed = true});
    lose(1, 1);
    for (int again = 0; again < 2; again++) { /* made, then found */
        assert_int_equal(gather(true, &n_failed), SKV_OK);
        assert_int_equal(n_failed, 1);
    }
    run = open_partial("3 of 5 rows; path scalekv-10 lacks 2");
    assert_statuses(&run, (int32_t[]){SKV_E_FORMAT, 0, MISSING, MISSING, 0});
    assert_string_equal(run.id[2], "c"); /* of the first path's group */
    skv_run_file_close(&run);
}

static void names_of_missing_rows_need_rows_h5(void **state)
{
    int64_t n_failed;

    (void)state;
    write_groups();
    lose(1, 1);
    assert_int_equal(gather(true, &n_failed), SKV_OK); /* the first path names them */
    lose(0, 1);
    assert_int_equal(gather(true, &n_failed), SKV_E_NOTFOUND);
    assert_non_null(strstr(skv_message(), "rows.h5"));
}

static void a_run_h5_from_before_the_run_grew_is_partial(void **state)
{
    json_t *root = NULL;
    skv_run_file run;
    int64_t n_failed;

    (void)state;
    write_all();
    assert_int_equal(gather(false, &n_failed), SKV_OK);
    assert_complete();
    assert_int_equal(skv_json_read(&root, temp_path("run.json")), SKV_OK);
    assert_int_equal(json_object_set_new(root, "rows", json_integer(7)), 0);
    assert_int_equal(skv_json_write(root, temp_path("run.json")), SKV_OK);
    json_decref(root);
    run = open_partial("5 of 7 rows; the run has grown since");
    assert_int_equal(run.n_missing, 0);
    skv_run_file_close(&run);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(rows_of_groups_that_a_path_lacks_are_missing),
        CASE(the_first_group_of_every_path_may_be_missing),
        CASE(a_path_without_any_group_is_left_out),
        CASE(a_complete_gather_takes_its_place),
        CASE(a_damaged_group_is_missing),
        CASE(failed_rows_are_counted_without_the_missing),
        CASE(names_of_missing_rows_need_rows_h5),
        CASE(a_run_h5_from_before_the_run_grew_is_partial),
    };

    skv_log_setup(SKV_LOG_ERROR, ""); /* warnings are not failures here */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
