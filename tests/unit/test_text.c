/* Questions about text, and tensors from an arena. */
#include "core/text.h"

#include "cmocka_all.h"
#include "core/tensor.h"

static void endings_are_compared_from_the_back(void **state)
{
    (void)state;
    assert_true(skv_ends_with("a.png", ".png"));
    assert_true(skv_ends_with(".png", ".png"));
    assert_true(skv_ends_with("a", ""));
    assert_false(skv_ends_with("png", ".png"));
    assert_false(skv_ends_with("a.PNG", ".png"));
    assert_false(skv_ends_with("a.png.tmp", ".png"));
    assert_true(skv_ends_in("a.PNG", ".png"));
    assert_false(skv_ends_in("", ".png"));
}

static void an_arenas_tensors_are_dense_aligned_and_bounded(void **state)
{
    static char memory[4 * SKV_ALIGN] __attribute__((aligned(SKV_ALIGN)));
    skv_arena a;
    skv_tensor t, u;

    (void)state;
    skv_arena_init(&a, "test", memory, sizeof memory);
    assert_int_equal(SKV_TAKE(&t, &a, SKV_BF16, SKV_HOST, 3, 5), SKV_OK);
    assert_int_equal(SKV_TAKE(&u, &a, SKV_F32, SKV_HOST, 2, 4, 8), SKV_OK);
    assert_true(skv_tensor_contiguous(&t) && skv_tensor_contiguous(&u));
    assert_int_equal(skv_tensor_bytes(&t), 30);
    assert_ptr_equal(t.data, memory);
    assert_ptr_equal(u.data, memory + SKV_ALIGN);
    assert_int_equal(SKV_TAKE(&t, &a, SKV_F64, SKV_HOST, 200), SKV_E_MEM);
    assert_int_equal(a.used, 2 * SKV_ALIGN);
}

static void sizes_beyond_memory_are_refused_not_wrapped(void **state)
{
    skv_arena a;
    skv_tensor t;

    (void)state;
    skv_arena_init_counting(&a, "test");
    assert_int_equal(SKV_TAKE(&t, &a, SKV_F32, SKV_HOST, INT64_C(1) << 40, INT64_C(1) << 40),
                     SKV_E_MEM);
    assert_int_equal(SKV_TAKE(&t, &a, SKV_F32, SKV_HOST, -1), SKV_E_MEM);
    assert_int_equal(a.used, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endings_are_compared_from_the_back),
        cmocka_unit_test(an_arenas_tensors_are_dense_aligned_and_bounded),
        cmocka_unit_test(sizes_beyond_memory_are_refused_not_wrapped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
