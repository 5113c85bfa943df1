/* A run's identity: what it is made of, and that no failing allocation leaves a part of it out. */
#include "sample/identity.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"

#include "cmocka_all.h"
#include "failing_alloc.h"

typedef struct {
    skv_settings settings;
    skv_sources sources;
    skv_paths paths;
    skv_schedule schedule;
    skv_identity_setup setup;
} fixture;

static int make_fixture(void **state)
{
    static char *argv[] = {"--transformer=formula:tiny_f16",
                           "--vae=formula:tiny_f16",
                           "--paths=full,scalekv-10,snapkv-4",
                           "--drafters=0,1",
                           "--cfg=3,3.5",
                           "--negative=blurred",
                           "--resolution=0.06M"};
    fixture *f = calloc(1, sizeof *f);
    skv_settings *s = &f->settings;

    assert_non_null(f);
    failing_alloc_json();
    assert_int_equal(skv_settings_read(s, &(skv_settings_sources){.argc = 7, .argv = argv}),
                     SKV_OK);
    assert_int_equal(skv_schedule_make(&f->schedule, s->ratio, s->resolution), SKV_OK);
    assert_int_equal(skv_sources_open(&f->sources, s->transformer, s->vae, NULL), SKV_OK);
    assert_int_equal(skv_paths_resolve(&f->paths, s, &f->sources.dims, &f->schedule, SKV_F32),
                     SKV_OK);
    f->setup = (skv_identity_setup){.settings = s,
                                    .sources = &f->sources,
                                    .paths = &f->paths,
                                    .prompts = skv_digest_of("a cat\n", 6)};
    *state = f;
    return 0;
}

static int drop_fixture(void **state)
{
    fixture *f = *state;

    skv_paths_clear(&f->paths);
    skv_sources_close(&f->sources);
    skv_options_clear(skv_settings_table, &f->settings);
    free(f);
    return 0;
}

static void it_is_text_that_reads_as_it_was_given(void **state)
{
    fixture *f = *state;
    skv_identity id;
    char *text = NULL;

    assert_int_equal(skv_identity_make(&id, &f->setup), SKV_OK);
    assert_int_equal(skv_json_print(&text, id.common, SKV_JSON_COMPACT), SKV_OK);
    assert_non_null(strstr(text, "\"cfg\":[3.0,3.5]"));
    assert_non_null(strstr(text, "\"top_p\":0.97,"));
    assert_non_null(strstr(text, "\"negative\":\"blurred\""));
    assert_true(skv_digest_is_text(id.digest));
    free(text);
    skv_identity_clear(&id);
}

static void the_nth_failing_allocation_leaves_nothing_out(void **state)
{
    fixture *f = *state;
    skv_identity whole, id;
    int n = 0;

    assert_int_equal(skv_identity_make(&whole, &f->setup), SKV_OK);
    for (;; n++) {
        skv_status st;

        failing_alloc(n);
        st = skv_identity_make(&id, &f->setup);
        failing_alloc(-1);
        if (st == SKV_OK)
            break;
        assert_int_equal(st, SKV_E_MEM);
    }
    assert_true(n > 20);
    assert_true(json_equal(id.common, whole.common));
    assert_string_equal(id.digest, whole.digest);
    for (int i = 0; i < f->paths.n; i++)
        assert_string_equal(id.path_digest[i], whole.path_digest[i]);
    skv_identity_clear(&id);
    skv_identity_clear(&whole);
}

static void nor_out_of_the_paths_and_the_printed_settings(void **state)
{
    fixture *f = *state;
    json_t *settings = NULL;
    skv_paths paths;
    int n;

    for (n = 0;; n++) {
        skv_status st;

        failing_alloc(n);
        st = skv_paths_resolve(&paths, &f->settings, &f->sources.dims, &f->schedule, SKV_F32);
        if (st == SKV_OK) {
            st = skv_options_to_json(&settings, skv_settings_table, &f->settings);
            if (st != SKV_OK)
                skv_paths_clear(&paths);
        }
        failing_alloc(-1);
        if (st == SKV_OK)
            break;
        assert_int_equal(st, SKV_E_MEM); /* and no mistake of the user's */
    }
    assert_true(n > 20);
    for (int i = 0; i < paths.n; i++)
        assert_string_equal(paths.path[i].digest_text, f->paths.path[i].digest_text);
    assert_true(json_is_integer(json_array_get(json_object_get(settings, "drafters"), 0)));
    json_decref(settings);
    skv_paths_clear(&paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_text_that_reads_as_it_was_given, make_fixture,
                                        drop_fixture),
        cmocka_unit_test_setup_teardown(the_nth_failing_allocation_leaves_nothing_out, make_fixture,
                                        drop_fixture),
        cmocka_unit_test_setup_teardown(nor_out_of_the_paths_and_the_printed_settings, make_fixture,
                                        drop_fixture),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
