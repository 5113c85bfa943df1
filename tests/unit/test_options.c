#include "core/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/json.h"

typedef struct {
    bool dry_run;
    int64_t group_size;
    uint64_t seed;
    double ratio;
    char *name, *out, *device;
    skv_reals cfg;
    skv_ints layers;
    json_t *paths;
} settings;

#define ROW(...) SKV_OPTION(settings, __VA_ARGS__)

static const skv_option table[] = {
    ROW(dry_run, BOOL, "false", "print the plan", "Run"),
    ROW(group_size, INT, "8", "rows a batch", NULL),
    ROW(seed, U64, "0", "run seed", NULL),
    ROW(ratio, REAL, "1", "height/width", "Picture"),
    ROW(name, STRING, NULL, "a word", NULL),
    ROW(out, PATH, NULL, "folder", NULL),
    ROW(cfg, REALS, "3", "guidance", NULL),
    ROW(paths, JSON, NULL, "paths", NULL),
    ROW(layers, INTS, NULL, "layers", NULL),
    SKV_OPTION_WORD(settings, device, "auto|cpu|cuda", "auto", "what computes", NULL),
    {0},
};

static int start(void **state)
{
    settings *s = calloc(1, sizeof *s);

    *state = s;
    return s && skv_options_defaults(table, s) == SKV_OK ? 0 : -1;
}

static int stop(void **state)
{
    skv_options_clear(table, *state);
    free(*state);
    return 0;
}

/* Words of one line, cut at blanks. */
static skv_status from_line(settings *s, const char *line, const char **words, int *n_words)
{
    static char copy[256]; /* the words outlive this call */
    char *argv[32];
    int argc = 0;

    snprintf(copy, sizeof copy, "%s", line);
    for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    return skv_options_from_args(table, s, argc, argv, words, n_words);
}

static skv_status from_text(settings *s, const char *text)
{
    json_t *root = NULL;
    skv_status st = skv_json_parse(&root, text, strlen(text), "c.json");

    if (st == SKV_OK)
        st = skv_options_from_json(table, s, root, "c.json", "/conf");
    json_decref(root);
    return st;
}

static void defaults_come_from_the_table(void **state)
{
    const settings *s = *state;

    assert_false(s->dry_run);
    assert_int_equal(s->group_size, 8);
    assert_true(s->ratio == 1.0);
    assert_null(s->name);
    assert_int_equal(s->cfg.n, 1);
    assert_true(s->cfg.value[0] == 3.0);
}

static void flags_set_every_type(void **state)
{
    settings *s = *state;

    assert_int_equal(from_line(s,
                               "--dry-run --group-size 4 --seed=18446744073709551615 --ratio 1.25 "
                               "--name x=y --out a/b --cfg 3,3.5,4 --paths [\"full\"]",
                               NULL, NULL),
                     SKV_OK);
    assert_true(s->dry_run);
    assert_int_equal(s->group_size, 4);
    assert_true(s->seed == UINT64_MAX);
    assert_true(s->ratio == 1.25);
    assert_string_equal(s->name, "x=y");
    assert_string_equal(s->out, "a/b");
    assert_int_equal(s->cfg.n, 3);
    assert_true(s->cfg.value[1] == 3.5);
    assert_true(json_is_array(s->paths));
    assert_int_equal(from_line(s, "--no-dry-run --group-size=-3 --name=", NULL, NULL), SKV_OK);
    assert_false(s->dry_run);
    assert_int_equal(s->group_size, -3);
    assert_string_equal(s->name, "");
}

static void a_value_may_start_with_a_dash(void **state)
{
    settings *s = *state;

    assert_int_equal(from_line(s, "--name --out", NULL, NULL), SKV_OK);
    assert_string_equal(s->name, "--out");
}

static void other_words_are_kept_in_order_or_refused(void **state)
{
    settings *s = *state;
    const char *words[8];
    int n = 0;

    assert_int_equal(from_line(s, "a --seed 3 b -- --c", words, &n), SKV_OK);
    assert_int_equal(n, 3);
    assert_string_equal(words[0], "a");
    assert_string_equal(words[1], "b");
    assert_string_equal(words[2], "--c");
    assert_int_equal(from_line(s, "stray", NULL, NULL), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "stray"));
}

static void values_of_the_wrong_form_are_refused_by_name(void **state)
{
    static const char *const bad[] = {
        "--group-size 1.5",  "--group-size 9223372036854775808",
        "--group-size",      "--group-size x",
        "--seed -1",         "--seed 18446744073709551616",
        "--ratio nan",       "--ratio 1e999",
        "--ratio 1,5",       "--cfg 3,,4",
        "--cfg 3,",          "--cfg ,",
        "--paths {",         "--paths {\"a\":1,\"a\":2}",
        "--dry-run=maybe",   "--no-dry-run=true",
        "--no-group-size 3",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char flag[32];

        assert_int_equal(from_line(*state, bad[i], NULL, NULL), SKV_E_ARG);
        snprintf(flag, sizeof flag, "%.*s", (int)strcspn(bad[i], "= "), bad[i]);
        assert_non_null(strstr(skv_message(), flag));
    }
}

