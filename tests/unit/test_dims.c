#include "arch/dims.h"

#include <string.h>

#include "cmocka_all.h"

static void named_variants_have_the_published_sizes(void **state)
{
    static const struct {
        const char *name;
        int depth, width, heads, head_dim, hidden, token_bits, pool_head_dim;
    } known[] = {
        /* src/arch/README.md, Variants; 2080 and 3360 round 4C/256 to even */
        {"2b", 32, 2048, 16, 128, 8192, 32, 128},
        {"8b", 40, 3584, 28, 128, 14336, 56, 224},
        {"layer12", 12, 768, 8, 96, 3072, 16, 48},
        {"layer16", 16, 1152, 12, 96, 4608, 16, 72},
        {"layer24", 24, 1536, 16, 96, 6144, 16, 96},
        {"layer32", 32, 2080, 20, 104, 8192, 16, 130},
        {"layer40", 40, 2688, 24, 112, 10752, 16, 168},
        {"layer48", 48, 3360, 28, 120, 13312, 16, 210},
        {"layer12:32", 12, 768, 8, 96, 3072, 32, 48},
        {"tiny_f14", 4, 128, 4, 32, 512, 56, 64},
    };

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        skv_dims d;

        assert_int_equal(skv_dims_named(&d, known[i].name), SKV_OK);
        assert_int_equal(d.depth, known[i].depth);
        assert_int_equal(d.width, known[i].width);
        assert_int_equal(d.heads, known[i].heads);
        assert_int_equal(d.head_dim, known[i].head_dim);
        assert_int_equal(d.hidden, known[i].hidden);
        assert_int_equal(skv_dims_token_bits(&d), known[i].token_bits);
        assert_int_equal(d.width / d.pool_heads, known[i].pool_head_dim);
        assert_int_equal(skv_dims_check(&d, known[i].name), SKV_OK);
    }
}

static void upstreams_names_are_ours(void **state)
{
    static const char *const names[][2] = {{"infinity_2b_reg", "2b"},
                                           {"Infinity-2B", "2b"},
                                           {"2bc8", "2b"},
                                           {"infinity_8b_weights", "8b"},
                                           {"8B", "8b"},
                                           {"infinity_8b_512x512_weights", "8b"},
                                           {"layer12c4", "layer12"},
                                           {"TINY-F16", "tiny_f16"}};
    static const char *const others[] = {"2bc4", "2b_", "infinity", "infinity_20b", "2b_vae", ""};
    skv_dims d;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(skv_dims_named(&d, names[i][0]), SKV_OK);
        assert_string_equal(d.name, names[i][1]);
    }
    assert_int_equal(skv_dims_named(&d, "layer12c4:32"), SKV_OK);
    assert_int_equal(d.bits, 32);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(skv_dims_named(&d, others[i]), SKV_E_NOTFOUND);
}

/* The spec counts chunks; names count layers in a chunk. */
static void layers_are_chunked_as_released(void **state)
{
    static const struct {
        const char *name;
        int per_chunk;
    } known[] = {{"2b", 4}, {"8b", 5}, {"layer12", 3}, {"layer48", 12}, {"tiny_f16", 2}};

    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        skv_dims d;

        assert_int_equal(skv_dims_named(&d, known[i].name), SKV_OK);
        assert_int_equal(d.per_chunk, known[i].per_chunk);
    }
}

static void unknown_names_and_bits_are_refused(void **state)
{
    skv_dims d;

    (void)state;
    assert_int_equal(skv_dims_named(&d, "3b"), SKV_E_NOTFOUND);
    assert_non_null(strstr(skv_message(), "3b"));
    assert_int_equal(skv_dims_named(&d, "layer12:33"), SKV_E_ARG);
    assert_int_equal(skv_dims_named(&d, "layer12:"), SKV_E_ARG);
}

static void dimensions_out_of_range_are_refused_by_name(void **state)
{
    skv_dims d;

    (void)state;
    assert_int_equal(skv_dims_named(&d, "2b"), SKV_OK);
    d.heads = 15;
    assert_int_equal(skv_dims_check(&d, "x.pth"), SKV_E_SHAPE);
    assert_non_null(strstr(skv_message(), "x.pth"));
    assert_int_equal(skv_dims_named(&d, "2b"), SKV_OK);
    d.depth = SKV_MAX_DEPTH + 1;
    assert_int_equal(skv_dims_check(&d, "x.pth"), SKV_E_SHAPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_variants_have_the_published_sizes),
        cmocka_unit_test(upstreams_names_are_ours),
        cmocka_unit_test(layers_are_chunked_as_released),
        cmocka_unit_test(unknown_names_and_bits_are_refused),
        cmocka_unit_test(dimensions_out_of_range_are_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
