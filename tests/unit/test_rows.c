/* Rows, groups, seeds and ids follow from the list and the settings alone. */
#include "sample/rows_build.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"

static const char list[] = "{\"prompt\": \"a cat\", \"id\": \"cat\"}\n"
                           "not json\n"
                           "{\"prompt\": \"two red apples\", \"seed\": 40}\n"
                           "{\"prompt\": \"a man\", \"negative\": \"blurry\"}\n";

typedef struct {
    skv_settings settings;
    skv_prompt_table *table;
    skv_prompt_facts facts;
    skv_tokenizer *tokenizer;
    skv_rows rows;
    skv_row_span all; /* every prompt */
} world;

static skv_status open_rows(world *w)
{
    skv_row_span_clear(&w->all);
    SKV_TRY(skv_rows_init(&w->rows, &w->settings, w->table, &w->facts, w->tokenizer, 32128));
    return skv_rows_load(&w->all, &w->rows, 0, w->facts.n_prompts);
}

static skv_status parse(world *w)
{
    skv_prompt_list lines = {0};

    skv_prompts_open_bytes(&lines.source, list, strlen(list), SKV_PROMPTS_JSONL);
    SKV_TRY(skv_rows_parse(&w->table, &w->facts, &lines, &w->settings));
    SKV_TRY(skv_rows_init(&w->rows, &w->settings, w->table, &w->facts, w->tokenizer, 32128));
    return skv_rows_tokenise(&w->rows, w->table, w->tokenizer, 2);
}

static int open_world(void **state)
{
    static double cfg = 3;
    world *w = calloc(1, sizeof *w);

    *state = w;
    if (!w)
        return -1;
    w->settings = (skv_settings){.samples = 1,
                                 .group_size = 3,
                                 .seed = 100,
                                 .seed_rule = strdup("row"),
                                 .prompts = strdup("list"),
                                 .prompt_order = strdup("images"),
                                 .cfg = {&cfg, 1}};
    if (skv_tokenizer_open_for(&w->tokenizer, SKV_TEST_DATA "/tiny_t5", NULL, 32128, false) !=
        SKV_OK)
        return -1;
    return parse(w) == SKV_OK && open_rows(w) == SKV_OK ? 0 : -1;
}

static int close_world(void **state)
{
    world *w = *state;

    skv_row_span_clear(&w->all);
    skv_prompt_table_destroy(w->table);
    skv_tokenizer_destroy(w->tokenizer);
    free(w->settings.seed_rule);
    free(w->settings.prompts);
    free(w->settings.prompt_order);
    free(w);
    return 0;
}

static const char *id_of(const world *w, int64_t row)
{
    static char id[SKV_PROMPT_ID_BYTES + 16];

    skv_row_id(&w->all, row, id, sizeof id);
    return id;
}

static uint64_t seed_of(const world *w, int64_t row)
{
    return skv_row_of(&w->all, row).seed;
}

static void assert_numbers(const world *w, int64_t row, uint64_t seed, uint64_t before)
{
    const skv_row r = skv_row_of(&w->all, row);

    assert_int_equal(r.seed, seed);
    assert_int_equal(r.before, before);
}

static void set_rule(world *w, const char *rule)
{
    free(w->settings.seed_rule);
    w->settings.seed_rule = strdup(rule);
}

