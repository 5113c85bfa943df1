/* Tokenizer and encoder against t5.h5: ids exactly, outputs in fp32.
 *
 * Tolerances: two correct fp32 programs differ by 2e-6 in the output (values to 1.6) and by 1.7e-5
 * in the residual (values to 15), from the order of sums; erf for tanh would show as 5e-4. */
#include "model/t5.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "io/h5.h"
#include "io/tokenizer.h"
#include "kernels/ops.h"
#include "test_device.h"

#define FOLDER     SKV_TEST_DATA "/tiny_t5"
#define OUT_TOL    1e-5
#define TF32_TOL   2e-3 /* relative L2; src/model/README.md, Numerics */
#define TRACE_TOL  1e-4
#define MAX_TOKENS 2048
#define WIDTH      256

typedef struct {
    skv_h5 *golden;
    skv_backend *be;
    skv_weights *weights;
    skv_t5_dims dims;
    skv_t5 *t5;
    skv_tokenizer *fast, *plain;
    skv_arena scratch;
    skv_tensor out; /* (MAX_TOKENS, WIDTH) */
} fixture;

static fixture fix;

/* A dataset of any extents; *n elements. */
static void *read_any(skv_h5_type type, int n_dims, int64_t *n, const char *group, const char *item)
{
    skv_h5_layout want = {.type = type, .n_dims = n_dims, .shape = {-1, -1, -1}};
    char name[256];
    void *data = NULL;

    snprintf(name, sizeof name, "%s/%s", group, item);
    if (skv_h5_read(&data, fix.golden, name, &want, 1 << 24, false) != SKV_OK)
        fail_msg("%s", skv_message());
    *n = 1;
    for (int i = 0; i < n_dims; i++)
        *n *= want.shape[i];
    return data;
}

static void assert_ok(skv_status st)
{
    if (st != SKV_OK)
        fail_msg("%s", skv_message());
}

static int setup(void **state)
{
    size_t bytes;
    void *memory;

    (void)state;
    assert_ok(skv_h5_open(&fix.golden, SKV_TEST_DATA "/t5.h5"));
    assert_ok(test_backend_open(&fix.be, 2));
    assert_ok(skv_t5_open(&fix.weights, &fix.dims, FOLDER));
    assert_ok(skv_t5_create(&fix.t5, fix.be, fix.weights, &fix.dims));
    assert_ok(skv_tokenizer_open_for(&fix.fast, FOLDER, NULL, fix.dims.vocab_size, false));
    assert_ok(skv_tokenizer_open_for(&fix.plain, FOLDER, NULL, fix.dims.vocab_size, true));
    bytes = skv_t5_scratch_bytes(&fix.dims, fix.be, MAX_TOKENS);
    assert_ok(skv_backend_alloc(fix.be, &memory, bytes, "scratch"));
    skv_arena_init(&fix.scratch, "scratch", memory, bytes);
    assert_ok(skv_backend_alloc(fix.be, &memory, MAX_TOKENS * WIDTH * sizeof(float), "out"));
    fix.out = SKV_TENSOR(memory, SKV_F32, fix.be->device, MAX_TOKENS, WIDTH);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    skv_backend_free(fix.be, fix.out.data);
    skv_backend_free(fix.be, fix.scratch.base);
    skv_tokenizer_destroy(fix.plain);
    skv_tokenizer_destroy(fix.fast);
    skv_t5_destroy(fix.t5);
    skv_weights_close(fix.weights);
    skv_backend_destroy(fix.be);
    skv_h5_close(fix.golden);
    return 0;
}

/* ---------------------------------------------------------------- ids */

static int assert_ids(const skv_tokenizer *t, const char *group, const char *item)
{
    int32_t ids[SKV_MAX_TOKENS];
    int64_t bytes, want_n;
    char *text = read_any(SKV_H5_U8, 1, &bytes, group, "utf8");
    int32_t *want = read_any(SKV_H5_I32, 1, &want_n, group, item);
    int n, before;

    assert_ok(skv_tokenizer_encode(t, text, (size_t)bytes, ids, &n, &before));
    if (n != want_n || memcmp(ids, want, (size_t)n * sizeof *ids) != 0)
        fail_msg("%s/%s: %d ids, want %d", group, item, n, (int)want_n);
    free(want);
    free(text);
    return before;
}

