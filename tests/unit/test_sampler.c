/* A group from its prompts to its results, with a tiny model on the CPU. */
#include "sample/sampler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/options.h"
#include "sample/rows_build.h"
#include "sample/run_setup.h"

enum { MOST = 8 };

typedef struct {
    skv_settings settings;
    skv_backend *be;
    skv_run_setup setup;
    skv_t5 *t5;
    skv_engine *engine;
    skv_sampler sampler;
    skv_result *result[MOST]; /* as the sink got them */
    int n;
    skv_status refuse; /* what the sink returns */
} world;

static skv_status keep(void *ctx, skv_result *result)
{
    world *w = ctx;

    if (w->refuse != SKV_OK || w->n == MOST) {
        skv_result_destroy(result);
        return skv_fail(w->refuse == SKV_OK ? SKV_E_MEM : w->refuse, "the disk is full");
    }
    w->result[w->n++] = result;
    return SKV_OK;
}

/* A run of these lines of JSON in groups of `size`. */
static world *open_world(const char *lines, const char *size, const char *paths)
{
    char *argv[] = {"--transformer", "formula:tiny_f16",
                    "--vae",         "formula:tiny_f16",
                    "--t5",          SKV_TEST_DATA "/tiny_t5",
                    "--resolution",  "0.06M",
                    "--drafters",    "0",
                    "--group-size",  (char *)(uintptr_t)size,
                    "--paths",       (char *)(uintptr_t)paths,
                    "--prompts",     "list",
                    "--cfg",         "1"};
    skv_prompt_list list = {0};
    skv_prompt_facts facts;
    const skv_settings_sources sources = {.argc = sizeof argv / sizeof argv[0], .argv = argv};
    world *w = calloc(1, sizeof *w);

    assert_non_null(w);
    assert_int_equal(skv_settings_read(&w->settings, &sources), SKV_OK);
    assert_int_equal(skv_backend_open_cpu(&w->be, 1), SKV_OK);
    assert_int_equal(skv_run_setup_open(&w->setup, &w->settings, w->be, w->be), SKV_OK);
    skv_prompts_open_bytes(&list.source, lines, strlen(lines), SKV_PROMPTS_JSONL);
    assert_int_equal(skv_rows_parse(&w->setup.table, &facts, &list, &w->settings), SKV_OK);
    assert_int_equal(skv_run_setup_rows(&w->setup, &facts), SKV_OK);
    assert_int_equal(skv_rows_tokenise(&w->setup.rows, w->setup.table, w->setup.tokenizer, 1),
                     SKV_OK);
    assert_int_equal(skv_rows_measure(&w->setup.sizes, &w->setup.rows, w->settings.group_size),
                     SKV_OK);
    assert_int_equal(skv_run_setup_plan(&w->setup), SKV_OK);
    assert_int_equal(skv_t5_create(&w->t5, w->be, w->setup.t5_weights, &w->setup.t5_dims), SKV_OK);
    assert_int_equal(skv_engine_create(&w->engine, &w->setup.engine), SKV_OK);
    w->sampler = (skv_sampler){.engine = w->engine,
                               .setup = &w->setup.engine,
                               .rows = &w->setup.rows,
                               .t5 = w->t5,
                               .with_image = true,
                               .config_digest = w->setup.identity.digest,
                               .path_digest = w->setup.identity.path_digests,
                               .sink = keep,
                               .sink_ctx = w};
    return w;
}

static void close_world(world *w)
{
    for (int i = 0; i < w->n; i++)
        skv_result_destroy(w->result[i]);
    skv_engine_destroy(w->engine);
    skv_t5_destroy(w->t5);
    skv_run_setup_clear(&w->setup);
    skv_backend_destroy(w->be);
    skv_options_clear(skv_settings_table, &w->settings);
    free(w);
}

static void sample(world *w, int64_t group, bool first_path, bool second_path)
{
    const bool wanted[2] = {first_path, second_path};

    assert_int_equal(skv_sampler_group(&w->sampler, group, wanted, true), SKV_OK);
}

static size_t picture_bytes(const skv_result *r)
{
    return (size_t)r->rec.height * (size_t)r->rec.width * 3;
}

static const uint8_t *picture(const skv_result *r, int i)
{
    return r->rec.image + (size_t)i * picture_bytes(r);
}

static const uint8_t *bits(const skv_result *r, int i)
{
    return r->rec.bits + (size_t)i * (size_t)r->rec.bits_bytes;
}

static bool same_row(const skv_result *a, int i, const skv_result *b, int j)
{
    return memcmp(bits(a, i), bits(b, j), (size_t)a->rec.bits_bytes) == 0 &&
           memcmp(picture(a, i), picture(b, j), picture_bytes(a)) == 0;
}

