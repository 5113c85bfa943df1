/* The formula of the weights: published values, and rules that names and shapes choose. */
#include "io/formula.h"

#include <stdio.h>

#include "cmocka_all.h"

/* Published check values, the first four of each; printed with enough digits to name one float. */
static void formula_gives_the_published_values(void **state)
{
    static const struct {
        const char *name;
        int ndim;
        int64_t shape[4];
        float first[4];
    } known[] = {
        {"cfg_uncond", 2, {512, 2048}, {-0.26054716f, 0.69914258f, 0.98691463f, 0.42643452f}},
        {"block_chunks.3.module.2.sa.mat_qkv.weight",
         2,
         {6144, 2048},
         {-0.029233243f, -0.030143423f, 0.0047235512f, 0.025691316f}},
        {"block_chunks.0.module.0.sa.scale_mul_1H11",
         4,
         {1, 16, 1, 1},
         {2.5368569f, 3.0457635f, 3.4407768f, 2.5133724f}},
        {"vae.decoder.conv_in.conv.weight",
         4,
         {512, 32, 3, 3},
         {-0.022716437f, -0.086645722f, -0.029074121f, -0.072402611f}},
    };
    static const char text[4][12] = {"1.1029572", "-0.3424940", "1.3946791", "0.7916509"};
    float got[4];

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        skv_formula_fill(got, known[i].name, known[i].ndim, known[i].shape, 0, 4);
        assert_memory_equal(got, known[i].first, sizeof got);
    }
    skv_formula_text(got, 4);
    for (int i = 0; i < 4; i++) {
        char printed[32];

        snprintf(printed, sizeof printed, "%.7f", (double)got[i]);
        assert_string_equal(printed, text[i]);
    }
}

/* One value a rule, from uniform() itself: which rule is taken shows in add and mul. */
static void the_first_rule_that_fits_is_taken(void **state)
{
    static const struct {
        const char *name;
        int ndim;
        int64_t shape[4];
        double add, mul;
    } known[] = {
        {"a.ada_gss", 4, {1, 1, 6, 128}, 0, 0.5},
        {"text_norm.weight", 1, {256}, 1, 0.25},
        {"encoder.block.0.layer.0.layer_norm.weight", 1, {256}, 1, 0.25},
        {"vae.decoder.norm_out.norm.weight", 1, {32}, 1, 0.25},
        {"pos_start", 3, {1, 1, 128}, 0, 1},
        {"lvl_embed.weight", 2, {15, 128}, 0, 1},
        {"text_proj_for_sos.ca.mat_q", 3, {1, 2, 64}, 0, 1.7320508075688772},
        {"head.bias", 1, {32}, 0, 0.1},
        {"x.weight", 2, {1, 300}, 0, 0.1}, /* one dimension longer than 1: a bias */
        {"head.weight", 2, {32, 12}, 0, 1.5},
        {"shared_ada_lin.1.weight", 2, {768, 12}, 0, 0.15},
        {"head_nm.ada_lin.1.weight", 2, {256, 12}, 0, 0.15},
        {"a.head.weight", 2, {32, 12}, 0, 0.5}, /* that rule is for the whole name only */
        {"vae.decoder.conv_in.conv.weight", 4, {64, 3, 2, 2}, 0, 0.5},
        {"shared.weight", 2, {1152, 3}, 0, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        float u[3], got[3];

        skv_formula_uniform(u, known[i].name, 0, 3);
        skv_formula_fill(got, known[i].name, known[i].ndim, known[i].shape, 0, 3);
        for (int k = 0; k < 3; k++) /* sqrt and the product may each round once otherwise */
            assert_float_equal(got[k], known[i].add + known[i].mul * (double)u[k], 2e-7);
    }
}

static void a_piece_equals_the_same_part_of_the_whole(void **state)
{
    const int64_t shape[2] = {40, 25};
    float whole[1000], piece[77];

    (void)state;
    skv_formula_fill(whole, "w", 2, shape, 0, 1000);
    skv_formula_fill(piece, "w", 2, shape, 913, 77);
    assert_memory_equal(piece, whole + 913, sizeof piece);
}

static void the_index_wraps_at_32_bits(void **state)
{
    float low[8], high[8], across[8];

    (void)state;
    skv_formula_uniform(low, "w", 0, 8);
    skv_formula_uniform(high, "w", INT64_C(1) << 32, 8);
    skv_formula_uniform(across, "w", (INT64_C(1) << 32) - 3, 8);
    assert_memory_equal(low, high, sizeof low);
    assert_memory_equal(across + 3, low, 5 * sizeof *low);
}

static void uniform_lies_in_minus_one_to_one_and_is_spread(void **state)
{
    enum { N = 100000 };
    static float u[N];
    double sum = 0, squares = 0;

    (void)state;
    skv_formula_uniform(u, "spread", 0, N);
    for (int i = 0; i < N; i++) {
        assert_true(u[i] >= -1.0f && u[i] < 1.0f);
        sum += (double)u[i];
        squares += (double)u[i] * (double)u[i];
    }
    /* five standard errors: sqrt(1/3/N) of the mean, sqrt(4/45/N) of the mean square */
    assert_float_equal(sum / N, 0, 5 * 0.00183);
    assert_float_equal(squares / N, 1.0 / 3, 5 * 0.00095);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formula_gives_the_published_values),
        cmocka_unit_test(the_first_rule_that_fits_is_taken),
        cmocka_unit_test(a_piece_equals_the_same_part_of_the_whole),
        cmocka_unit_test(the_index_wraps_at_32_bits),
        cmocka_unit_test(uniform_lies_in_minus_one_to_one_and_is_spread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