/* Calls f("/prompts/NN_name") for the members of a group. */
static void for_each(const char *group, int want_n, void (*f)(const char *member))
{
    char **names;
    int n;

    assert_ok(skv_h5_list(&names, &n, fix.golden, group));
    assert_int_equal(n, want_n);
    for (int i = 0; i < n; i++) {
        char name[256];

        snprintf(name, sizeof name, "%s/%s", group, names[i]);
        f(name);
    }
    free(names);
}

static void check_prompt_ids(const char *name)
{
    int64_t want;
    const int before = assert_ids(fix.plain, name, "ids");

    assert_ids(fix.fast, name, "ids_hf");
    assert_ok(skv_h5_get_int(&want, fix.golden, name, "n_before_truncation"));
    assert_int_equal(before, want);
}

static void prompts_have_the_recorded_ids_in_both_modes(void **state)
{
    (void)state;
    for_each("/prompts", 20, check_prompt_ids);
}

static void check_special_ids(const char *name)
{
    assert_ids(fix.plain, name, "ids_sentencepiece");
    assert_ids(fix.fast, name, "ids_hf");
}

static void written_special_tokens_are_one_id_unless_plain(void **state)
{
    char **names;
    int n;

    (void)state;
    assert_ok(skv_h5_list(&names, &n, fix.golden, "/special"));
    free(names);
    assert_true(n > 3);
    for_each("/special", n, check_special_ids);
}

static void texts_are_cut_at_511_before_the_end_token(void **state)
{
    static const struct {
        const char *group;
        int before, n_with_space, before_with_space;
    } cases[] = {{"/truncation/510_tokens", 511, 512, 512},
                 {"/truncation/511_tokens", 512, 512, 513},
                 {"/truncation/512_tokens", 513, 512, 514},
                 {"/truncation/513_tokens", 514, 512, 515}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        int32_t ids[SKV_MAX_TOKENS];
        int64_t bytes, want_n;
        char *text = read_any(SKV_H5_U8, 1, &bytes, cases[i].group, "utf8");
        int32_t *want = read_any(SKV_H5_I32, 1, &want_n, cases[i].group, "ids");
        int n, before;

        assert_int_equal(assert_ids(fix.plain, cases[i].group, "ids"), cases[i].before);
        assert_int_equal(assert_ids(fix.fast, cases[i].group, "ids"), cases[i].before);
        text = realloc(text, (size_t)bytes + 1);
        assert_non_null(text);
        text[bytes] = ' ';
        assert_ok(skv_tokenizer_encode(fix.fast, text, (size_t)bytes + 1, ids, &n, &before));
        assert_int_equal(n, cases[i].n_with_space);
        assert_int_equal(before, cases[i].before_with_space);
        assert_int_equal(ids[n - 1], 1);
        assert_int_equal(ids[510], i == 0 ? 3 : want[510]);
        assert_memory_equal(ids, want, 510 * sizeof *ids);
        free(want);
        free(text);
    }
}

/* ---------------------------------------------------------------- outputs */

static float *encode(const int32_t *ids, const int32_t *start, int n_prompts)
{
    const int n = start[n_prompts];
    const skv_tensor out = skv_tensor_rows(&fix.out, 0, n);
    float *host = calloc((size_t)n * WIDTH, sizeof *host);

    assert_non_null(host);
    assert_ok(skv_t5_encode(fix.t5, ids, start, n_prompts, &out, &fix.scratch));
    assert_int_equal(fix.scratch.used, 0);
    assert_ok(skv_backend_download(fix.be, host, out.data, (size_t)n * WIDTH * sizeof *host));
    return host;
}

