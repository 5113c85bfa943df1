/* Which way a backend computes, by the limits it was measured to have: the choices are pure, so
 * what a GPU does is known without one. */

#include "kernels/limits.h"

#include "cmocka_all.h"

static const skv_limits *const gpu = &skv_limits_cuda;

static void wide_layers_take_equal_turns_of_at_most_16384_tokens(void **state)
{
    (void)state;
    assert_int_equal(skv_limits_rows_at_once(gpu, 16, 1024), 16);
    assert_int_equal(skv_limits_rows_at_once(gpu, 17, 1024), 9);
    assert_int_equal(skv_limits_rows_at_once(gpu, 16, 4096), 4);
    assert_int_equal(skv_limits_rows_at_once(gpu, 3, 16384), 1);
    assert_int_equal(skv_limits_rows_at_once(gpu, 2, 100000), 1);
    assert_int_equal(skv_limits_rows_at_once(gpu, 1, 1), 1);
}

static void texts_are_absorbed_beside_maps_that_repay_it(void **state)
{
    (void)state;
    assert_int_equal(skv_limits_absorbed_text(gpu, 128, 16, 127), 0); /* 2032 tokens are too few */
    assert_int_equal(skv_limits_absorbed_text(gpu, 128, 16, 128), 16);
    assert_int_equal(skv_limits_absorbed_text(gpu, 128, 1, 2048), 96); /* 3/4 of the dimension */
    assert_int_equal(skv_limits_absorbed_text(gpu, 128, 8, 768), 96);
    assert_int_equal(skv_limits_absorbed_text(gpu, 128, 8, 767), 95);
    assert_false(skv_limits_divided(gpu, 1023));
    assert_true(skv_limits_divided(gpu, 1024));
}

static void texts_are_padded_less_beside_long_maps(void **state)
{
    (void)state;
    assert_int_equal(skv_limits_text_step(gpu, 2047), 16);
    assert_int_equal(skv_limits_text_step(gpu, 2048), 8);
}

static void the_library_serves_long_even_attention_in_bf16(void **state)
{
    (void)state;
    assert_true(skv_limits_library_attention(gpu, SKV_BF16, 65, true));
    assert_false(skv_limits_library_attention(gpu, SKV_BF16, 64, true));
    assert_false(skv_limits_library_attention(gpu, SKV_BF16, 4096, false));
    assert_false(skv_limits_library_attention(gpu, SKV_F32, 4096, true));
}

static skv_flash flash(int64_t queries, int64_t longest, int dim, int sm, bool by_row)
{
    const skv_flash_case c = {queries, longest, dim, sm, (size_t)227 << 10, by_row, false};

    return skv_limits_flash(gpu, &c);
}

static void attention_to_texts_keeps_keys_where_queries_repay_it(void **state)
{
    (void)state;
    assert_int_equal(flash(128, 256, 128, 90, true), SKV_FLASH_TWO);
    assert_int_equal(flash(1535, 1, 128, 90, true), SKV_FLASH_TWO);
    assert_int_equal(flash(1536, 256, 128, 90, true), SKV_FLASH_THREE);
    assert_int_equal(flash(127, 256, 128, 90, true), SKV_FLASH_LONG);
    assert_int_equal(flash(127, 64, 128, 90, true), SKV_FLASH_ONE_TILE);
}

static void many_keys_get_two_warpgroups_where_heads_differ(void **state)
{
    const skv_flash_case equal = {4096, 10481, 128, 90, (size_t)227 << 10, false, true};

    (void)state;
    assert_int_equal(skv_limits_flash(gpu, &equal), SKV_FLASH_LONG);
    assert_int_equal(flash(128, 65, 128, 90, false), SKV_FLASH_MANY);
    assert_int_equal(flash(127, 10481, 128, 90, false), SKV_FLASH_LONG);
    assert_int_equal(flash(4096, 64, 128, 90, false), SKV_FLASH_ONE_TILE);
    assert_int_equal(flash(4096, 256, 128, 90, true), SKV_FLASH_THREE);
    assert_int_equal(flash(4096, 257, 128, 90, true), SKV_FLASH_MANY);
}

