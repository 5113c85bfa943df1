#include "cache/budget.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmocka_all.h"
#include "core/json.h"

#define CONFIGS SKV_TEST_DATA "/../../configs/budgets/"

static const double ratios[] = {1,   1.25, 1.333, 1.5,   1.75, 2,   2.5,  3,
                                0.8, 0.75, 0.666, 0.571, 0.5,  0.4, 0.333};
static const char *const resolutions[] = {"0.06M", "0.25M", "0.60M", "1M"};

static void make(skv_dims *dims, const char *model, skv_schedule *schedule, double ratio,
                 const char *resolution)
{
    assert_int_equal(skv_dims_named(dims, model), SKV_OK);
    assert_int_equal(skv_schedule_make(schedule, ratio, resolution), SKV_OK);
}

/* Max and Min of the released files (src/cache/README.md). */
static const struct {
    const char *model, *file;
    int max[5], min[5], high[5];
} released[] = {
    {"2b",
     CONFIGS "2b_10%_budget.json",
     {920, 1490, 2510, 4100, 6385},
     {632, 594, 526, 420, 465},
     {2, 2, 2, 2, 1}},
    {"8b",
     CONFIGS "8b_10%_budget.json",
     {909, 1464, 2463, 4054, 6200},
     {629, 584, 503, 374, 200},
     {3, 3, 3, 3, 3}},
};

static void assert_is_released(const skv_budget *b, size_t which)
{
    assert_int_equal(skv_budget_first(b), 9 - 2);
    for (int i = 0; i < 5; i++) {
        int high;
        skv_budget_row r = skv_budget_row_at(b, 7 + i, &high);

        assert_int_equal(r.scale, 9 + i);
        assert_int_equal(r.max, released[which].max[i]);
        assert_int_equal(r.min, released[which].min[i]);
        assert_int_equal(high, released[which].high[i]);
    }
}

static void the_rule_at_10_percent_gives_the_released_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        skv_dims dims;
        skv_schedule s;
        skv_budget_rule rule = {.dims = &dims, .schedule = &s};
        skv_budget *b;

        make(&dims, released[i].model, &s, 1, "1M");
        rule.base = skv_policy_base(10, &s);
        rule.floor = skv_budget_floor(rule.base, 16);
        assert_int_equal(skv_drafters_known(&rule.drafters, &dims), SKV_OK);
        assert_int_equal(skv_budget_build(&b, &rule), SKV_OK);
        assert_is_released(b, i);
        skv_budget_destroy(b);
    }
}

static void released_files_load_and_print_as_they_were(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        skv_dims dims;
        skv_schedule s;
        skv_budget *b;
        json_t *file, *again;

        make(&dims, released[i].model, &s, 1, "1M");
        assert_int_equal(skv_budget_load(&b, released[i].file, &dims, &s), SKV_OK);
        assert_is_released(b, i);
        assert_int_equal(skv_budget_capacity(b, 0, 6), SKV_KEEP_ALL);
        assert_int_equal(skv_budget_capacity(b, 0, 7), released[i].max[0]);
        assert_int_equal(skv_budget_capacity(b, dims.depth - 1, 11), released[i].min[4]);
        assert_true(skv_budget_average(b) == 650.0);
        assert_int_equal(skv_json_read(&file, released[i].file), SKV_OK);
        assert_int_equal(skv_budget_to_json(&again, b), SKV_OK);
        assert_true(json_equal(file, again));
        json_decref(file);
        json_decref(again);
        skv_budget_destroy(b);
    }
}

static void layer_23_of_2b_is_no_drafter_for_scale_13(void **state)
{
    skv_dims dims;
    skv_schedule s;
    skv_budget *b;

    (void)state;
    make(&dims, "2b", &s, 1, "1M");
    assert_int_equal(skv_budget_load(&b, released[0].file, &dims, &s), SKV_OK);
    assert_int_equal(skv_budget_capacity(b, 23, 10), 4100);
    assert_int_equal(skv_budget_capacity(b, 23, 11), 465);
    assert_int_equal(skv_budget_capacity(b, 0, 11), 6385);
    skv_budget_destroy(b);
}

