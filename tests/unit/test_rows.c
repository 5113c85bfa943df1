/* Rows, groups, seeds and ids follow from the list and the settings alone. */
#include "sample/rows.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

static const char list[] = "{\"prompt\": \"a cat\", \"id\": \"cat\"}\n"
                           "not json\n"
                           "{\"prompt\": \"two red apples\", \"seed\": 40}\n"
                           "{\"prompt\": \"a man\", \"negative\": \"blurry\"}\n";

typedef struct {
    skv_settings settings;
    skv_prompts *prompts;
    skv_tokenizer *tokenizer;
    skv_rows rows;
} world;

static skv_status open_rows(world *w)
{
    skv_rows_deinit(&w->rows);
    return skv_rows_init(&w->rows, &w->settings, w->prompts, w->tokenizer);
}

static int open_world(void **state)
{
    static double cfg = 3;
    world *w = calloc(1, sizeof *w);

    *state = w;
    if (!w || skv_prompts_parse(&w->prompts, list, strlen(list), SKV_PROMPTS_JSONL, "list", NULL) !=
                  SKV_OK)
        return -1;
    w->settings = (skv_settings){.samples = 1,
                                 .group_size = 3,
                                 .seed = 100,
                                 .seed_rule = strdup("row"),
                                 .prompts = strdup("list"),
                                 .cfg = {&cfg, 1}};
    if (skv_tokenizer_open_for(&w->tokenizer, SKV_TEST_DATA "/tiny_t5", NULL, 32128, false) !=
        SKV_OK)
        return -1;
    return open_rows(w) == SKV_OK ? 0 : -1;
}

static int close_world(void **state)
{
    world *w = *state;

    skv_rows_deinit(&w->rows);
    skv_tokenizer_destroy(w->tokenizer);
    skv_prompts_destroy(w->prompts);
    free(w->settings.seed_rule);
    free(w->settings.prompts);
    free(w);
    return 0;
}

static const char *id_of(const world *w, int64_t row)
{
    static char id[SKV_PROMPT_ID_BYTES + 16];

    skv_rows_id(&w->rows, row, id, sizeof id);
    return id;
}

static void a_row_is_prompt_times_samples_plus_sample(void **state)
{
    world *w = *state;

    w->settings.samples = 3;
    assert_int_equal(open_rows(w), SKV_OK);
    assert_int_equal(w->rows.n_rows, 12);
    assert_int_equal(w->rows.n_groups, 4);
    for (int64_t row = 0; row < 12; row++) {
        const skv_row r = skv_rows_at(&w->rows, row);

        assert_int_equal(r.prompt * 3 + r.sample, row);
    }
    assert_string_equal(id_of(w, 1), "cat-1");
    assert_string_equal(id_of(w, 11), "00003-2");
}

static void ids_are_the_prompts_or_their_index(void **state)
{
    const world *w = *state;

    assert_string_equal(id_of(w, 0), "cat");
    assert_string_equal(id_of(w, 2), "00002");
}

static void the_last_group_is_what_is_left(void **state)
{
    const world *w = *state;
    int64_t first = -1;
    int n = -1;

    assert_int_equal(w->rows.n_groups, 2);
    skv_rows_group(&w->rows, 0, &first, &n);
    assert_true(first == 0 && n == 3);
    skv_rows_group(&w->rows, 1, &first, &n);
    assert_true(first == 3 && n == 1);
}

static void a_prompts_own_seed_wins_over_the_rule(void **state)
{
    world *w = *state;

    w->settings.samples = 2;
    assert_int_equal(open_rows(w), SKV_OK);
    assert_int_equal(skv_rows_at(&w->rows, 1).seed, 101);
    assert_int_equal(skv_rows_at(&w->rows, 7).seed, 107);
    assert_int_equal(skv_rows_at(&w->rows, 5).seed, 41); /* prompt 2, sample 1 */
    free(w->settings.seed_rule);
    w->settings.seed_rule = strdup("index");
    assert_int_equal(skv_rows_at(&w->rows, 7).seed, 4);
    assert_int_equal(skv_rows_at(&w->rows, 4).seed, 40);
}

static void a_bad_line_has_no_tokens_and_is_counted(void **state)
{
    const world *w = *state;

    assert_int_equal(w->rows.n_bad, 1);
    assert_int_equal(w->rows.tokens[1], 0);
    assert_true(w->rows.tokens[0] > 1);
}

static void negative_prompts_count_only_where_guidance_reads_them(void **state)
{
    static double one = 1;
    world *w = *state;
    const int32_t before = w->rows.negative_tokens[3];

    assert_true(before > 1);
    assert_int_equal(w->rows.negative_tokens[0], 0);
    w->settings.cfg = (skv_reals){&one, 1};
    assert_int_equal(open_rows(w), SKV_OK);
    assert_int_equal(w->rows.negative_tokens[3], 0);
    assert_int_equal(skv_rows_measure(&w->rows, 3).uncond, 0);
}

/* The plan of a group's memory: each prompt's text once, however many of its samples are there. */
static void the_largest_groups_are_measured(void **state)
{
    world *w = *state;
    skv_group_sizes s = skv_rows_measure(&w->rows, 3);
    const int first = w->rows.tokens[0], third = w->rows.tokens[2], both = first + third;
    const int last = w->rows.tokens[3] + w->rows.negative_tokens[3];

    assert_int_equal(s.prompts, 2); /* the bad line of the first three is not computed */
    assert_int_equal(s.text_tokens, both > last ? both : last);
    assert_int_equal(s.uncond, first > third ? first : third);
    w->settings.samples = 3;
    assert_int_equal(open_rows(w), SKV_OK);
    s = skv_rows_measure(&w->rows, 3);
    assert_int_equal(s.prompts, 3);
    assert_int_equal(s.text_tokens, third > last ? third : last);
}

static void an_empty_list_is_refused_by_name(void **state)
{
    const skv_prompts none = {0};
    world *w = *state;
    skv_rows rows;

    assert_int_equal(skv_rows_init(&rows, &w->settings, &none, w->tokenizer), SKV_E_ARG);
    assert_string_equal(skv_message(), "list: no prompts");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_row_is_prompt_times_samples_plus_sample, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(ids_are_the_prompts_or_their_index, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(the_last_group_is_what_is_left, open_world, close_world),
        cmocka_unit_test_setup_teardown(a_prompts_own_seed_wins_over_the_rule, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(a_bad_line_has_no_tokens_and_is_counted, open_world,
                                        close_world),
        cmocka_unit_test_setup_teardown(negative_prompts_count_only_where_guidance_reads_them,
                                        open_world, close_world),
        cmocka_unit_test_setup_teardown(the_largest_groups_are_measured, open_world, close_world),
        cmocka_unit_test_setup_teardown(an_empty_list_is_refused_by_name, open_world, close_world),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