static void other_heads_and_other_gpus_never_get_warpgroups(void **state)
{
    (void)state;
    assert_int_equal(flash(4096, 256, 96, 90, true), SKV_FLASH_STAYING);
    assert_int_equal(flash(4096, 65, 128, 80, true), SKV_FLASH_STAYING);
    assert_int_equal(flash(4096, 65, 128, 100, true), SKV_FLASH_STAYING);
    assert_int_equal(flash(4096, 64, 128, 80, true), SKV_FLASH_ONE_TILE);
    assert_int_equal(flash(4096, 4096, 96, 90, false), SKV_FLASH_LONG);
    assert_int_equal(flash(4096, 4096, 128, 80, false), SKV_FLASH_LONG);
    assert_int_equal(flash(4096, 4096, 128, 100, false), SKV_FLASH_LONG);
    assert_int_equal(skv_limits_flash_tiled(64), SKV_FLASH_ONE_TILE);
    assert_int_equal(skv_limits_flash_tiled(65), SKV_FLASH_LONG);
}

static void a_block_with_little_shared_memory_gets_no_warpgroups(void **state)
{
    skv_flash_case c = {4096, 256, 128, 90, (size_t)99 << 10, true, false};

    (void)state;
    assert_int_equal(skv_limits_flash(gpu, &c), SKV_FLASH_STAYING);
    c.by_row = false;
    assert_int_equal(skv_limits_flash(gpu, &c), SKV_FLASH_LONG);
}

static void two_blocks_share_a_multiprocessors_memory(void **state)
{
    const size_t large = 87040; /* of four warps, heads of 128 */

    (void)state;
    assert_true(skv_limits_two_blocks((size_t)227 << 10, large));
    assert_false(skv_limits_two_blocks((size_t)163 << 10, large));
    assert_false(skv_limits_two_blocks((size_t)99 << 10, large));
    assert_true(skv_limits_two_blocks((size_t)99 << 10, (size_t)49 << 10));
    assert_false(skv_limits_two_blocks((size_t)99 << 10, ((size_t)49 << 10) + 1));
}

static void blocks_walk_further_when_the_gpu_is_full(void **state)
{
    (void)state;
    assert_int_equal(skv_limits_tiles_a_block(gpu, 1), 1);
    assert_int_equal(skv_limits_tiles_a_block(gpu, 2111), 1);
    assert_int_equal(skv_limits_tiles_a_block(gpu, 2112), 2);
    assert_int_equal(skv_limits_tiles_a_block(gpu, 8447), 7);
    assert_int_equal(skv_limits_tiles_a_block(gpu, 8448), 8);
    assert_int_equal(skv_limits_tiles_a_block(gpu, 1000000), 8);
}

/* A GPU is checked against the CPU: what both have a choice in, both choose alike. */
static void the_cpu_takes_the_gpus_way_through_the_model(void **state)
{
    (void)state;
    for (int64_t tokens = 1; tokens <= 4096; tokens++) {
        assert_int_equal(skv_limits_text_step(&skv_limits_cpu, tokens),
                         skv_limits_text_step(gpu, tokens));
        assert_int_equal(skv_limits_divided(&skv_limits_cpu, tokens),
                         skv_limits_divided(gpu, tokens));
        for (int rows = 1; rows <= 32; rows *= 2) {
            assert_int_equal(skv_limits_rows_at_once(&skv_limits_cpu, rows, tokens),
                             skv_limits_rows_at_once(gpu, rows, tokens));
            assert_int_equal(skv_limits_absorbed_text(&skv_limits_cpu, 128, rows, tokens),
                             skv_limits_absorbed_text(gpu, 128, rows, tokens));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wide_layers_take_equal_turns_of_at_most_16384_tokens),
        cmocka_unit_test(texts_are_absorbed_beside_maps_that_repay_it),
        cmocka_unit_test(texts_are_padded_less_beside_long_maps),
        cmocka_unit_test(the_library_serves_long_even_attention_in_bf16),
        cmocka_unit_test(attention_to_texts_keeps_keys_where_queries_repay_it),
        cmocka_unit_test(many_keys_get_two_warpgroups_where_heads_differ),
        cmocka_unit_test(other_heads_and_other_gpus_never_get_warpgroups),
        cmocka_unit_test(a_block_with_little_shared_memory_gets_no_warpgroups),
        cmocka_unit_test(two_blocks_share_a_multiprocessors_memory),
        cmocka_unit_test(blocks_walk_further_when_the_gpu_is_full),
        cmocka_unit_test(the_cpu_takes_the_gpus_way_through_the_model),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