/* Prompts are computed by length; results keep the order of the rows. */
static void a_row_keeps_its_picture_wherever_it_stands_in_its_group(void **state)
{
    world *a = open_world("{\"prompt\": \"a cat\", \"seed\": 1}\n"
                          "{\"prompt\": \"two red apples on an old wooden table\", \"seed\": 2}\n",
                          "2", "full,scalekv-10");
    world *b = open_world("{\"prompt\": \"two red apples on an old wooden table\", \"seed\": 2}\n"
                          "{\"prompt\": \"a cat\", \"seed\": 1}\n",
                          "2", "full,scalekv-10");

    (void)state;
    sample(a, 0, true, true);
    sample(b, 0, true, true);
    for (int path = 0; path < 2; path++) {
        assert_true(same_row(a->result[path], 0, b->result[path], 1));
        assert_true(same_row(a->result[path], 1, b->result[path], 0));
        assert_false(same_row(a->result[path], 0, a->result[path], 1));
    }
    close_world(a);
    close_world(b);
}

static void a_bad_line_keeps_its_place_and_fails_alone(void **state)
{
    world *w = open_world("{\"prompt\": \"a cat\", \"seed\": 1}\nno json\n"
                          "{\"prompt\": \"a dog\", \"seed\": 2}\n",
                          "3", "full");
    world *mates = open_world("{\"prompt\": \"a cat\", \"seed\": 1}\n"
                              "{\"prompt\": \"a dog\", \"seed\": 2}\n",
                              "3", "full");
    const skv_result *r;

    (void)state;
    sample(w, 0, true, false);
    sample(mates, 0, true, false);
    r = w->result[0];
    assert_int_equal(r->rec.n_rows, 3);
    assert_int_equal(r->rec.status[0], SKV_OK);
    assert_int_not_equal(r->rec.status[1], SKV_OK);
    assert_true(strlen(r->rec.error[1]) > 0);
    assert_int_equal(r->rec.status[2], SKV_OK);
    assert_true(same_row(r, 0, mates->result[0], 0));
    assert_true(same_row(r, 2, mates->result[0], 1));
    for (int64_t k = 0; k < r->rec.bits_bytes; k++)
        assert_int_equal(bits(r, 1)[k], 0);
    for (size_t k = 0; k < picture_bytes(r); k++)
        assert_int_equal(picture(r, 1)[k], 0);
    close_world(w);
    close_world(mates);
}

static void a_group_of_bad_lines_is_recorded_without_computing(void **state)
{
    world *w = open_world("no json\n{\"prompt\": \"a cat\"}\n", "1", "full");

    (void)state;
    sample(w, 0, true, false);
    assert_int_equal(w->n, 1);
    assert_int_not_equal(w->result[0]->rec.status[0], SKV_OK);
    assert_true(w->result[0]->seconds[SKV_PHASE_TRANSFORMER] == 0);
    close_world(w);
}

static void only_the_wanted_paths_are_computed_and_alone_they_are_the_same(void **state)
{
    const char *lines = "{\"prompt\": \"a cat\"}\n{\"prompt\": \"a dog\"}\n";
    world *both = open_world(lines, "2", "full,scalekv-10");
    world *one = open_world(lines, "2", "full,scalekv-10");

    (void)state;
    sample(both, 0, true, true);
    sample(one, 0, false, true);
    assert_int_equal(both->n, 2);
    assert_int_equal(one->n, 1);
    assert_string_equal(one->result[0]->rec.path_name, "scalekv-10");
    for (int i = 0; i < 2; i++)
        assert_true(same_row(both->result[1], i, one->result[0], i));
    close_world(both);
    close_world(one);
}

static void a_sink_that_fails_ends_the_group_with_its_message(void **state)
{
    world *w = open_world("{\"prompt\": \"a cat\"}\n", "1", "full,scalekv-10");
    const bool wanted[2] = {true, true};

    (void)state;
    w->refuse = SKV_E_IO;
    assert_int_equal(skv_sampler_group(&w->sampler, 0, wanted, false), SKV_E_IO);
    assert_string_equal(skv_message(), "the disk is full");
    w->refuse = SKV_OK; /* and the next group is as it should be */
    sample(w, 0, true, true);
    assert_int_equal(w->n, 2);
    close_world(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_keeps_its_picture_wherever_it_stands_in_its_group),
        cmocka_unit_test(a_bad_line_keeps_its_place_and_fails_alone),
        cmocka_unit_test(a_group_of_bad_lines_is_recorded_without_computing),
        cmocka_unit_test(only_the_wanted_paths_are_computed_and_alone_they_are_the_same),
        cmocka_unit_test(a_sink_that_fails_ends_the_group_with_its_message),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
