/* --paths: names, and several of them by braces. */
#include "sample/path.h"

#include <string.h>

#include "cmocka_all.h"

static skv_status resolve(skv_paths *paths, const char *list)
{
    int64_t drafter = 0;
    char text[256];
    skv_settings s = {.paths = text, .drafters = {&drafter, 1}};
    skv_schedule schedule;
    skv_dims dims;

    assert_true(strlen(list) < sizeof text);
    strcpy(text, list);
    assert_int_equal(skv_dims_named(&dims, "tiny_f16"), SKV_OK);
    assert_int_equal(skv_schedule_make(&schedule, 1, "0.06M"), SKV_OK);
    return skv_paths_resolve(paths, &s, &dims, &schedule, SKV_F32);
}

static void assert_names(const char *list, const char *const *want)
{
    skv_paths paths;
    int n = 0;

    if (resolve(&paths, list) != SKV_OK)
        fail_msg("%s: %s", list, skv_message());
    for (; want[n]; n++) {
        assert_true(n < paths.n);
        assert_string_equal(paths.path[n].name, want[n]);
    }
    assert_int_equal(paths.n, n);
    skv_paths_clear(&paths);
}

static void braces_stand_for_each_of_their_words(void **state)
{
    (void)state;
    assert_names("full,snapkv-4", (const char *const[]){"full", "snapkv-4", NULL});
    assert_names("full,snapkv-{2,4,10,20},tova-4",
                 (const char *const[]){"full", "snapkv-2", "snapkv-4", "snapkv-10", "snapkv-20",
                                       "tova-4", NULL});
    assert_names("{sliding,random}-10", (const char *const[]){"sliding-10", "random-10", NULL});
    assert_names("scalekv{,-paper}-20,full",
                 (const char *const[]){"scalekv-20", "scalekv-paper-20", "full", NULL});
    assert_names("snapkv-{10}", (const char *const[]){"snapkv-10", NULL});
}

static void wrong_braces_are_named(void **state)
{
    static const struct {
        const char *list, *why;
    } bad[] = {
        {"full,snapkv-{2,4", "\"snapkv-{2,4\" has no closing brace"},
        {"snapkv-{2,4},snapkv-4", "path snapkv-4 is named twice"},
        {"snapkv-{}", "path snapkv-"},
        {"snapkv-2}", "path name \"snapkv-2}\""},
        {"{snapkv,sliding}-{2,4}", "path name \"snapkv-{2\""},
        {"snapkv-{4,0123456789012345678901234567890123456789012345678901234567}", "at most 63"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        skv_paths paths;

        assert_int_equal(resolve(&paths, bad[i].list), SKV_E_ARG);
        if (!strstr(skv_message(), bad[i].why))
            fail_msg("%s: %s, want %s", bad[i].list, skv_message(), bad[i].why);
    }
}

static void a_type_behind_the_name_is_how_the_cache_is_held(void **state)
{
    static const skv_kv_dtype want[] = {SKV_KV_WORK, SKV_KV_FP8, SKV_KV_INT8, SKV_KV_INT8};
    skv_paths paths;

    (void)state;
    assert_int_equal(resolve(&paths, "full{,-fp8},scalekv-10-int8,scalekv-paper-20-int8"), SKV_OK);
    assert_int_equal(paths.n, 4);
    for (int i = 0; i < 4; i++) {
        const json_t *said = json_object_get(paths.path[i].report, "kv_dtype");

        assert_int_equal(paths.path[i].kv_dtype, want[i]);
        if (want[i] == SKV_KV_WORK) /* as before there were types: the path's digest is the same */
            assert_null(said);
        else
            assert_string_equal(json_string_value(said), skv_kv_dtype_name(want[i]));
    }
    assert_true(paths.path[0].reference && !paths.path[1].reference);
    assert_string_equal(paths.path[3].policy->name, "scalekv-paper");
    skv_paths_clear(&paths);
    assert_int_equal(resolve(&paths, "full-fp8,scalekv-10"), SKV_OK);
    assert_false(paths.path[0].reference); /* its own error would be hidden */
    skv_paths_clear(&paths);
    assert_int_equal(resolve(&paths, "full-fp4"), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "path full-fp4 is not defined"));
    assert_int_equal(resolve(&paths, "scalekv-fp8"), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "<policy>-<percent>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(braces_stand_for_each_of_their_words),
        cmocka_unit_test(wrong_braces_are_named),
        cmocka_unit_test(a_type_behind_the_name_is_how_the_cache_is_held),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
