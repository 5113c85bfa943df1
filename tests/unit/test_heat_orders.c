/* Orders of HeatKV's published form, and what is wrong with those that are not. */
#include "cache/heat_orders.h"

#include <stdio.h>
#include <string.h>

#include "cmocka_all.h"
#include "temp_folder.h"

static const skv_dims dims = {.depth = 2, .heads = 2};

static skv_status read_lists(skv_heat_orders *o, const char *text, int n_lists)
{
    const char *path = temp_path("orders.json");
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    return skv_heat_orders_read(o, path, &dims, n_lists);
}

static skv_status read_text(skv_heat_orders *o, const char *text)
{
    return read_lists(o, text, 2);
}

static void pairs_are_head_then_layer_least_needed_first(void **state)
{
    static const int32_t want[] = {2, 0, 3, 1, 1, 3, 0, 2};
    skv_heat_orders o, same;

    (void)state;
    assert_int_equal(read_text(&o, "[[[0,1],[0,0],[1,1],[1,0]], [[1,0],[1,1],[0,0],[0,1]]]"),
                     SKV_OK);
    assert_int_equal(o.n_lists, 2);
    assert_int_equal(o.n_slots, 4);
    assert_memory_equal(o.slot, want, sizeof want);
    assert_int_equal(
        read_text(&same, "[[[0, 1],[0, 0],[1, 1],[1, 0]],\n[[1,0],[1,1],[0,0],[0,1]]]"), SKV_OK);
    assert_true(skv_digest_equal(o.digest, same.digest));
    skv_heat_orders_deinit(&same);
    skv_heat_orders_deinit(&o);
}

static void orders_of_another_model_or_form_are_refused(void **state)
{
    static const char good[] = "[[0,1],[0,0],[1,1],[1,0]]";
    static const struct {
        const char *second, *why;
    } bad[] = {
        {NULL, "want a list of 2 lists, one for each scale that may be dropped, not 1"},
        {"[[0,1],[0,0],[1,1]]", "list 2 has 3 pairs, want the model's 4"},
        {"{\"0\": 1}", "list 2 has 0 pairs"},
        {"[[0,1],[0,0],[1,1],[2,0]]", "pair 4 of list 2: want [head, layer] of 2 heads"},
        {"[[0,1],[0,0],[1,1],[1,-1]]", "pair 4 of list 2"},
        {"[[0,1],[0,0],[1,1],[1,4294967296]]", "pair 4 of list 2"},
        {"[[0,1],[0,0],[1,1],[1,0.0]]", "pair 4 of list 2"},
        {"[[0,1],[0,0],[1,1],[1,0,0]]", "pair 4 of list 2"},
        {"[[0,1],[0,0],[1,1],7]", "pair 4 of list 2"},
        {"[[0,1],[0,0],[1,1],[0,0]]", "list 2 has head 0 of layer 0 twice"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        skv_heat_orders o;
        char text[256];

        snprintf(text, sizeof text, bad[i].second ? "[%s, %s]" : "[%s]", good, bad[i].second);
        assert_int_equal(read_text(&o, text), SKV_E_FORMAT);
        assert_non_null(strstr(skv_message(), temp_folder()));
        if (!strstr(skv_message(), bad[i].why))
            fail_msg("%s: %s, want %s", text, skv_message(), bad[i].why);
    }
}

/* Where any number of lists will do, nothing says "want 0 lists". */
static void no_orders_at_all_are_refused(void **state)
{
    skv_heat_orders o;

    (void)state;
    assert_int_equal(read_lists(&o, "[]", 0), SKV_E_FORMAT);
    assert_non_null(strstr(skv_message(), "want 1 to 13 lists of [head, layer], not 0"));
    for (int n_lists = 0; n_lists < 3; n_lists++) {
        assert_int_equal(read_lists(&o, "{\"Scale 1\": {}}", n_lists), SKV_E_FORMAT);
        assert_non_null(strstr(skv_message(), "want a JSON list of orders"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pairs_are_head_then_layer_least_needed_first,
                                        temp_folder_make, temp_folder_remove),
        cmocka_unit_test_setup_teardown(orders_of_another_model_or_form_are_refused,
                                        temp_folder_make, temp_folder_remove),
        cmocka_unit_test_setup_teardown(no_orders_at_all_are_refused, temp_folder_make,
                                        temp_folder_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
