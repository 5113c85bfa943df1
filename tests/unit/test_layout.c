/* The evaluators' folders: names, what is read, what a set may not hold, and the check. */
#include "eval/layout/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmocka_all.h"
#include "core/file.h"
#include "io/png.h"
#include "temp_folder.h"

static const skv_layout *named(const char *name)
{
    const skv_layout *l = NULL;

    assert_int_equal(skv_layout_find(&l, name), SKV_OK);
    return l;
}

static void write_text(const char *name, const char *text)
{
    assert_int_equal(skv_file_write(temp_path(name), text, strlen(text)), SKV_OK);
}

static void write_picture(const char *name, int width, int height)
{
    uint8_t *rgb = calloc((size_t)width * (size_t)height, 3);

    assert_non_null(rgb);
    assert_int_equal(skv_png_write(temp_path(name), rgb, width, height, NULL, 0), SKV_OK);
    free(rgb);
}

static skv_layout_entry judged(const skv_layout *l, const skv_layout_set *set, const char *name,
                               bool folder)
{
    skv_layout_entry e;

    skv_layout_judge(&e, l, set, name, folder);
    return e;
}

/* A set of the prompts of a file. */
static skv_status set_of_file(skv_layout_set *set, const skv_layout *l, const char *name,
                              int samples)
{
    const skv_layout_prompts list = {.file = temp_path(name)};

    return skv_layout_set_from_prompts(set, l, &list, samples);
}

/* A set of prompts with these ids, by way of a prompt file. */
static skv_status set_of(skv_layout_set *set, const skv_layout *l, const char *list, int samples)
{
    write_text("list.jsonl", list);
    return set_of_file(set, l, "list.jsonl", samples);
}

/* Ids that are numbers behind a category: all layouts can hold them, but those of plain numbers. */
static const char *list_for(const skv_layout *l)
{
    if (strstr(l->picture, "{id:"))
        return "{\"id\": \"7\", \"prompt\": \"a\"}\n{\"id\": \"159\", \"prompt\": \"b\"}\n";
    return "{\"id\": \"art-7\", \"prompt\": \"a\"}\n{\"id\": \"of-art-159\", \"prompt\": \"b\"}\n";
}

static void names_of_pictures_are_those_that_are_judged_pictures(void **state)
{
    (void)state;
    for (const skv_layout *l = skv_layouts; l->name; l++) {
        skv_layout_set set;

        if (l->metadata || l->category_key || l->shards) /* want tests of their own, below */
            continue;
        assert_int_equal(set_of(&set, l, list_for(l), 0), SKV_OK);
        assert_int_equal(skv_layout_set_model(&set, l, "full"), SKV_OK);
        for (int64_t p = 0; p < set.n; p++)
            for (int s = 0; s < skv_layout_files(l, &set); s++) {
                char name[SKV_LAYOUT_NAME_BYTES];
                skv_layout_entry e;

                skv_layout_picture(name, l, &set, p, s);
                e = judged(l, &set, name, false);
                assert_int_equal(e.kind, SKV_LAYOUT_PICTURE);
                assert_int_equal(e.prompt, p);
                assert_int_equal(e.sample, s);
                for (char *slash = strrchr(name, '/'); slash; slash = strrchr(name, '/')) {
                    *slash = '\0';
                    assert_int_equal(judged(l, &set, name, true).kind, SKV_LAYOUT_FOLDER);
                }
            }
        skv_layout_set_clear(&set);
    }
}

