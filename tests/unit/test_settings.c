/* Settings: defaults, then the config, then the command line; what is out of range is named. */
#include "sample/settings.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"

static skv_status read_settings(skv_settings *s, const char *config, int argc, char **argv)
{
    const skv_config c = {.path = "c.json",
                          .folder = (char *)(uintptr_t) "folder",
                          .text = (char *)(uintptr_t)config,
                          .bytes = config ? strlen(config) : 0};
    const skv_settings_sources sources = {.config = &c, .argc = argc, .argv = argv};
    const skv_status st = skv_settings_read(s, &sources);

    return st == SKV_OK ? skv_settings_check(s) : st;
}

static void the_command_line_wins_over_the_config_and_that_over_the_defaults(void **state)
{
    char *argv[] = {"--samples", "7", "--no-positive"};
    skv_settings s;

    (void)state;
    assert_int_equal(
        read_settings(&s, "{\"samples\": 5, \"seed\": 9, \"positive\": true}", 3, argv), SKV_OK);
    assert_int_equal(s.samples, 7);
    assert_int_equal(s.seed, 9);
    assert_false(s.positive);
    assert_int_equal(s.group_size, 8);
    skv_options_clear(skv_settings_table, &s);
}

static void paths_of_a_config_are_relative_to_it_and_formulas_are_not(void **state)
{
    skv_settings s;

    (void)state;
    assert_int_equal(
        read_settings(&s, "{\"transformer\": \"formula:2b\", \"t5\": \"t5\", \"vae\": \"/a/v\"}", 0,
                      NULL),
        SKV_OK);
    assert_string_equal(s.transformer, "formula:2b");
    assert_string_equal(s.t5, "folder/t5");
    assert_string_equal(s.vae, "/a/v");
    skv_options_clear(skv_settings_table, &s);
}

static void shards_cover_all_groups_once(void **state)
{
    char text[16];
    skv_settings s = {.shard = text};
    int64_t first, end;

    (void)state;
    for (int n = 1; n <= 7; n++)
        for (int64_t n_groups = 0; n_groups <= 20; n_groups++) {
            int64_t next = 0;

            for (int k = 1; k <= n; k++) {
                snprintf(text, sizeof text, "%d/%d", k, n);
                assert_int_equal(skv_settings_shard(&first, &end, &s, n_groups), SKV_OK);
                assert_int_equal(first, next);
                assert_in_range(end - first, n_groups / n, (n_groups + n - 1) / n);
                next = end;
            }
            assert_int_equal(next, n_groups);
        }
    s.shard = NULL;
    assert_int_equal(skv_settings_shard(&first, &end, &s, 20), SKV_OK);
    assert_int_equal(first, 0);
    assert_int_equal(end, 20);
}

static void what_is_out_of_range_is_refused_by_the_options_name(void **state)
{
    static const char *const wrong[][2] = {
        {"--samples", "0"},
        {"--group-size", "0"},
        {"--shard", "0/2"},
        {"--shard", "3/2"},
        {"--shard", "2"},
        {"--shard", "1/2x"},
        {"--shard", "1:2"},
        {"--shard", "-1/2"},
        {"--group-size", "2000"},
        {"--threads", "-1"},
        {"--png-threads", "65"},
        {"--top-p", "1.5"},
        {"--cfg", "101"},
        {"--tau", "0"},
        {"--tau", "1,0,1"},
        {"--seed-rule", "coco"},
        {"--torch-gpu", "v100"},
        {"--torch-gpu", "132"},
        {"--torch-gpu", "0:2048"},
        {"--torch-gpu", "132:255"},
        {"--torch-gpu", "132:2048x"},
        {"--torch-gpu", "132x2048"},
        {"--prompt-order", "size"},
        {"--tokens", "slow"},
        {"--device", "gpu"},
        {"--dtype", "fp16"},
        {"--memory-limit", "-1"},
        {"--store", "bits,jpeg"},
        {"--store", "png"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char name[32], value[32], *argv[] = {name, value};
        skv_settings s;

        strcpy(name, wrong[i][0]);
        strcpy(value, wrong[i][1]);
        assert_int_equal(read_settings(&s, NULL, 2, argv), SKV_E_ARG);
        assert_non_null(strstr(skv_message(), wrong[i][0]));
        skv_options_clear(skv_settings_table, &s);
    }
}

static void cfg_and_tau_are_one_number_or_one_a_scale(void **state)
{
    char *argv[] = {"--cfg", "1,2,3", "--tau", "0.5"};
    skv_schedule three = {.n_scales = 3}, four = {.n_scales = 4};
    skv_guidance g;
    skv_settings s;

    (void)state;
    assert_int_equal(read_settings(&s, NULL, 4, argv), SKV_OK);
    assert_int_equal(skv_settings_guidance(&g, &s, &three, 8), SKV_OK);
    for (int si = 0; si < 3; si++) {
        assert_true(g.cfg[si] == si + 1);
        assert_true(g.tau[si] == 0.5);
    }
    assert_int_equal(skv_settings_guidance(&g, &s, &four, 8), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "--cfg has 3 values"));
    skv_options_clear(skv_settings_table, &s);
}

static void the_insertion_layer_lies_within_the_model(void **state)
{
    skv_schedule schedule = {.n_scales = 3};
    skv_guidance g;
    skv_settings s;

    (void)state;
    assert_int_equal(read_settings(&s, NULL, 0, NULL), SKV_OK);
    for (int64_t layer = -10; layer <= 2; layer++) {
        s.cfg_insertion_layer = layer;
        assert_int_equal(skv_settings_guidance(&g, &s, &schedule, 8) == SKV_OK,
                         layer <= 0 && layer >= -8);
    }
    skv_options_clear(skv_settings_table, &s);
}

static void guidance_is_on_where_any_scale_has_it(void **state)
{
    static const char *const cfg[] = {"1", "1,1", "1,1.5", "0"};

    (void)state;
    for (size_t i = 0; i < sizeof cfg / sizeof cfg[0]; i++) {
        char value[16], *argv[] = {"--cfg", value};
        skv_settings s;

        strcpy(value, cfg[i]);
        assert_int_equal(read_settings(&s, NULL, 2, argv), SKV_OK);
        assert_int_equal(skv_settings_guided(&s), i >= 2);
        skv_options_clear(skv_settings_table, &s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_command_line_wins_over_the_config_and_that_over_the_defaults),
        cmocka_unit_test(paths_of_a_config_are_relative_to_it_and_formulas_are_not),
        cmocka_unit_test(shards_cover_all_groups_once),
        cmocka_unit_test(what_is_out_of_range_is_refused_by_the_options_name),
        cmocka_unit_test(cfg_and_tau_are_one_number_or_one_a_scale),
        cmocka_unit_test(the_insertion_layer_lies_within_the_model),
        cmocka_unit_test(guidance_is_on_where_any_scale_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
