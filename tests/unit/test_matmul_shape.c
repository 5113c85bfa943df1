/* Which matrix products share a plan and a line of the tuning table: all that differs in a product
 * differs in its shape, and all that differs in a shape differs in its key. */
#include <string.h>

#include "kernels/cuda/matmul_shape.h"
#include "kernels/tuning.h"

#include "cmocka_all.h"

#define VARIED 19

static float memory[1024] __attribute__((aligned(256)));

static skv_cuda__matmul_args plain(void)
{
    return (skv_cuda__matmul_args){.y = memory,
                                   .x = memory,
                                   .w = memory,
                                   .m = 64,
                                   .n = 128,
                                   .k = 256,
                                   .y_type = SKV_BF16,
                                   .x_type = SKV_BF16,
                                   .batch = 2};
}

/* plain() with one thing changed. */
static skv_cuda__matmul_args varied(int which)
{
    skv_cuda__matmul_args a = plain();
    int64_t *const number[] = {&a.m,     &a.n,      &a.k,      &a.batch,  &a.y_row, &a.x_row,
                               &a.w_row, &a.y_step, &a.x_step, &a.w_step, &a.b_step};
    bool *const flag[] = {&a.gelu, &a.exact, &a.w_by_k, &a.w_shared};

    if (which < 11)
        *number[which] = 1024;
    else if (which < 15)
        *flag[which - 11] = true;
    else if (which == 15)
        a.x_type = SKV_F32;
    else if (which == 16)
        a.y_type = SKV_F32;
    else if (which == 17)
        a.b = memory;
    else
        a.x = memory + 1;
    return a;
}

static skv_matmul_shape shape_of(skv_cuda__matmul_args a)
{
    a = skv_cuda__matmul_completed(&a);
    return skv_cuda__matmul_shape(&a);
}

static void whatever_differs_makes_another_shape_and_another_key(void **state)
{
    skv_matmul_shape shape[VARIED + 1];
    char key[VARIED + 1][SKV_TUNING_KEY];

    (void)state;
    for (int i = 0; i <= VARIED; i++) {
        shape[i] = shape_of(i < VARIED ? varied(i) : plain());
        assert_int_equal(skv_cuda__matmul_key(key[i], sizeof key[i], &shape[i]), SKV_OK);
        for (int j = 0; j < i; j++) {
            assert_memory_not_equal(&shape[i], &shape[j], sizeof *shape);
            assert_string_not_equal(key[i], key[j]);
        }
    }
}

static void dense_strides_given_or_left_out_are_the_same(void **state)
{
    skv_cuda__matmul_args a = plain();
    const skv_matmul_shape left_out = shape_of(a);
    skv_matmul_shape given;

    (void)state;
    a.x_row = 256;
    a.w_row = 256;
    a.y_row = 128;
    a.x_step = (int64_t)64 * 256;
    a.w_step = (int64_t)128 * 256;
    a.y_step = (int64_t)64 * 128;
    given = shape_of(a);
    assert_memory_equal(&given, &left_out, sizeof given);
}

static void addresses_matter_by_their_alignment_alone(void **state)
{
    skv_cuda__matmul_args a = plain();
    const skv_matmul_shape here = shape_of(a);
    skv_matmul_shape there;

    (void)state;
    a.x = memory + 64;
    a.w = memory + 128;
    there = shape_of(a);
    assert_memory_equal(&there, &here, sizeof there);
    assert_int_equal(skv_cuda__matmul_alignment(&a), 256);
    a.y = memory + 4;
    assert_int_equal(skv_cuda__matmul_alignment(&a), 16);
}

static void a_key_without_room_is_refused(void **state)
{
    const skv_matmul_shape shape = shape_of(plain());
    char key[20];

    (void)state;
    assert_int_equal(skv_cuda__matmul_key(key, sizeof key, &shape), SKV_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_differs_makes_another_shape_and_another_key),
        cmocka_unit_test(dense_strides_given_or_left_out_are_the_same),
        cmocka_unit_test(addresses_matter_by_their_alignment_alone),
        cmocka_unit_test(a_key_without_room_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