static void pictures_are_named_as_their_evaluators_read_them(void **state)
{
    static const struct {
        const char *layout, *id, *prompt, *name;
        int place, sample;
    } want[] = {
        {"geneval", "a", "x", "00001/samples/00003.png", 1, 3},
        {"dpg", "whoops7", "x", "whoops7.png", 1, 0},
        {"coco", "a", "x", "0002.png", 2, 0},
        {"geneval2", "a", "x", "00002.png", 2, 0},
        {"geneval++", "a", "x", "3.jpg", 2, 0},
        {"wise", "1000", "x", "1000.png", 0, 0},
        {"t2i-compbench", "a", "a red cow", "samples/a red cow_000025.png", 2, 5},
        {"oneig", "Portrait-017", "x", "human/full/017.webp", 0, 0},
        {"oneig", "Other-017", "x", "Other/full/017.webp", 0, 0},
        {"oneig", "017", "x", "full/017.webp", 0, 0},
        {"tiif", "a", "x", "2.png", 2, 0},
        {"longtext", "17", "x", "0017_4.png", 0, 3},
        {"unigen", "17", "x", "17_3.png", 0, 3},
        {"genai", "00017", "x", "00017.jpeg", 0, 0},
        {"imagereward", "006-1", "x", "006-1/006-1_9.jpg", 0, 9},
        {"hpsv2", "concept-art-00017", "x", "concept-art/00017.jpg", 0, 0},
        {"hpsv2", "00017", "x", "00017.jpg", 0, 0},
        {"mjhq", "a-b", "x", "food/a-b.png", 0, 0},
        {"webdataset", "a", "x", "000000002.png", 0, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const skv_layout *l = named(want[i].layout);
        char id[64], prompt[64], food[] = "food", full[] = "full", *ids[3], *texts[3];
        char *categories[] = {food, food, food};
        const skv_layout_set set = {.n = 3,
                                    .samples = l->samples,
                                    .id = ids,
                                    .text = texts,
                                    .category = l->category_key ? categories : NULL,
                                    .model = full};
        char name[SKV_LAYOUT_NAME_BYTES];

        snprintf(id, sizeof id, "%s", want[i].id);
        snprintf(prompt, sizeof prompt, "%s", want[i].prompt);
        for (int p = 0; p < 3; p++) {
            ids[p] = id;
            texts[p] = prompt;
        }
        skv_layout_picture(name, l, &set, want[i].place, want[i].sample);
        assert_string_equal(name, want[i].name);
    }
}

/* A set of this list must be refused with a sentence that has `why`. */
static void refused(const char *layout, const char *list, int samples, const char *why)
{
    skv_layout_set set;

    assert_int_equal(set_of(&set, named(layout), list, samples), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), why));
    assert_null(set.id);
}

static void sets_that_a_row_cannot_name_are_refused(void **state)
{
    (void)state;
    refused("wise", "{\"prompt\": \"x\"}\n{\"prompt\": \"y\"}\n", 0, "no ids of their own");
    refused("genai", "{\"id\": \"a1\", \"prompt\": \"x\"}\n", 0, "an id that is a number, not a1");
    refused("longtext", "{\"id\": \"1234567890\", \"prompt\": \"x\"}\n", 0, "is a number");
    refused("hpsv2", "{\"id\": \"anime-x\", \"prompt\": \"x\"}\n", 0, "ends in a number");
    refused("hpsv2",
            "{\"id\": \"anime-1\", \"prompt\": \"x\"}\n{\"id\": \"2\", \"prompt\": \"y\"}\n", 0,
            "one has a category");
    refused("genai", "{\"id\": \"7\", \"prompt\": \"x\"}\n{\"id\": \"07\", \"prompt\": \"y\"}\n", 0,
            "would both be 00007.jpeg");
    refused("t2i-compbench", "{\"prompt\": \"snake_case\"}\n", 0, "may not have '/' or '_'");
    refused("t2i-compbench", "{\"prompt\": \"a/b\"}\n", 0, "may not have '/' or '_'");
    refused("geneval2", "{\"prompt\": \"x\"}\n", 2, "wants 1 sample a prompt, not 2");
    refused("oneig", "{\"prompt\": \"x\"}\n", 1, "wants 4 samples a prompt, not 1");
}