/* TF32 products: the whole within a relative L2 of fp32 (upstream's own fp16 has 1.6e-3). */
static void assert_near(const float *got, const float *want, int64_t n, const char *what)
{
    double sum = 0, size = 0;

    for (int64_t i = 0; i < n; i++) {
        const double d = (double)got[i] - (double)want[i];

        sum += d * d;
        size += (double)want[i] * (double)want[i];
    }
    if (!(sqrt(sum / size) <= TF32_TOL))
        fail_msg("%s: relative L2 %g, at most %g allowed", what, sqrt(sum / size), TF32_TOL);
}

static void assert_close(const float *got, const float *want, int64_t n, double tol,
                         const char *what)
{
    double worst = 0;

    if (strcmp(test_device(), "cuda-tf32") == 0) {
        assert_near(got, want, n, what);
        return;
    }

    for (int64_t i = 0; i < n; i++) {
        const double d = fabs((double)got[i] - (double)want[i]);

        worst = d > worst || isnan(d) ? d : worst;
    }
    if (!(worst <= tol))
        fail_msg("%s: differs by %g, at most %g allowed", what, worst, tol);
}

static void assert_output(const char *group, const char *ids_name, const char *out_name)
{
    int64_t n, n_out;
    int32_t *ids = read_any(SKV_H5_I32, 1, &n, group, ids_name);
    float *want = read_any(SKV_H5_F32, 2, &n_out, group, out_name);
    const int32_t start[2] = {0, (int32_t)n};
    float *got = encode(ids, start, 1);

    assert_int_equal(n_out, n * WIDTH);
    assert_close(got, want, n_out, OUT_TOL, group);
    free(got);
    free(want);
    free(ids);
}

static void check_output(const char *name)
{
    char other[300];
    bool there = false;

    assert_output(name, "ids", "out");
    snprintf(other, sizeof other, "%s/out_hf", name);
    assert_int_equal(skv_h5_has(&there, fix.golden, other), SKV_OK);
    if (there)
        assert_output(name, "ids_hf", "out_hf");
}

static void prompts_have_the_recorded_features(void **state)
{
    (void)state;
    for_each("/prompts", 20, check_output);
}

typedef struct {
    float *residual[8]; /* embed, then each layer */
    int n;
} trace;

static skv_status keep_residual(void *user, int layer, const skv_tensor *residual)
{
    trace *t = user;
    const size_t bytes = skv_tensor_bytes(residual);

    assert_int_equal(layer, t->n - 1);
    t->residual[t->n] = malloc(bytes);
    assert_non_null(t->residual[t->n]);
    return skv_backend_download(fix.be, t->residual[t->n++], residual->data, bytes);
}

static void every_layer_leaves_the_recorded_residual(void **state)
{
    static const char *const names[] = {"embed", "block0", "block1", "block2"};
    int64_t n_ids, n;
    int32_t *ids = read_any(SKV_H5_I32, 1, &n_ids, "/prompts/01_geneval_color", "ids");
    const int32_t start[2] = {0, (int32_t)n_ids};
    trace t = {.n = 0};
    float *out, *want;

    (void)state;
    skv_t5_set_trace(fix.t5, keep_residual, &t);
    out = encode(ids, start, 1);
    skv_t5_set_trace(fix.t5, NULL, NULL);
    assert_int_equal(t.n, 4);
    for (int i = 0; i < 4; i++) {
        want = read_any(SKV_H5_F32, 2, &n, "/trace", names[i]);
        assert_int_equal(n, n_ids * WIDTH);
        assert_close(t.residual[i], want, n, i == 0 ? 0 : TRACE_TOL, names[i]);
        free(want);
        free(t.residual[i]);
    }
    want = read_any(SKV_H5_F32, 2, &n, "/trace", "out");
    assert_close(out, want, n, OUT_TOL, "out");
    free(want);
    free(out);
    free(ids);
}