static void base_is_the_percentage_scaled_by_the_history(void **state)
{
    static const struct {
        double ratio, percent;
        int base;
    } known[] = {{1, 4, 265},     {1, 10, 650},     {1, 20, 1300},     {1, 1, 65},
                 {1.333, 4, 292}, {1.333, 10, 717}, {1.333, 20, 1434}, {1, 0.001, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        skv_schedule s;

        assert_int_equal(skv_schedule_make(&s, known[i].ratio, "1M"), SKV_OK);
        assert_int_equal(skv_policy_base(known[i].percent, &s), known[i].base);
    }
}

static void check_rows(const skv_budget *b, const skv_budget_rule *rule)
{
    int64_t n = rule->dims->depth, total = n * rule->base;
    int held = 0;

    for (int si = 0; si < rule->schedule->n_scales - 1; si++) {
        skv_budget_row r;
        int d;

        held += skv_schedule_tokens(rule->schedule, si);
        if (si < skv_budget_first(b)) {
            assert_true(held <= rule->base);
            continue;
        }
        r = skv_budget_row_at(b, si, &d);
        assert_true(held > rule->base);
        assert_int_equal(r.limit, held);
        assert_true(r.min >= rule->floor && r.max >= r.min && r.max <= r.limit);
        assert_int_equal(d * (int64_t)r.max + (n - d) * r.min, total);
        for (int m = rule->floor; m < r.min; m++) {
            int64_t rest = total - (n - d) * m;

            assert_true(rest % d != 0 || rest / d > r.limit);
        }
        held = r.max;
    }
}

static void every_row_meets_the_average_with_the_least_refiners(void **state)
{
    static const int sets[3][3] = {{0, -1, -1}, {0, 3, -1}, {0, 1, 2}};

    (void)state;
    for (size_t i = 0; i < sizeof ratios / sizeof ratios[0]; i++)
        for (size_t j = 0; j < 4; j++)
            for (int percent = 9; percent <= 60; percent += 13)
                for (int k = 0; k < 3; k++) {
                    skv_dims dims;
                    skv_schedule s;
                    skv_budget_rule rule = {.dims = &dims, .schedule = &s};
                    skv_budget *b;

                    make(&dims, k == 2 ? "layer24" : "tiny_f16", &s, ratios[i], resolutions[j]);
                    assert_int_equal(skv_drafters_uniform(&rule.drafters, &dims, sets[k], k + 1),
                                     SKV_OK);
                    rule.base = skv_policy_base(percent, &s);
                    rule.floor = skv_budget_floor(rule.base, 16);
                    assert_int_equal(skv_budget_build(&b, &rule), SKV_OK);
                    assert_true(skv_budget_first(b) < s.n_scales - 1);
                    assert_int_equal(skv_budget_check(b, &dims, &s, "built"), SKV_OK);
                    check_rows(b, &rule);
                    skv_budget_destroy(b);
                }
}

static void a_base_beyond_the_history_never_cuts(void **state)
{
    skv_dims dims;
    skv_schedule s;
    skv_budget_rule rule = {.dims = &dims, .schedule = &s};
    skv_budget *b;

    (void)state;
    make(&dims, "2b", &s, 1, "0.25M");
    assert_int_equal(skv_drafters_known(&rule.drafters, &dims), SKV_OK);
    rule.base = skv_schedule_history(&s);
    rule.floor = 16;
    assert_int_equal(skv_budget_build(&b, &rule), SKV_OK);
    assert_int_equal(skv_budget_first(b), s.n_scales - 1);
    assert_int_equal(skv_budget_capacity(b, 0, s.n_scales - 2), SKV_KEEP_ALL);
    skv_budget_destroy(b);
    rule.base = 15;
    b = NULL;
    assert_int_equal(skv_budget_build(&b, &rule), SKV_E_ARG);
    assert_null(b);
    assert_non_null(strstr(skv_message(), "16"));
}

static void drafters_are_layers_of_the_model_in_order(void **state)
{
    skv_dims dims;
    skv_drafters d;

    (void)state;
    assert_int_equal(skv_dims_named(&dims, "tiny_f16"), SKV_OK);
    assert_int_equal(skv_drafters_known(&d, &dims), SKV_E_NOTFOUND);
    assert_non_null(strstr(skv_message(), "--drafters"));
    assert_int_equal(skv_drafters_uniform(&d, &dims, (int[]){0, 4}, 2), SKV_E_ARG);
    assert_int_equal(skv_drafters_uniform(&d, &dims, (int[]){-1}, 1), SKV_E_ARG);
    assert_int_equal(skv_drafters_uniform(&d, &dims, (int[]){2, 1}, 2), SKV_E_ARG);
    assert_int_equal(skv_drafters_uniform(&d, &dims, (int[]){1, 1}, 2), SKV_E_ARG);
    assert_int_equal(skv_drafters_uniform(&d, &dims, NULL, 0), SKV_E_ARG);
    assert_int_equal(skv_drafters_uniform(&d, &dims, (int[]){1, 3}, 2), SKV_OK);
    assert_true(d.layers[0] == 10 && d.layers[SKV_MAX_SCALES - 1] == 10);
}

static void refuse(const char *path, const char *model, double ratio, const char *resolution,
                   const char *word)
{
    skv_dims dims;
    skv_schedule s;
    skv_budget *b = NULL;

    make(&dims, model, &s, ratio, resolution);
    assert_int_equal(skv_budget_load(&b, path, &dims, &s), SKV_E_FORMAT);
    assert_null(b);
    if (!strstr(skv_message(), path) || !strstr(skv_message(), word))
        fail_msg("%s: no \"%s\" in: %s", path, word, skv_message());
}

static void tables_of_other_models_and_schedules_are_refused_by_name(void **state)
{
    (void)state;
    refuse(released[1].file, "2b", 1, "1M", "\"Block 32\", the model has 32 layers");
    refuse(released[0].file, "8b", 1, "1M", "\"Block 32\", the model has 40 layers");
    refuse(released[0].file, "2b", 1.333, "1M", "Limit 921");
    refuse(released[0].file, "2b", 1, "0.25M", "\"Scale 11\"");
    refuse(released[0].file, "2b", 1, "0.06M", "\"Scale 9\"");
}

static char edited[64]; /* name of the file that edit made last */

/* Makes a copy of a file with the first `from` replaced by `to`. */
static void edit(const char *file, const char *from, const char *to)
{
    static char text[65536];
    FILE *in = fopen(file, "r"), *out;
    size_t n;
    char *at;
    int fd;

    strcpy(edited, "/tmp/skv-budget-XXXXXX");
    fd = mkstemp(edited);
    assert_true(fd >= 0);
    assert_non_null(in);
    n = fread(text, 1, sizeof text - 1, in);
    text[n] = '\0';
    fclose(in);
    at = strstr(text, from);
    assert_non_null(at);
    out = fdopen(fd, "w");
    assert_non_null(out);
    fprintf(out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    assert_int_equal(fclose(out), 0);
}

/* Of the 2b file. */
static void refuse_edited(const char *from, const char *to, const char *word)
{
    edit(released[0].file, from, to);
    refuse(edited, "2b", 1, "1M", word);
    unlink(edited);
}

static void edited_tables_are_refused_by_name(void **state)
{
    (void)state;
    refuse_edited("\"Scale 10\"", "\"Scale 10x\"", "has no \"Scale 10\"");
    refuse_edited("\"Scale 9\"", "\"Scale 09\"", "\"Scale 09\"");
    refuse_edited("\"Scale 13\"", "\"Scale 14\"", "has no \"Scale 13\"");
    refuse_edited("\"Max\": 920", "\"Max\": 922", "Max 922");
    refuse_edited("\"Max\": 920", "\"Max\": 600", "Min 632");
    refuse_edited("\"Max\": 920", "\"Max\": 919", "Limit 1496");
    refuse_edited("\"Max\": 920", "\"Max\": \"920\"", "\"Max\"");
    refuse_edited("\"Max\": 920", "\"Max\": 4294968216", "\"Max\"");
    refuse_edited("\"Min\": 632", "\"Min\": -1", "\"Min\"");
    refuse_edited("\"Min\": 632", "\"Min\": 0", "Min 0");
    refuse_edited("\"Min\": 632", "\"Least\": 632", "\"Least\"");
    refuse_edited("\"High\": 2", "\"High\": 3", "High 3");
    refuse_edited("\"Block 5\": 0", "\"Block 5\": 2", "\"Block 5\"");
    refuse_edited("\"Block 5\": 0", "\"Block 4\": 0", "duplicate");
    refuse_edited("\"Block 31\": 0", "\"Block 39\": 0", "\"Block 39\", the model has 32 layers");
    refuse_edited("\"Block 5\": 0,", "", "no \"Block 5\"");
}

static void provenance_is_passed_over(void **state)
{
    skv_budget *b = NULL;
    skv_dims dims;
    skv_schedule s;

    (void)state;
    edit(released[0].file, "{", "{\"provenance\": {\"made_by\": \"x\"},");
    make(&dims, "2b", &s, 1, "1M");
    assert_int_equal(skv_budget_load(&b, edited, &dims, &s), SKV_OK);
    assert_int_equal(skv_budget_capacity(b, 0, 7), 920);
    skv_budget_destroy(b);
    unlink(edited);
    refuse_edited("{", "{\"provenance\": 3,", "\"provenance\" is not an object");
    refuse_edited("{", "{\"provenence\": {},", "\"provenence\"");
}

static void texts_that_are_no_table_are_refused(void **state)
{
    static const char *const texts[] = {"[]", "{}", "{\"provenance\": {}}", "{\"Scale 9\": 3}",
                                        "{",  "",   "{\"Scale 13\": []}"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char path[] = "/tmp/skv-budget-XXXXXX";
        int fd = mkstemp(path);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, texts[i], strlen(texts[i])), strlen(texts[i]));
        close(fd);
        refuse(path, "2b", 1, "1M", path);
        unlink(path);
    }
}