static void a_row_is_prompt_times_samples_plus_sample(void **state)
{
    world *w = *state;

    w->settings.samples = 3;
    assert_int_equal(open_rows(w), SKV_OK);
    assert_int_equal(w->rows.segments.n_rows, 12);
    assert_int_equal(w->rows.segments.n_groups, 4);
    for (int64_t row = 0; row < 12; row++) {
        const skv_row r = skv_row_of(&w->all, row);

        assert_int_equal(r.index * 3 + r.sample, row);
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

/* A group's span begins and ends within its prompts, also where these lie in several groups. */
static void a_group_loads_its_own_prompts_alone(void **state)
{
    world *w = *state;
    skv_row_span span = {0};

    w->settings.samples = 2;
    assert_int_equal(open_rows(w), SKV_OK);
    assert_int_equal(skv_rows_load_group(&span, &w->rows, 1), SKV_OK); /* rows 3, 4, 5 */
    assert_int_equal(span.first, 1);
    assert_int_equal(span.n, 2);
    for (int64_t row = 3; row < 6; row++) {
        const skv_row_prompt *p = skv_row_of(&span, row).prompt;

        assert_string_equal(p->text, w->all.prompt[row / 2].text);
        assert_int_equal(p->n_tokens, w->all.prompt[row / 2].n_tokens);
    }
    skv_row_span_clear(&span);
}

static void the_last_group_is_what_is_left(void **state)
{
    const world *w = *state;
    int64_t first = -1;
    int n = -1;

    assert_int_equal(w->rows.segments.n_groups, 2);
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
    assert_int_equal(seed_of(w, 1), 101);
    assert_int_equal(seed_of(w, 7), 107);
    assert_int_equal(seed_of(w, 5), 41); /* prompt 2, sample 1 */
    set_rule(w, "index");
    assert_int_equal(seed_of(w, 7), 4);
    assert_int_equal(seed_of(w, 4), 40);
    set_rule(w, "dpg");
    assert_int_equal(seed_of(w, 5), 41);
    set_rule(w, "run");
    assert_numbers(w, 5, 41, 0);
    set_rule(w, "prompt");
    assert_numbers(w, 5, 40, 1);
}

/* As upstream's scripts seed their generators: for each prompt, once, or by the item's row. */
static void the_rules_are_those_of_the_scripts(void **state)
{
    world *w = *state;

    w->settings.samples = 2;
    assert_int_equal(open_rows(w), SKV_OK);
    set_rule(w, "row");
    assert_numbers(w, 7, 107, 0);
    set_rule(w, "prompt");
    assert_numbers(w, 6, 100, 0);
    assert_numbers(w, 7, 100, 1);
    set_rule(w, "run");
    assert_numbers(w, 0, 100, 0);
    assert_numbers(w, 7, 100, 7);
    set_rule(w, "dpg");
    assert_numbers(w, 6, 100 + 4 * 3, 0);
    assert_numbers(w, 7, 100 + 4 * 3 + 1, 0);
}

static void a_bad_line_has_no_tokens_and_is_counted(void **state)
{
    const world *w = *state;

    assert_int_equal(w->facts.n_bad, 1);
    assert_non_null(w->all.prompt[1].error);
    assert_string_equal(w->all.prompt[1].text, "");
    assert_int_equal(w->all.prompt[1].n_tokens, 0);
    assert_true(w->all.prompt[0].n_tokens > 1);
    assert_null(w->all.prompt[0].error);
}

static void tokens_are_those_of_the_encoded_text(void **state)
{
    const world *w = *state;

    for (int64_t i = 0; i < w->all.n; i++) {
        const skv_row_prompt *p = &w->all.prompt[i];
        int32_t ids[SKV_MAX_TOKENS];
        bool truncated = true;
        int n = 0;

        if (p->error)
            continue;
        assert_int_equal(skv_rows_encode(w->tokenizer, p->used, ids, &n, &truncated), SKV_OK);
        assert_int_equal(n, p->n_tokens);
        assert_memory_equal(ids, p->token, (size_t)n * sizeof *ids);
        assert_int_equal(truncated, p->truncated);
    }
}

/* Shares of any number of ranks and threads, joined in the order of the ranks, are the same ids. */
static void shares_together_are_the_whole(void **state)
{
    const world *w = *state;
    size_t end[7];
    skv_bytes texts = {0}, all = {0}, part = {0}, joined = {0};
    int64_t next = 0;

    assert_int_equal(skv_texts_pack(&texts, &next, &w->rows), SKV_OK);
    assert_int_equal(next, w->facts.n_prompts);
    assert_int_equal(skv_texts_encode(&all, texts.data, texts.n, w->tokenizer, 1), SKV_OK);
    for (int size = 1; size <= 7; size++) {
        size_t from = 0;

        joined.n = 0;
        skv_texts_cut(end, size, &texts);
        assert_int_equal(end[size - 1], texts.n);
        for (int rank = 0; rank < size; from = end[rank++]) {
            assert_int_equal(skv_texts_encode(&part, texts.data + from, end[rank] - from,
                                              w->tokenizer, 1 + rank % 2),
                             SKV_OK);
            assert_int_equal(skv_bytes_add(&joined, part.data, part.n, "ids"), SKV_OK);
        }
        assert_int_equal(joined.n, all.n);
        assert_memory_equal(joined.data, all.data, all.n);
    }
    skv_bytes_clear(&texts);
    skv_bytes_clear(&all);
    skv_bytes_clear(&part);
    skv_bytes_clear(&joined);
}

/* What rank 0 holds and sends at once does not grow with the list. */
static void texts_are_packed_a_few_mib_at_a_time(void **state)
{
    world *w = *state;
    const skv_prompt_facts many = {.n_prompts = 100000, .index_digits = 5};
    skv_bytes texts = {0};
    char text[100] = {0};
    int64_t next = 0;
    int rounds = 0;

    skv_row_span_clear(&w->all);
    skv_prompt_table_destroy(w->table);
    w->table = NULL;
    assert_int_equal(skv_prompt_table_create(&w->table, "list"), SKV_OK);
    memset(text, 'a', sizeof text - 1);
    for (int64_t i = 0; i < many.n_prompts; i++)
        assert_int_equal(skv_prompt_table_add(w->table, SKV_LIST_TEXT, i, text, sizeof text),
                         SKV_OK);
    assert_int_equal(skv_rows_init(&w->rows, &w->settings, w->table, &many, w->tokenizer, 32128),
                     SKV_OK);
    for (; next < many.n_prompts; rounds++) {
        assert_int_equal(skv_texts_pack(&texts, &next, &w->rows), SKV_OK);
        assert_in_range(texts.n, 1, (size_t)4608 << 10);
    }
    assert_in_range(rounds, 3, 4); /* 12 MB */
    skv_bytes_clear(&texts);
}

/* The run's own negative prompt is tokenised once, a line's wins over it, an empty one is none. */
static void negative_prompts_count_only_where_guidance_reads_them(void **state)
{
    static double one = 1;
    world *w = *state;
    skv_group_sizes sizes;

    assert_true(w->all.prompt[3].n_negative > 1);
    assert_int_equal(w->all.prompt[0].n_negative, 0);
    w->settings.negative = strdup("ugly and very blurry");
    assert_int_equal(open_rows(w), SKV_OK);
    assert_true(w->all.prompt[0].n_negative > w->all.prompt[3].n_negative);
    assert_ptr_equal(w->all.prompt[0].negative_token, w->rows.negative);
    w->settings.cfg = (skv_reals){&one, 1};
    assert_int_equal(open_rows(w), SKV_OK);
    assert_int_equal(w->all.prompt[0].n_negative, 0);
    assert_int_equal(w->all.prompt[3].n_negative, 0);
    assert_int_equal(skv_rows_measure(&sizes, &w->rows, 3), SKV_OK);
    assert_int_equal(sizes.uncond, 0);
    free(w->settings.negative);
}

/* The plan of a group's memory: each prompt's text once, however many of its samples are there. */
static void the_largest_groups_are_measured(void **state)
{
    world *w = *state;
    const int first = w->all.prompt[0].n_tokens, third = w->all.prompt[2].n_tokens;
    const int both = first + third;
    const int last = w->all.prompt[3].n_tokens + w->all.prompt[3].n_negative;
    skv_group_sizes s;

    assert_int_equal(skv_rows_measure(&s, &w->rows, 3), SKV_OK);
    assert_int_equal(s.prompts, 2); /* the bad line of the first three is not computed */
    assert_int_equal(s.text_tokens, both > last ? both : last);
    assert_int_equal(s.uncond, first > third ? first : third);
    w->settings.samples = 3;
    assert_int_equal(open_rows(w), SKV_OK);
    assert_int_equal(skv_rows_measure(&s, &w->rows, 3), SKV_OK);
    assert_int_equal(s.prompts, 3);
    assert_int_equal(s.text_tokens, third > last ? third : last);
}

/* Ids select rows of the embedding. */
static void a_token_beyond_the_vocabulary_is_refused(void **state)
{
    world *w = *state;

    w->rows.vocabulary = 2;
    skv_row_span_clear(&w->all);
    assert_int_equal(skv_rows_load(&w->all, &w->rows, 0, 1), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "the vocabulary has 2"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_row_is_prompt_times_samples_plus_sample),
        TEST(ids_are_the_prompts_or_their_index),
        TEST(a_group_loads_its_own_prompts_alone),
        TEST(the_last_group_is_what_is_left),
        TEST(a_prompts_own_seed_wins_over_the_rule),
        TEST(the_rules_are_those_of_the_scripts),
        TEST(a_bad_line_has_no_tokens_and_is_counted),
        TEST(tokens_are_those_of_the_encoded_text),
        TEST(shares_together_are_the_whole),
        TEST(texts_are_packed_a_few_mib_at_a_time),
        TEST(negative_prompts_count_only_where_guidance_reads_them),
        TEST(the_largest_groups_are_measured),
        TEST(a_token_beyond_the_vocabulary_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
