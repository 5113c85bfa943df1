/* The n-th allocation fails, for every n until opening succeeds: always a refusal with a message,
 * nothing half open, and (under the sanitizers) nothing leaked. */
#include "io/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failing_alloc.h"
#include "temp_folder.h"
#include "write_checkpoint.h"

#include "cmocka_all.h"

static int refusals(const char *path)
{
    for (int n = 0; n < 10000; n++) {
        skv_checkpoint *ck = NULL;
        skv_status st;

        failing_alloc(n);
        st = skv_checkpoint_open(&ck, path);
        failing_alloc(-1);
        if (st == SKV_OK) {
            assert_int_equal(skv_checkpoint_count(ck), 2);
            assert_non_null(skv_checkpoint_find(ck, "x.weight"));
            skv_checkpoint_close(ck);
            return n;
        }
        assert_null(ck);
        assert_true(strlen(skv_message()) > 0);
        /* jansson's own failures come out as what it says of the text */
        assert_true(st == SKV_E_MEM || st == SKV_E_FORMAT);
    }
    fail_msg("never opened");
    return -1;
}

static void a_failed_allocation_is_a_refusal_in_every_form(void **state)
{
    static const float values[12] = {1, 2, 3};
    static const test_tensor two[2] = {{"x.weight", 2, {3, 4}, values}, {"y", 1, {5}, values}};
    test_bytes b;
    FILE *f;

    (void)state;
    make_torch_zip(&b, two, 2, SKV_F32, NULL);
    bytes_save(&b, temp_path("zip"));
    free(b.data);
    assert_true(refusals(temp_path("zip")) > 20);

    make_torch_legacy(&b, two, 2, SKV_F32);
    bytes_save(&b, temp_path("legacy"));
    free(b.data);
    assert_true(refusals(temp_path("legacy")) > 20);

    make_safetensors(&b, two, 2, SKV_F32);
    bytes_save(&b, temp_path("safetensors"));
    free(b.data);
    assert_true(refusals(temp_path("safetensors")) > 20);

    for (int t = 0; t < 2; t++) {
        make_torch_zip(&b, &two[t], 1, SKV_BF16, NULL);
        bytes_save(&b, temp_path(t == 0 ? "one" : "two"));
        free(b.data);
    }
    f = fopen(temp_path("pytorch_model.bin.index.json"), "w");
    assert_non_null(f);
    fprintf(f, "{\"weight_map\":{\"x.weight\":\"one\",\"y\":\"two\"}}");
    assert_int_equal(fclose(f), 0);
    assert_true(refusals(temp_folder()) > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_failed_allocation_is_a_refusal_in_every_form,
                                        temp_folder_make, temp_folder_remove),
    };

    failing_alloc_json();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