static void given_rows_must_be_consecutive_and_fit_the_schedule(void **state)
{
    skv_budget_row rows[] = {{12, 3600, 2000, 200}, {13, 4304, 2000, 200}};
    skv_drafters d;
    skv_dims dims;
    skv_schedule s;
    skv_budget *b = NULL;

    (void)state;
    make(&dims, "tiny_f16", &s, 1, "1M");
    rows[0].limit = s.start[11];
    rows[1].limit = 2000 + skv_schedule_tokens(&s, 11);
    assert_int_equal(skv_drafters_uniform(&d, &dims, (int[]){0}, 1), SKV_OK);
    assert_int_equal(skv_budget_from_rows(&b, &dims, &s, rows, 2, &d, "given"), SKV_OK);
    assert_int_equal(skv_budget_capacity(b, 0, 10), 2000);
    assert_int_equal(skv_budget_capacity(b, 1, 11), 200);
    assert_int_equal(skv_budget_capacity(b, 1, 9), SKV_KEEP_ALL);
    skv_budget_destroy(b);
    b = NULL;
    assert_int_equal(skv_budget_from_rows(&b, &dims, &s, rows, 1, &d, "given"), SKV_E_FORMAT);
    rows[0].scale = 13;
    assert_int_equal(skv_budget_from_rows(&b, &dims, &s, rows, 2, &d, "given"), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "given"));
    rows[0].scale = 12;
    rows[1].limit++;
    assert_int_equal(skv_budget_from_rows(&b, &dims, &s, rows, 2, &d, "given"), SKV_E_FORMAT);
    assert_null(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rule_at_10_percent_gives_the_released_tables),
        cmocka_unit_test(released_files_load_and_print_as_they_were),
        cmocka_unit_test(layer_23_of_2b_is_no_drafter_for_scale_13),
        cmocka_unit_test(base_is_the_percentage_scaled_by_the_history),
        cmocka_unit_test(every_row_meets_the_average_with_the_least_refiners),
        cmocka_unit_test(a_base_beyond_the_history_never_cuts),
        cmocka_unit_test(drafters_are_layers_of_the_model_in_order),
        cmocka_unit_test(tables_of_other_models_and_schedules_are_refused_by_name),
        cmocka_unit_test(edited_tables_are_refused_by_name),
        cmocka_unit_test(provenance_is_passed_over),
        cmocka_unit_test(texts_that_are_no_table_are_refused),
        cmocka_unit_test(given_rows_must_be_consecutive_and_fit_the_schedule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
