/* What a checkpoint's digest sees: names, types, shapes, and values at a tensor's start, middle and
 * end. */
#include "model/weights.h"

#include <stdlib.h>
#include <string.h>

#include "temp_folder.h"
#include "write_checkpoint.h"

#include "cmocka_all.h"

#define SIDE 256 /* a tensor of 256 KiB, four times what is read of it */

static float *values(void)
{
    float *v = calloc(SIDE * SIDE, sizeof *v);

    assert_non_null(v);
    for (int i = 0; i < SIDE * SIDE; i++)
        v[i] = (float)(i % 97);
    return v;
}

typedef void (*form)(test_bytes *out, const test_tensor *t, size_t n, skv_dtype type);

static void zip_form(test_bytes *out, const test_tensor *t, size_t n, skv_dtype type)
{
    make_torch_zip(out, t, n, type, NULL);
}

static skv_digest digest_of(form make, const test_tensor *t, skv_dtype type)
{
    test_bytes file = {0};
    skv_weights *w = NULL;
    skv_digest d;

    make(&file, t, 1, type);
    bytes_save(&file, temp_path("w"));
    free(file.data);
    assert_int_equal(skv_weights_open(&w, temp_path("w"), SKV_KIND_ANY), SKV_OK);
    d = skv_weights_digest(w);
    skv_weights_close(w);
    return d;
}

static void values_at_start_middle_and_end_count(void **state)
{
    static const int at[] = {0, 4095, SIDE * SIDE / 2, SIDE * SIDE - 4096, SIDE * SIDE - 1};
    float *v = values();
    const test_tensor t = {"w", 2, {SIDE, SIDE}, v};
    const skv_digest before = digest_of(make_safetensors, &t, SKV_F32);

    (void)state;
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        v[at[i]] += 1000;
        assert_false(skv_digest_equal(before, digest_of(make_safetensors, &t, SKV_F32)));
        v[at[i]] -= 1000;
    }
    assert_true(skv_digest_equal(before, digest_of(make_safetensors, &t, SKV_F32)));
    free(v);
}

static void every_value_of_a_small_tensor_counts(void **state)
{
    float v[64] = {0};
    const test_tensor t = {"w", 1, {64}, v};
    const skv_digest before = digest_of(make_safetensors, &t, SKV_F32);

    (void)state;
    for (int i = 0; i < 64; i++) {
        v[i] = 1;
        assert_false(skv_digest_equal(before, digest_of(make_safetensors, &t, SKV_F32)));
        v[i] = 0;
    }
}

static void name_shape_and_type_count(void **state)
{
    const float v[16] = {0};
    const test_tensor t = {"w", 2, {4, 4}, v};
    const test_tensor name = {"x", 2, {4, 4}, v};
    const test_tensor shape = {"w", 2, {2, 8}, v};
    const test_tensor fewer = {"w", 1, {16}, v};
    const skv_digest d = digest_of(make_safetensors, &t, SKV_F32);

    (void)state;
    assert_false(skv_digest_equal(d, digest_of(make_safetensors, &name, SKV_F32)));
    assert_false(skv_digest_equal(d, digest_of(make_safetensors, &shape, SKV_F32)));
    assert_false(skv_digest_equal(d, digest_of(make_safetensors, &fewer, SKV_F32)));
    assert_false(skv_digest_equal(digest_of(make_safetensors, &t, SKV_F16),
                                  digest_of(make_safetensors, &t, SKV_BF16)));
}

static void the_form_of_the_file_does_not(void **state)
{
    float *v = values();
    const test_tensor t = {"w", 2, {SIDE, SIDE}, v};
    const skv_digest d = digest_of(make_safetensors, &t, SKV_BF16);

    (void)state;
    assert_true(skv_digest_equal(d, digest_of(zip_form, &t, SKV_BF16)));
    assert_true(skv_digest_equal(d, digest_of(make_torch_legacy, &t, SKV_BF16)));
    free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_at_start_middle_and_end_count),
        cmocka_unit_test(every_value_of_a_small_tensor_counts),
        cmocka_unit_test(name_shape_and_type_count),
        cmocka_unit_test(the_form_of_the_file_does_not),
    };

    return cmocka_run_group_tests(tests, temp_folder_make, temp_folder_remove);
}