static void what_else_the_evaluators_of_2026_read_is_named(void **state)
{
    static const struct {
        const char *layout, *name;
        bool folder, read;
    } want[] = {
        {"wise", "notes.png", false, false},
        {"t2i-compbench", "samples/00001.png", false, true},
        {"t2i-compbench", "annotation1_blip", true, false},
        {"oneig", "art/full/7.png", false, true},
        {"oneig", "art/full/notes.txt", false, false},
        {"oneig", "other", true, false},
        {"longtext", "x.png", false, true},
        {"longtext", "results", true, false},
        {"hpsv2", "results", true, true},
        {"hpsv2", "art/7.jpg", false, false},
        {"imagereward", "image_reward_res.json", false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const skv_layout *l = named(want[i].layout);
        skv_layout_set set;
        skv_layout_entry e;

        assert_int_equal(set_of(&set, l, list_for(l), 0), SKV_OK);
        assert_int_equal(skv_layout_set_model(&set, l, "full"), SKV_OK);
        e = judged(l, &set, want[i].name, want[i].folder);
        assert_int_equal(e.kind, want[i].read ? SKV_LAYOUT_READ : SKV_LAYOUT_IGNORED);
        assert_true((e.why != NULL) == want[i].read);
        skv_layout_set_clear(&set);
    }
}

static void categories_come_from_the_prompt_file_where_ids_have_none(void **state)
{
    const skv_layout *l = named("mjhq");
    skv_layout_set set;

    (void)state;
    write_text("keyless.json", "[{\"id\": \"a1\", \"prompt\": \"x\"}]");
    assert_int_equal(set_of_file(&set, l, "keyless.json", 0), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "prompt a1 has no \"category\""));
    assert_null(set.id);
}

static void geneval_scores_what_begins_with_digits(void **state)
{
    const skv_layout *l = named("geneval");
    const skv_layout_set set = {.n = 553, .samples = 4};

    (void)state;
    assert_int_equal(judged(l, &set, "00552", true).kind, SKV_LAYOUT_FOLDER);
    assert_int_equal(judged(l, &set, "553", true).kind, SKV_LAYOUT_READ);
    assert_int_equal(judged(l, &set, "00553", true).kind, SKV_LAYOUT_READ);
    assert_int_equal(judged(l, &set, "7", true).kind, SKV_LAYOUT_READ);
    assert_int_equal(judged(l, &set, "99999999999999999999999", true).kind, SKV_LAYOUT_READ);
    assert_int_equal(judged(l, &set, "00007", false).kind, SKV_LAYOUT_IGNORED);
    assert_int_equal(judged(l, &set, ".00007", true).kind, SKV_LAYOUT_IGNORED);
    assert_int_equal(judged(l, &set, "00007.tmp", true).kind, SKV_LAYOUT_IGNORED);
    assert_int_equal(judged(l, &set, "00007/metadata.jsonl", false).kind, SKV_LAYOUT_METADATA);
    assert_int_equal(judged(l, &set, "00007/grid.png", false).kind, SKV_LAYOUT_IGNORED);
    assert_int_equal(judged(l, &set, "00007/samples", true).kind, SKV_LAYOUT_FOLDER);
    assert_int_equal(judged(l, &set, "00007/samples/0003.png", false).kind, SKV_LAYOUT_PICTURE);
    assert_int_equal(judged(l, &set, "00007/samples/00004.png", false).kind, SKV_LAYOUT_READ);
    assert_int_equal(judged(l, &set, "00007/samples/00001.png.tmp", false).kind, SKV_LAYOUT_READ);
    assert_int_equal(judged(l, &set, "00007/samples/00001.pngx", false).kind, SKV_LAYOUT_READ);
    assert_int_equal(judged(l, &set, "00007/samples/.00001.png", false).kind, SKV_LAYOUT_IGNORED);
    assert_int_equal(judged(l, &set, "00007/samples/00001.PNG", false).kind, SKV_LAYOUT_IGNORED);
    assert_non_null(judged(l, &set, "00007/samples/00001.jpg", false).why);
}

static void dpg_takes_every_entry_by_its_name_up_to_the_first_dot(void **state)
{
    const skv_layout *l = named("dpg");
    const skv_layout_set set = {.n = 2, .samples = 4, .id = (char *[]){"15", "159"}};

    (void)state;
    assert_int_equal(judged(l, &set, "159.png", false).prompt, 1);
    assert_int_equal(judged(l, &set, "15.v2.jpg", false).kind, SKV_LAYOUT_PICTURE);
    assert_int_equal(judged(l, &set, "15", false).kind, SKV_LAYOUT_PICTURE);
    assert_int_equal(judged(l, &set, "15", true).kind, SKV_LAYOUT_READ);
    assert_int_equal(judged(l, &set, "1.png", false).kind, SKV_LAYOUT_READ);
    assert_int_equal(judged(l, &set, ".15.png", false).kind, SKV_LAYOUT_READ);
    assert_int_equal(judged(l, &set, "dpg-bench_1_results.txt", false).kind, SKV_LAYOUT_READ);
}

