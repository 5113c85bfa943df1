/* Export of a run of which rows failed: each is left out by name, and a prompt of which only some
 * samples have pictures is named, too. */
#include "eval/layout/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "failing_open.h"
#include "io/png.h"
#include "temp_folder.h"
#include "write_run.h"

/* Two prompts of two samples; the second sample of the first prompt failed. */
static const test_run run = {
    .samples = 2,
    .prompt = {"a cat", "a cat", "a dog", "a dog"},
    .error = {NULL, "not finite: picture", NULL, NULL},
    .n_paths = 2,
    .path = {{"full", "full", "1111222233334444", -1}, {"half-50", "half", "aaaabbbbccccdddd", 7}}};

static void write_prompts(void)
{
    static const char text[] = "{\"tag\": \"colors\", \"include\": [], \"prompt\": \"a cat\"}\n"
                               "{\"tag\": \"colors\", \"include\": [], \"prompt\": \"a dog\"}\n";

    assert_int_equal(skv_file_write(temp_path("prompts.jsonl"), text, sizeof text - 1), SKV_OK);
}

/* Path `path` of the run as <temp folder>/<folder>, in GenEval's layout. locked: a file that cannot
 * be opened meanwhile. */
static skv_status try_export(skv_layout_done *done, int path, const char *folder,
                             const char *locked)
{
    char out[SKV_LAYOUT_PATH_BYTES];
    const skv_layout_prompts list = {.file = temp_path("prompts.jsonl")};
    skv_layout_job job = {.path = path, .folder = out, .threads = 2};
    skv_layout_set set = {0};
    skv_run_file file;
    skv_status st;

    snprintf(out, sizeof out, "%s", temp_path(folder));
    assert_int_equal(skv_layout_find(&job.layout, "geneval"), SKV_OK);
    assert_int_equal(skv_run_file_open(&file, temp_folder()), SKV_OK);
    if (skv_layout_set_from_run(&set, job.layout, &file, &list, 2) != SKV_OK)
        fail_msg("%s", skv_message());
    job.run = &file;
    job.set = &set;
    failing_open(locked);
    st = skv_layout_export(done, &job);
    skv_layout_set_clear(&set);
    skv_run_file_close(&file);
    return st;
}

static skv_layout_done export_path(int path, const char *folder)
{
    skv_layout_done done;

    if (try_export(&done, path, folder, NULL) != SKV_OK)
        fail_msg("%s", skv_message());
    return done;
}

static void failed_rows_and_incomplete_prompts_are_in_the_manifest(void **state)
{
    const json_t *left_out, *incomplete;
    skv_layout_done done;
    json_t *manifest = NULL;

    (void)state;
    write_run(&run);
    write_prompts();
    done = export_path(0, "out");
    assert_int_equal(done.n_files, 3);
    assert_int_equal(done.n_failed, 1);
    assert_int_equal(done.n_incomplete, 1);
    assert_int_equal(skv_json_read(&manifest, temp_path("out.skv-export.json")), SKV_OK);
    left_out = json_object_get(manifest, "left_out");
    incomplete = json_object_get(manifest, "incomplete");
    assert_int_equal(json_array_size(left_out), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(left_out, 0), "id")),
                        "id-a-1");
    assert_string_equal(json_string_value(json_object_get(json_array_get(left_out, 0), "reason")),
                        "not finite: picture");
    assert_int_equal(json_array_size(incomplete), 1);
    assert_string_equal(json_string_value(json_array_get(incomplete, 0)), "id-a");
    json_decref(manifest);
    assert_int_equal(access(temp_path("out/00000/samples/00000.png"), F_OK), 0);
    assert_int_equal(access(temp_path("out/00000/samples/00001.png"), F_OK), -1);
}

/* A manifest without the settings would look whole. */
static void settings_that_cannot_be_read_at_the_moment_are_not_left_out(void **state)
{
    skv_layout_done done;

    (void)state;
    write_run(&run);
    write_prompts();
    assert_int_equal(try_export(&done, 0, "out", "run.json"), SKV_E_IO);
    assert_true(failing_open_came());
    assert_int_equal(try_export(&done, 0, "out", NULL), SKV_OK);
}

