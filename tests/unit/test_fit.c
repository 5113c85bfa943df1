/* What fits is decided by the plan alone, to the byte. */
#include "sample/fit.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"

#define MOST 6

typedef struct {
    skv_sources sources;
    skv_paths paths;
    skv_engine_setup setup;
    size_t bytes[MOST + 1]; /* of groups of n */
} world;

static skv_status resize(const void *ctx, skv_engine_setup *setup, int n)
{
    (void)ctx;
    setup->max_prompts = n;
    setup->max_text_tokens = 9 * n;
    return SKV_OK;
}

static void open_world(world *w)
{
    char paths[] = "full,streaming-20";
    const skv_settings s = {.paths = paths};
    skv_memory_plan plan;

    *w = (world){.setup = {.guided = true, .max_uncond = 9}};
    assert_int_equal(skv_sources_open(&w->sources, "formula:tiny_f16", "formula:tiny_f16", NULL),
                     SKV_OK);
    assert_int_equal(skv_schedule_make(&w->setup.schedule, 1.0, "0.06M"), SKV_OK);
    assert_int_equal(
        skv_paths_resolve(&w->paths, &s, &w->sources.dims, &w->setup.schedule, SKV_F32), SKV_OK);
    assert_int_equal(skv_backend_open_cpu(&w->setup.be, 1), SKV_OK);
    w->setup.sources = &w->sources;
    w->setup.paths = w->paths.path;
    w->setup.n_paths = w->paths.n;
    for (int n = 1; n <= MOST; n++) {
        assert_int_equal(resize(NULL, &w->setup, n), SKV_OK);
        assert_int_equal(skv_engine_plan(&plan, &w->setup), SKV_OK);
        w->bytes[n] = plan.total;
    }
}

static void close_world(world *w)
{
    skv_paths_clear(&w->paths);
    skv_sources_close(&w->sources);
    skv_backend_destroy(w->setup.be);
}

static skv_status check(const world *w, int n, size_t limit, size_t beside)
{
    return skv_fit_check(
        &w->setup,
        &(skv_fit){.limit = limit, .beside = beside, .n = n, .option = "--rows", .resize = resize});
}

static void a_group_fits_into_exactly_its_bytes(void **state)
{
    world w;

    (void)state;
    open_world(&w);
    for (int n = 1; n <= MOST; n++) {
        assert_int_equal(check(&w, n, w.bytes[n], 0), SKV_OK);
        assert_int_equal(check(&w, n, w.bytes[n] - 1, 0), SKV_E_ARG);
        assert_int_equal(check(&w, n, w.bytes[n] + 99, 100), SKV_E_ARG);
        assert_int_equal(check(&w, n, w.bytes[n] + 100, 100), SKV_OK);
    }
    assert_int_equal(check(&w, 1, SIZE_MAX - 1, SIZE_MAX), SKV_E_ARG);
    close_world(&w);
}

static void the_refusal_names_both_numbers_and_the_largest_group_that_fits(void **state)
{
    char want[64];
    world w;

    (void)state;
    open_world(&w);
    for (int n = 2; n <= MOST; n++)
        for (int fits = 1; fits < n; fits++) {
            assert_int_equal(check(&w, n, w.bytes[fits + 1] - 1, 0), SKV_E_ARG);
            snprintf(want, sizeof want, "(--rows %d)", fits);
            assert_non_null(strstr(skv_message(), want));
            snprintf(want, sizeof want, "need %zu bytes", w.bytes[n]);
            assert_non_null(strstr(skv_message(), want));
            snprintf(want, sizeof want, "%zu are available", w.bytes[fits + 1] - 1);
            assert_non_null(strstr(skv_message(), want));
        }
    close_world(&w);
}

static void where_nothing_fits_no_size_is_named(void **state)
{
    world w;

    (void)state;
    open_world(&w);
    for (int n = 1; n <= MOST; n++) {
        assert_int_equal(check(&w, n, w.bytes[1] - 1, 0), SKV_E_ARG);
        assert_null(strstr(skv_message(), "--rows"));
    }
    close_world(&w);
}

/* Beside the run there are bytes that the sparing option saves. */
static void an_option_that_saves_memory_is_named_where_it_helps(void **state)
{
    const size_t beside = 1000;
    world w;

    (void)state;
    open_world(&w);
    for (int n = 0; n < MOST; n++) {
        const skv_fit sparing = {
            .limit = w.bytes[n + 1], .n = MOST, .option = "--rows", .resize = resize};
        skv_fit fit = sparing;
        char want[64];

        fit.beside = beside;
        assert_int_equal(skv_fit_check(&w.setup, &fit), SKV_E_ARG);
        assert_null(strstr(skv_message(), "with"));
        fit.sparing = &sparing;
        fit.sparing_option = "--spare FILE";
        assert_int_equal(skv_fit_check(&w.setup, &fit), SKV_E_ARG);
        snprintf(want, sizeof want, "; with --spare FILE groups of %d fit", n + 1);
        assert_non_null(strstr(skv_message(), want));
        fit.sparing = &fit; /* one that saves nothing */
        assert_int_equal(skv_fit_check(&w.setup, &fit), SKV_E_ARG);
        assert_null(strstr(skv_message(), "with"));
    }
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_fits_into_exactly_its_bytes),
        cmocka_unit_test(the_refusal_names_both_numbers_and_the_largest_group_that_fits),
        cmocka_unit_test(where_nothing_fits_no_size_is_named),
        cmocka_unit_test(an_option_that_saves_memory_is_named_where_it_helps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