static void coco_lists_png_and_jpg_hidden_ones_too(void **state)
{
    const skv_layout *l = named("coco");
    const skv_layout_set set = {.n = 20000, .samples = 1};

    (void)state;
    assert_int_equal(judged(l, &set, "0000.png", false).kind, SKV_LAYOUT_PICTURE);
    assert_int_equal(judged(l, &set, "19999.png", false).kind, SKV_LAYOUT_PICTURE);
    assert_int_equal(judged(l, &set, "20000.png", false).kind, SKV_LAYOUT_READ);
    assert_int_equal(judged(l, &set, "00001.png", false).kind, SKV_LAYOUT_READ);
    assert_int_equal(judged(l, &set, ".0001.png", false).kind, SKV_LAYOUT_READ);
    assert_int_equal(judged(l, &set, "0001.jpg", false).kind, SKV_LAYOUT_READ);
    assert_int_equal(judged(l, &set, "0001.png.tmp", false).kind, SKV_LAYOUT_IGNORED);
    assert_int_equal(judged(l, &set, "0001", true).kind, SKV_LAYOUT_READ);
}

static void ids_that_dpg_would_misread_are_refused(void **state)
{
    skv_layout_set set;

    (void)state;
    assert_int_equal(set_of(&set, named("dpg"), "{\"id\": \"a.b\", \"prompt\": \"x\"}\n", 0),
                     SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "a.b"));
    assert_int_equal(set_of(&set, named("dpg"), "{\"prompt\": \"x\"}\n{\"prompt\": \"y\"}\n", 0),
                     SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "item ids"));
    assert_null(set.id);
    assert_int_equal(set_of(&set, named("dpg"), "{\"id\": 159, \"prompt\": \"x\"}\n", 0), SKV_OK);
    assert_string_equal(set.id[0], "159");
    assert_int_equal(set.samples, 4);
    skv_layout_set_clear(&set);
}

static void numbers_of_samples_that_a_layout_cannot_hold_are_refused(void **state)
{
    skv_layout_set set;

    (void)state;
    assert_int_equal(skv_layout_set_from_count(&set, named("dpg"), 5, 3), SKV_E_ARG);
    assert_int_equal(skv_layout_set_from_count(&set, named("coco"), 5, 4), SKV_E_ARG);
    assert_int_equal(skv_layout_set_from_count(&set, named("coco"), -1, 1), SKV_E_ARG);
    assert_int_equal(skv_layout_set_from_count(&set, named("coco"), INT64_MAX, 1), SKV_E_ARG);
    assert_int_equal(skv_layout_set_from_count(&set, named("geneval"), 0, 9), SKV_OK);
    assert_int_equal(set.n, 553);
    assert_int_equal(set.samples, 9);
}

static skv_status of_run(skv_layout_set *set, const skv_run_file *run)
{
    const skv_layout_prompts own = {0};

    return skv_layout_set_from_run(set, named("coco"), run, &own, 0);
}

static void rows_of(skv_run_file *run, int64_t n_prompts, int64_t n_samples)
{
    run->segments = skv_segments_none(1);
    assert_int_equal(skv_segments_grow(&run->segments, n_prompts, n_samples), SKV_OK);
}