static void check_says_why_a_picture_is_missing(void **state)
{
    char out[SKV_LAYOUT_PATH_BYTES];
    const skv_layout *layout = NULL;
    skv_layout_report report;
    skv_layout_set set;
    json_t *manifest = NULL;

    (void)state;
    write_run(&run);
    write_prompts();
    export_path(0, "out");
    snprintf(out, sizeof out, "%s", temp_path("out"));
    assert_int_equal(skv_layout_find(&layout, "geneval"), SKV_OK);
    assert_int_equal(skv_json_read(&manifest, temp_path("out.skv-export.json")), SKV_OK);
    assert_int_equal(skv_layout_set_from_manifest(&set, layout, manifest, "m"), SKV_OK);
    assert_int_equal(skv_layout_check(&report, layout, &set, out, 1), SKV_OK);
    assert_int_equal(report.n, 1);
    assert_int_equal(report.finding[0].kind, SKV_FOUND_MISSING);
    assert_string_equal(report.finding[0].name, "00000/samples/00001.png");
    assert_string_equal(report.finding[0].why, "not finite: picture");
    skv_layout_report_clear(&report);
    skv_layout_set_clear(&set);
    json_decref(manifest);
}

static void the_references_folder_is_found_by_the_manifests(void **state)
{
    char reference[SKV_LAYOUT_PATH_BYTES], want[SKV_LAYOUT_PATH_BYTES];

    (void)state;
    write_run(&run);
    write_prompts();
    export_path(1, "compressed");
    assert_int_equal(skv_layout_reference(reference, temp_path("compressed")), SKV_OK);
    assert_string_equal(reference, "");
    export_path(0, "uncut");
    snprintf(want, sizeof want, "%s", temp_path("uncut"));
    assert_int_equal(skv_layout_reference(reference, temp_path("compressed")), SKV_OK);
    assert_string_equal(reference, want);
    assert_int_equal(skv_layout_reference(reference, want), SKV_OK);
    assert_string_equal(reference, want);
}

/* A picture of the run's own folder. */
static void write_picture(const char *name, int width)
{
    static const uint8_t rgb[16 * 8 * 3];
    skv_bytes png = {0};

    assert_int_equal(skv_png_encode_file(&png, rgb, width, 8, NULL, 0), SKV_OK);
    assert_int_equal(skv_file_write(temp_path(name), png.data, png.n), SKV_OK);
    skv_bytes_clear(&png);
}

static void a_picture_of_another_size_is_named(void **state)
{
    test_run without = run;
    char out[SKV_LAYOUT_PATH_BYTES];
    const skv_layout_prompts list = {.file = temp_path("prompts.jsonl")};
    skv_layout_job job = {.folder = out, .threads = 1, .shard_rows = 4};
    skv_layout_set set = {0};
    skv_run_file file;
    skv_layout_done done;

    (void)state;
    without.no_pictures = true;
    write_run(&without);
    write_prompts();
    assert_int_equal(mkdir(temp_path("images"), 0777), 0);
    assert_int_equal(mkdir(temp_path("images/full"), 0777), 0);
    write_picture("images/full/id-a-0.png", 8);
    write_picture("images/full/id-b-0.png", 16);
    write_picture("images/full/id-b-1.png", 16);
    snprintf(out, sizeof out, "%s", temp_path("out"));
    assert_int_equal(skv_layout_find(&job.layout, "webdataset"), SKV_OK);
    assert_int_equal(skv_run_file_open(&file, temp_folder()), SKV_OK);
    assert_int_equal(skv_layout_set_from_run(&set, job.layout, &file, &list, 2), SKV_OK);
    job.run = &file;
    job.set = &set;
    assert_int_equal(skv_layout_export(&done, &job), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "is 16x8, the first one 8x8"));
    skv_layout_set_clear(&set);
    skv_run_file_close(&file);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(failed_rows_and_incomplete_prompts_are_in_the_manifest),
        CASE(settings_that_cannot_be_read_at_the_moment_are_not_left_out),
        CASE(check_says_why_a_picture_is_missing),
        CASE(the_references_folder_is_found_by_the_manifests),
        CASE(a_picture_of_another_size_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