static void a_refused_value_leaves_the_old_one(void **state)
{
    settings *s = *state;

    assert_int_equal(from_line(s, "--cfg 1,2", NULL, NULL), SKV_OK);
    assert_int_equal(from_line(s, "--cfg 1,2,x", NULL, NULL), SKV_E_ARG);
    assert_int_equal(s->cfg.n, 2);
    assert_true(s->cfg.value[1] == 2.0);
}

static void integers_stay_integers(void **state)
{
    settings *s = *state;
    json_t *printed = NULL;

    assert_int_equal(from_line(s, "--layers 3,0", NULL, NULL), SKV_OK);
    assert_int_equal(s->layers.n, 2);
    assert_int_equal(s->layers.value[0], 3);
    assert_int_equal(from_line(s, "--layers 3,0.5", NULL, NULL), SKV_E_ARG);
    assert_int_equal(from_text(s, "{\"layers\": [1, 2.0]}"), SKV_E_FORMAT);
    assert_int_equal(from_text(s, "{\"layers\": 7}"), SKV_OK);
    assert_int_equal(skv_options_to_json(&printed, table, s), SKV_OK);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(printed, "layers"), 0)), 7);
    json_decref(printed);
}

static void a_word_is_one_of_its_row(void **state)
{
    settings *s = *state;

    assert_int_equal(from_line(s, "--device cuda", NULL, NULL), SKV_OK);
    assert_int_equal(from_line(s, "--device cud", NULL, NULL), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "--device is \"cud\", want auto|cpu|cuda"));
    assert_int_equal(from_line(s, "--device=", NULL, NULL), SKV_E_ARG);
    assert_int_equal(from_text(s, "{\"device\": \"auto|cpu\"}"), SKV_E_ARG);
    assert_string_equal(s->device, "cuda");
}

static void a_suggestion_has_some_likeness(void **state)
{
    static const char *const names[] = {"paths", "t5", "spm", "seed", NULL};

    (void)state;
    assert_string_equal(skv_nearest("pth", names), "paths");
    assert_string_equal(skv_nearest("sed", names), "seed");
    assert_null(skv_nearest("skv", names)); /* not spm */
    assert_null(skv_nearest("cfg", names));
    assert_int_equal(from_line(*state, "--hlp", NULL, NULL), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "did you mean --help?"));
}

static void what_an_option_names_and_is_not_there_is_a_wrong_setting(void **state)
{
    (void)state;
    assert_int_equal(skv_option_opened("--t5", SKV_OK), SKV_OK);
    assert_int_equal(skv_option_opened("--t5", skv_fail(SKV_E_NOTFOUND, "x")), SKV_E_ARG);
    assert_string_equal(skv_message(), "--t5: x");
    assert_int_equal(skv_option_opened("--t5", skv_fail(SKV_E_SHAPE, "x")), SKV_E_ARG);
    assert_int_equal(skv_option_opened("--t5", skv_fail(SKV_E_KIND, "x")), SKV_E_ARG);
    assert_int_equal(skv_option_opened("--t5", skv_fail(SKV_E_DENIED, "x")), SKV_E_ARG);
    assert_string_equal(skv_message(), "--t5: x");
    assert_int_equal(skv_option_opened(NULL, skv_fail(SKV_E_KIND, "x")), SKV_E_ARG);
    assert_string_equal(skv_message(), "x");
    assert_int_equal(skv_option_opened("--t5", skv_fail(SKV_E_IO, "x")), SKV_E_IO);
    assert_int_equal(skv_option_opened("--t5", skv_fail(SKV_E_FORMAT, "x")), SKV_E_FORMAT);
}

static void unknown_names_are_refused_with_the_nearest(void **state)
{
    assert_int_equal(from_line(*state, "--grop-size 3", NULL, NULL), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "did you mean --group-size?"));
    assert_int_equal(from_line(*state, "--zzzzzzzz 3", NULL, NULL), SKV_E_ARG);
    assert_null(strstr(skv_message(), "did you mean"));
    assert_int_equal(from_text(*state, "{\"sead\": 3}"), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "did you mean \"seed\"?"));
}

static void a_config_sets_every_type(void **state)
{
    settings *s = *state;

    assert_int_equal(from_text(s, "{\"dry_run\": true, \"group_size\": 2, \"ratio\": 1, "
                                  "\"seed\": \"18446744073709551615\", \"name\": \"n\", "
                                  "\"cfg\": [1, 2.5], \"paths\": {\"a\": 1}}"),
                     SKV_OK);
    assert_true(s->dry_run);
    assert_int_equal(s->group_size, 2);
    assert_true(s->seed == UINT64_MAX);
    assert_string_equal(s->name, "n");
    assert_int_equal(s->cfg.n, 2);
    assert_true(s->cfg.value[1] == 2.5);
    assert_int_equal(json_integer_value(json_object_get(s->paths, "a")), 1);
}