/* A run.h5 is data: what its ids say becomes a path. */
static void hostile_ids_of_a_run_are_refused(void **state)
{
    char *bad[] = {"../a-0", "../a-1"}, *later[] = {"a-0", "../a-1"};
    char *slash[] = {"a/b", "c"}, *twins[] = {"a", "a"}, *fine[] = {"a", "b"};
    char *prompts[] = {"x", "y"};
    skv_run_file run = {.folder = (char *)"run", .n = 2, .prompt = prompts};
    skv_layout_set set;

    (void)state;
    rows_of(&run, 2, 1);
    run.id = slash;
    assert_int_equal(of_run(&set, &run), SKV_E_FORMAT);
    run.id = twins;
    assert_int_equal(of_run(&set, &run), SKV_E_FORMAT);
    run.id = bad;
    rows_of(&run, 1, 2);
    assert_int_equal(of_run(&set, &run), SKV_E_FORMAT);
    run.id = fine; /* no "-1" behind the second sample's */
    assert_int_equal(of_run(&set, &run), SKV_E_FORMAT);
    run.id = later;
    assert_int_equal(of_run(&set, &run), SKV_E_FORMAT);
    run.id = fine;
    rows_of(&run, 2, 1);
    assert_int_equal(of_run(&set, &run), SKV_OK);
    skv_layout_set_clear(&set);
}

static void geneval_wants_the_lines_that_its_evaluator_needs(void **state)
{
    skv_layout_set set;

    (void)state;
    assert_int_equal(set_of(&set, named("geneval"), "{\"prompt\": \"x\"}\n", 0), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "line 1"));
    write_text("list.txt", "a cat\n");
    assert_int_equal(set_of_file(&set, named("geneval"), "list.txt", 0), SKV_E_ARG);
    assert_int_equal(set_of(&set, named("geneval"),
                            "{\"tag\":\"t\",  \"include\":[], \"prompt\":\"\\u00e9\"}\r\n"
                            "{\"tag\":\"t\",\"include\":[],\"prompt\":\"y\"}",
                            0),
                     SKV_OK);
    assert_string_equal(set.line[0], "{\"tag\":\"t\",  \"include\":[], \"prompt\":\"\\u00e9\"}");
    assert_string_equal(set.line[1], "{\"tag\":\"t\",\"include\":[],\"prompt\":\"y\"}");
    skv_layout_set_clear(&set);
}

