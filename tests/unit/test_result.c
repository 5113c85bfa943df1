/* What a group's record says of its cache, and of rows that are not finite. */
#include "sample/result.h"

#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "sample/rows_build.h"

static const char list[] = "a cat\na dog\na man\n";

/* Head h of layer l may hold 3 + h + l tokens; the last head of layer 1 is not bounded. */
static int ragged(const skv_policy_state *s, int layer, int head, int si)
{
    (void)s, (void)si;
    return layer == 1 && head == 3 ? SKV_KEEP_ALL : 3 + head + layer;
}

static int equal(const skv_policy_state *s, int layer, int head, int si)
{
    (void)s, (void)head, (void)si;
    return 3 + layer;
}

static size_t no_scratch(const skv_policy_state *s, int rows, int64_t tokens)
{
    (void)s, (void)rows, (void)tokens;
    return 0;
}

typedef struct {
    skv_settings settings;
    skv_prompt_table *table;
    skv_tokenizer *tokenizer;
    skv_rows rows;
    skv_sources sources;
    skv_engine_setup setup;
    skv_policy policy;
    skv_path path;
    skv_result *result;
} world;

static void open_world(world *w, int (*capacity)(const skv_policy_state *, int, int, int))
{
    skv_prompt_list lines = {0};
    skv_prompt_facts facts;

    *w = (world){.settings = {.samples = 1,
                              .group_size = 3,
                              .seed_rule = strdup("row"),
                              .prompts = strdup("list"),
                              .prompt_order = strdup("images")},
                 .policy = {.name = "test", .capacity = capacity, .scratch_bytes = no_scratch},
                 .path = {.name = "test"}};
    skv_prompts_open_bytes(&lines.source, list, strlen(list), SKV_PROMPTS_TEXT);
    assert_int_equal(skv_rows_parse(&w->table, &facts, &lines, &w->settings), SKV_OK);
    assert_int_equal(
        skv_tokenizer_open_for(&w->tokenizer, SKV_TEST_DATA "/tiny_t5", NULL, 32128, false),
        SKV_OK);
    assert_int_equal(skv_rows_init(&w->rows, &w->settings, w->table, &facts, w->tokenizer, 32128),
                     SKV_OK);
    assert_int_equal(skv_rows_tokenise(&w->rows, w->table, w->tokenizer, 1), SKV_OK);
    assert_int_equal(skv_sources_open(&w->sources, "formula:tiny_f16", "formula:tiny_f16", NULL),
                     SKV_OK);
    assert_int_equal(skv_schedule_make(&w->setup.schedule, 1.0, "0.06M"), SKV_OK);
    assert_int_equal(skv_backend_open_cpu(&w->setup.be, 1), SKV_OK);
    assert_int_equal(skv_torch_gpu_parse(&w->setup.guidance.gpu, SKV_TORCH_GPU), SKV_OK);
    w->setup.sources = &w->sources;
    w->path.policy = &w->policy;
    assert_int_equal(skv_result_create(&w->result, &w->rows, &w->setup, &w->path, 0, true), SKV_OK);
}

static void close_world(world *w)
{
    skv_result_destroy(w->result);
    skv_sources_close(&w->sources);
    skv_backend_destroy(w->setup.be);
    skv_tokenizer_destroy(w->tokenizer);
    skv_prompt_table_destroy(w->table);
    free(w->settings.seed_rule);
    free(w->settings.prompts);
    free(w->settings.prompt_order);
}

static void a_layers_tokens_are_the_mean_of_its_heads(void **state)
{
    const skv_group_record *rec;
    int layers;
    world w;

    (void)state;
    open_world(&w, ragged);
    rec = &w.result->rec;
    layers = rec->n_layers;
    assert_int_equal(rec->n_heads, 4);
    assert_non_null(rec->length_by_head);
    assert_non_null(rec->capacity_by_head);
    for (int si = 0; si < rec->n_scales - 1; si++) {
        const int history = w.setup.schedule.start[si + 1];

        for (int layer = 0; layer < layers; layer++) {
            const int64_t i = (int64_t)si * layers + layer;
            int64_t length = 0, capacity = 0;
            bool bounded = true;

            for (int head = 0; head < 4; head++) {
                const int most = ragged(NULL, layer, head, si);
                const int held = most < history ? most : history; /* once cut, always full */

                assert_int_equal(rec->length_by_head[i * 4 + head], held);
                assert_int_equal(rec->capacity_by_head[i * 4 + head],
                                 most == SKV_KEEP_ALL ? -1 : most);
                length += held;
                capacity += most == SKV_KEEP_ALL ? 0 : most;
                bounded = bounded && most != SKV_KEEP_ALL;
            }
            assert_int_equal(rec->cache_length[i], (length + 2) / 4); /* half up */
            assert_int_equal(rec->cache_capacity[i], bounded ? (capacity + 2) / 4 : -1);
        }
    }
    close_world(&w);
}

static void equal_heads_are_recorded_once(void **state)
{
    world w;

    (void)state;
    open_world(&w, equal);
    assert_null(w.result->rec.length_by_head);
    assert_null(w.result->rec.capacity_by_head);
    assert_int_equal(w.result->rec.cache_capacity[2], 5);
    close_world(&w);
}

static void a_row_that_is_not_finite_has_a_reason_and_zeros(void **state)
{
    static const char *const reason[] = {"not finite: text", "not finite: logits of scale 7",
                                         "not finite: picture"};
    const int32_t fault[] = {SKV_FAULT_TEXT, 1 + 7, SKV_FAULT_PICTURE};
    size_t bits, picture;
    world w;

    (void)state;
    open_world(&w, equal);
    bits = (size_t)w.result->rec.bits_bytes;
    picture = (size_t)w.result->rec.height * (size_t)w.result->rec.width * 3;
    for (int i = 0; i < 3; i++) {
        memset(w.result->bits, 0xa5, 3 * bits);
        memset(w.result->image, 0xa5, 3 * picture);
        skv_result_fail(w.result, i, fault[i]);
        assert_int_equal(w.result->rec.status[i], SKV_E_NOT_FINITE);
        assert_string_equal(w.result->rec.error[i], reason[i]);
        for (size_t k = 0; k < 3 * bits; k++)
            assert_int_equal(w.result->rec.bits[k], k / bits == (size_t)i ? 0 : 0xa5);
        for (size_t k = 0; k < 3 * picture; k++)
            if (w.result->rec.image[k] != (k / picture == (size_t)i ? 0 : 0xa5))
                fail_msg("picture %zu", k / picture);
    }
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layers_tokens_are_the_mean_of_its_heads),
        cmocka_unit_test(equal_heads_are_recorded_once),
        cmocka_unit_test(a_row_that_is_not_finite_has_a_reason_and_zeros),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