/* Packing changes the shape of the matrix products, hence the order of their sums. */
static void packed_prompts_equal_single_ones(void **state)
{
    int64_t n, total = 0;
    int32_t *number = read_any(SKV_H5_I32, 1, &n, "/pack", "prompt");
    int32_t *start = read_any(SKV_H5_I32, 1, &n, "/pack", "cu_seqlens");
    int32_t ids[MAX_TOKENS];
    float *want[3], *got;
    char **names;
    int n_names;

    (void)state;
    assert_int_equal(n, 4);
    assert_ok(skv_h5_list(&names, &n_names, fix.golden, "/prompts"));
    for (int p = 0; p < 3; p++) {
        char group[256];
        int32_t *own;

        snprintf(group, sizeof group, "/prompts/%s", names[number[p]]);
        own = read_any(SKV_H5_I32, 1, &n, group, "ids");
        assert_int_equal(n, start[p + 1] - start[p]);
        assert_true(total + n <= MAX_TOKENS);
        memcpy(ids + total, own, (size_t)n * sizeof *ids);
        total += n;
        free(own);
        want[p] = read_any(SKV_H5_F32, 2, &n, group, "out");
    }
    got = encode(ids, start, 3);
    for (int p = 0; p < 3; p++) {
        assert_close(got + (size_t)start[p] * WIDTH, want[p],
                     (int64_t)(start[p + 1] - start[p]) * WIDTH, OUT_TOL, "packed");
        free(want[p]);
    }
    free(got);
    free(names);
    free(start);
    free(number);
}

/* ---------------------------------------------------------------- buckets, bias */

static void buckets_are_the_recorded_ones(void **state)
{
    int64_t n;
    int32_t *offset = read_any(SKV_H5_I32, 1, &n, "/bucket", "relpos");
    int32_t *want = read_any(SKV_H5_I32, 1, &n, "/bucket", "bucket");
    int32_t got[2 * 600 + 1], clamped[2 * 128 + 1];

    (void)state;
    assert_int_equal(n, 1201);
    skv_t5_buckets(got, 600, 32, 128);
    skv_t5_buckets(clamped, 128, 32, 128);
    for (int64_t i = 0; i < n; i++) {
        const int d = offset[i], c = d < -128 ? -128 : d > 128 ? 128 : d;

        assert_int_equal(got[d + 600], want[i]);
        assert_int_equal(clamped[c + 128], want[i]);
    }
    free(want);
    free(offset);
}

static void the_bias_of_a_pair_is_the_tables_entry(void **state)
{
    int64_t n;
    float *want = read_any(SKV_H5_F32, 3, &n, "/trace", "bias");
    const int side = (int)lround(sqrt((double)n / 3));
    int32_t bucket[2 * 128 + 1];
    float table[32 * 3];
    skv_loader *l;
    skv_tensor host;
    size_t bytes;

    (void)state;
    assert_ok(skv_loader_create(&l, fix.be, fix.weights));
    for (int pass = 0; pass < 2; pass++) {
        skv_loader_host(l, &host, 32, 3,
                        "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
        if (pass == 0)
            assert_ok(skv_loader_planned(l, &bytes));
    }
    assert_ok(skv_loader_done(l));
    skv_to_f32(table, host.data, host.dtype, 32 * 3);
    skv_loader_destroy(l);
    skv_t5_buckets(bucket, 128, 32, 128);
    assert_int_equal(3 * side * side, n);
    for (int h = 0; h < 3; h++)
        for (int r = 0; r < side; r++)
            for (int c = 0; c < side; c++)
                assert_true(table[bucket[c - r + 128] * 3 + h] == want[(h * side + r) * side + c]);
    free(want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prompts_have_the_recorded_ids_in_both_modes),
        cmocka_unit_test(written_special_tokens_are_one_id_unless_plain),
        cmocka_unit_test(texts_are_cut_at_511_before_the_end_token),
        cmocka_unit_test(prompts_have_the_recorded_features),
        cmocka_unit_test(every_layer_leaves_the_recorded_residual),
        cmocka_unit_test(packed_prompts_equal_single_ones),
        cmocka_unit_test(buckets_are_the_recorded_ones),
        cmocka_unit_test(the_bias_of_a_pair_is_the_tables_entry)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