static void folders_without_a_name_of_their_own_are_refused(void **state)
{
    char out[SKV_LAYOUT_PATH_BYTES];
    static const char *const bad[] = {"", ".", "..", "/", "//", "a/..", "a/./"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(skv_layout_beside(out, bad[i], ".x"), SKV_E_ARG);
    assert_int_equal(skv_layout_beside(out, "a/b//", ".x"), SKV_OK);
    assert_string_equal(out, "a/b.x");
    assert_int_equal(skv_layout_beside(out, "..a", ".x"), SKV_OK);
    assert_int_equal(skv_layout_beside(out, "a/...", ".x"), SKV_OK);
}

static void check_tells_missing_damaged_extra_duplicate_and_size(void **state)
{
    skv_layout_set set = {0};
    skv_layout_report r;

    (void)state;
    assert_int_equal(
        set_of(&set, named("dpg"),
               "{\"id\": \"a\", \"prompt\": \"x\"}\n{\"id\": \"b\", \"prompt\": \"y\"}\n"
               "{\"id\": \"c\", \"prompt\": \"y\"}\n{\"id\": \"d\", \"prompt\": \"y\"}\n",
               0),
        SKV_OK);
    assert_int_equal(mkdir(temp_path("out"), 0777), 0);
    write_picture("out/a.png", 8, 8);
    write_picture("out/a.old.png", 8, 8);
    write_picture("out/b.png", 8, 4);
    write_text("out/c.png", "no picture");
    write_text("out/manifest.json", "{}");
    assert_int_equal(skv_layout_check(&r, named("dpg"), &set, temp_path("out"), 2), SKV_OK);
    assert_int_equal(r.n_expected, 4);
    assert_int_equal(r.n_good, 1);
    assert_int_equal(r.width, 8);
    assert_int_equal(r.count[SKV_FOUND_MISSING], 1);
    assert_int_equal(r.count[SKV_FOUND_DAMAGED], 1);
    assert_int_equal(r.count[SKV_FOUND_EXTRA], 1);
    assert_int_equal(r.count[SKV_FOUND_DUPLICATE], 1);
    assert_int_equal(r.count[SKV_FOUND_SIZE], 1);
    for (size_t i = 0; i < r.n; i++)
        if (r.finding[i].kind == SKV_FOUND_MISSING)
            assert_string_equal(r.finding[i].name, "d.png");
    skv_layout_report_clear(&r);
    assert_int_equal(skv_layout_check(&r, named("dpg"), &set, temp_path("none"), 2),
                     SKV_E_NOTFOUND);
    skv_layout_set_clear(&set);
}

/* Without a list a folder can still be counted, and its sizes compared. */
static void check_by_count_alone(void **state)
{
    skv_layout_set set;
    skv_layout_report r;

    (void)state;
    assert_int_equal(mkdir(temp_path("out"), 0777), 0);
    write_picture("out/a.png", 8, 8);
    write_picture("out/b.png", 8, 8);
    write_picture("out/c.png", 4, 4);
    assert_int_equal(skv_layout_set_from_count(&set, named("dpg"), 3, 0), SKV_OK);
    assert_int_equal(skv_layout_check(&r, named("dpg"), &set, temp_path("out"), 2), SKV_OK);
    assert_int_equal(r.n, 1);
    assert_string_equal(r.finding[0].name, "c.png");
    skv_layout_report_clear(&r);
    write_picture("out/c.png", 8, 8);
    assert_int_equal(skv_layout_check(&r, named("dpg"), &set, temp_path("out"), 2), SKV_OK);
    assert_int_equal(r.n, 0);
    skv_layout_report_clear(&r);
    set.n = 4;
    assert_int_equal(skv_layout_check(&r, named("dpg"), &set, temp_path("out"), 2), SKV_OK);
    assert_int_equal(r.count[SKV_FOUND_MISSING], 1);
    skv_layout_report_clear(&r);
}

static void a_damaged_manifest_is_refused(void **state)
{
    static const char *const bad[] = {
        "{}",
        "{\"layout\": \"coco\", \"samples\": 1, \"side\": 8, \"prompts\": [{}]}",
        "{\"layout\": \"coco\", \"samples\": 1, \"side\": -8, \"prompts\": [{\"id\": \"a\"}]}",
        "{\"layout\": \"coco\", \"samples\": 4294967297, \"side\": 8, \"prompts\": [{\"id\": "
        "\"a\"}]}",
        "{\"layout\": \"coco\", \"samples\": 1, \"side\": 8, \"prompts\": [{\"id\": \"../a\"}]}",
        "{\"layout\": \"coco\", \"samples\": 1, \"side\": 8, \"prompts\": []}",
        "{\"layout\": \"dpg\", \"samples\": 4, \"side\": 8, \"prompts\": [{\"id\": \"a\"}]}"};
    skv_layout_set set;
    json_t *root = NULL;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(skv_json_parse(&root, bad[i], strlen(bad[i]), "m.json"), SKV_OK);
        assert_int_not_equal(skv_layout_set_from_manifest(&set, named("coco"), root, "m.json"),
                             SKV_OK);
        assert_null(set.id);
        json_decref(root);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)
    const struct CMUnitTest tests[] = {
        CASE(names_of_pictures_are_those_that_are_judged_pictures),
        CASE(pictures_are_named_as_their_evaluators_read_them),
        CASE(sets_that_a_row_cannot_name_are_refused),
        CASE(what_else_the_evaluators_of_2026_read_is_named),
        CASE(categories_come_from_the_prompt_file_where_ids_have_none),
        CASE(geneval_scores_what_begins_with_digits),
        CASE(dpg_takes_every_entry_by_its_name_up_to_the_first_dot),
        CASE(coco_lists_png_and_jpg_hidden_ones_too),
        CASE(ids_that_dpg_would_misread_are_refused),
        CASE(numbers_of_samples_that_a_layout_cannot_hold_are_refused),
        CASE(hostile_ids_of_a_run_are_refused),
        CASE(geneval_wants_the_lines_that_its_evaluator_needs),
        CASE(folders_without_a_name_of_their_own_are_refused),
        CASE(check_tells_missing_damaged_extra_duplicate_and_size),
        CASE(check_by_count_alone),
        CASE(a_damaged_manifest_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
