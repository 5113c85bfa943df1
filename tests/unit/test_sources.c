/* Transformer and VAE as the user names them: variants get their own name, and what is not there or
 * does not fit is the user's argument, not a damaged file. */
#include "model/sources.h"

#include <stdlib.h>
#include <string.h>

#include "temp_folder.h"
#include "write_checkpoint.h"

#include "cmocka_all.h"

static void a_variant_is_called_by_its_own_name(void **state)
{
    static const char *const specs[][2] = {{"formula:tiny_f16", "tiny_f16"},
                                           {"formula:tiny_f14", "tiny_f14"},
                                           {"formula:2b", "2b"},
                                           {"formula:layer12:32", "layer12"}};

    (void)state;
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        skv_sources s;

        assert_int_equal(skv_sources_open(&s, specs[i][0], specs[i][0], NULL), SKV_OK);
        assert_string_equal(s.dims.name, specs[i][1]);
        skv_sources_close(&s);
    }
}

static void what_is_not_there_or_does_not_fit_is_the_users_argument(void **state)
{
    static const char tiny[] = "formula:tiny_f16";
    const float value = 0;
    const test_tensor other = {"something.else", 1, {1}, &value};
    test_bytes file = {0};
    skv_sources s;

    (void)state;
    make_safetensors(&file, &other, 1, SKV_F32);
    bytes_save(&file, temp_path("other"));
    bytes_save(&(test_bytes){.data = file.data, .n = 12}, temp_path("cut"));
    free(file.data);
    assert_int_equal(skv_sources_open(&s, temp_path("none"), tiny, NULL), SKV_E_ARG);
    assert_int_equal(skv_sources_open(&s, tiny, temp_path("none"), NULL), SKV_E_ARG);
    assert_int_equal(skv_sources_open(&s, tiny, temp_path("other"), NULL), SKV_E_ARG);
    assert_int_equal(skv_sources_open(&s, temp_path("other"), tiny, NULL), SKV_E_ARG);
    assert_int_equal(skv_sources_open(&s, tiny, "formula:tiny_f14", NULL), SKV_E_ARG);
    assert_int_equal(skv_sources_open(&s, tiny, tiny, "2b"), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "pooling heads"));
    assert_int_equal(skv_sources_open(&s, tiny, temp_path("cut"), NULL), SKV_E_FORMAT);
}

static void a_swapped_checkpoint_is_called_what_it_is(void **state)
{
    static const char tiny[] = "formula:tiny_f16";
    const float value = 0;
    const test_tensor word = {"word_embed.weight", 1, {1}, &value};
    const test_tensor conv = {"decoder.conv_in.weight", 1, {1}, &value};
    test_bytes file = {0};
    skv_sources s;

    (void)state;
    make_safetensors(&file, &word, 1, SKV_F32);
    bytes_save(&file, temp_path("t"));
    free(file.data);
    make_safetensors(&file, &conv, 1, SKV_F32);
    bytes_save(&file, temp_path("v"));
    free(file.data);
    assert_int_equal(skv_sources_open(&s, tiny, temp_path("t"), NULL), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "is an Infinity transformer, want an Infinity VAE"));
    assert_int_equal(skv_sources_open(&s, temp_path("v"), tiny, NULL), SKV_E_ARG);
    assert_non_null(strstr(skv_message(), "is an Infinity VAE, want an Infinity transformer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_variant_is_called_by_its_own_name),
        cmocka_unit_test(a_swapped_checkpoint_is_called_what_it_is),
        cmocka_unit_test(what_is_not_there_or_does_not_fit_is_the_users_argument),
    };

    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