static void config_paths_are_relative_to_the_config(void **state)
{
    settings *s = *state;

    assert_int_equal(from_text(s, "{\"out\": \"a/b\"}"), SKV_OK);
    assert_string_equal(s->out, "/conf/a/b");
    assert_int_equal(from_text(s, "{\"out\": \"/a/b\"}"), SKV_OK);
    assert_string_equal(s->out, "/a/b");
    assert_int_equal(from_text(s, "{\"out\": \"formula:tiny\"}"), SKV_OK);
    assert_string_equal(s->out, "formula:tiny");
    assert_int_equal(from_text(s, "{\"out\": \"run_10:20:30/p\"}"), SKV_OK);
    assert_non_null(strstr(s->out, "/run_10:20:30/p"));
    assert_int_equal(from_line(s, "--out a/b", NULL, NULL), SKV_OK);
    assert_string_equal(s->out, "a/b");
}

static void config_values_of_another_type_are_refused_by_name(void **state)
{
    static const char *const bad[] = {
        "{\"group_size\": 2.0}", "{\"group_size\": \"2\"}", "{\"dry_run\": 1}",
        "{\"seed\": -1}",        "{\"seed\": 1.5}",         "{\"name\": 3}",
        "{\"cfg\": []}",         "{\"cfg\": [1, \"2\"]}",   "{\"ratio\": \"1\"}",
        "{\"out\": [\"a\"]}",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char key[32];

        assert_int_equal(from_text(*state, bad[i]), SKV_E_FORMAT);
        snprintf(key, sizeof key, "%.*s", (int)strcspn(bad[i] + 2, "\""), bad[i] + 2);
        assert_non_null(strstr(skv_message(), key));
        assert_non_null(strstr(skv_message(), "c.json"));
    }
}

static void printed_settings_read_back_equal(void **state)
{
    settings *s = *state;
    settings again = {0};
    json_t *first = NULL, *second = NULL;

    assert_int_equal(
        from_line(s, "--seed 9223372036854775808 --cfg 1,2 --ratio 0.1 --out /x", NULL, NULL),
        SKV_OK);
    assert_int_equal(skv_options_to_json(&first, table, s), SKV_OK);
    assert_true(json_is_null(json_object_get(first, "name")));
    assert_int_equal(skv_options_from_json(table, &again, first, "printed", NULL), SKV_OK);
    assert_int_equal(skv_options_to_json(&second, table, &again), SKV_OK);
    assert_true(json_equal(first, second));
    assert_true(again.seed == s->seed);
    assert_null(again.paths); /* not given, and not the value null */
    skv_options_clear(table, &again);
    json_decref(first);
    json_decref(second);
}

static void help_has_a_line_a_row_with_the_default(void **state)
{
    char *text = NULL;

    (void)state;
    assert_int_equal(skv_options_help(&text, table), SKV_OK);
    assert_non_null(strstr(text, "Run:\n"));
    assert_non_null(strstr(text, "\nPicture:\n"));
    assert_non_null(strstr(text, "--[no-]dry-run"));
    assert_non_null(strstr(text, "rows a batch (8)\n"));
    assert_non_null(strstr(text, "a word\n"));
    for (const skv_option *o = table; o->key; o++)
        assert_non_null(strstr(text, o->help));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(defaults_come_from_the_table, start, stop),
        cmocka_unit_test_setup_teardown(flags_set_every_type, start, stop),
        cmocka_unit_test_setup_teardown(a_value_may_start_with_a_dash, start, stop),
        cmocka_unit_test_setup_teardown(other_words_are_kept_in_order_or_refused, start, stop),
        cmocka_unit_test_setup_teardown(values_of_the_wrong_form_are_refused_by_name, start, stop),
        cmocka_unit_test_setup_teardown(a_refused_value_leaves_the_old_one, start, stop),
        cmocka_unit_test_setup_teardown(unknown_names_are_refused_with_the_nearest, start, stop),
        cmocka_unit_test_setup_teardown(integers_stay_integers, start, stop),
        cmocka_unit_test_setup_teardown(a_word_is_one_of_its_row, start, stop),
        cmocka_unit_test_setup_teardown(a_suggestion_has_some_likeness, start, stop),
        cmocka_unit_test(what_an_option_names_and_is_not_there_is_a_wrong_setting),
        cmocka_unit_test_setup_teardown(a_config_sets_every_type, start, stop),
        cmocka_unit_test_setup_teardown(config_paths_are_relative_to_the_config, start, stop),
        cmocka_unit_test_setup_teardown(config_values_of_another_type_are_refused_by_name, start,
                                        stop),
        cmocka_unit_test_setup_teardown(printed_settings_read_back_equal, start, stop),
        cmocka_unit_test(help_has_a_line_a_row_with_the_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
