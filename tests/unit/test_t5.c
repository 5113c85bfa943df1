/* The encoder on weights made here: which tensor is the embedding, what the file's type means, and
 * that a prompt's features depend on nothing but its group. Numbers against another program are in
 * tests/golden. */
#include "model/t5.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "io/formula.h"
#include "kernels/ops.h"
#include "temp_folder.h"
#include "write_checkpoint.h"

#define WIDTH     32
#define MAX_PARTS 16

static const skv_t5_dims small = {.d_model = WIDTH,
                                  .d_kv = 16,
                                  .n_heads = 3,
                                  .d_ff = 40,
                                  .n_layers = 1,
                                  .vocab_size = 64,
                                  .n_buckets = 32,
                                  .max_distance = 128,
                                  .eps = 1e-6f};
static const int32_t ids[] = {5, 63, 0, 17, 1, 40, 5, 1}, start[] = {0, 5, 8};

/* ---------------------------------------------------------- weights in a file */

typedef struct {
    test_tensor part[MAX_PARTS];
    float *data[MAX_PARTS];
    size_t n;
} parts;

/* The formula's values for `values_of` under `name`, rounded to `type`. */
static void add_part(parts *p, const char *name, const char *values_of, int64_t rows, int64_t cols,
                     skv_dtype type)
{
    const size_t n = (size_t)(rows * (cols ? cols : 1));
    test_tensor t = {.name = name, .ndim = cols ? 2 : 1, .shape = {rows, cols}};
    uint16_t *half = malloc(n * sizeof *half);
    float *v = malloc(n * sizeof *v);

    assert_true(p->n < MAX_PARTS && v && half);
    skv_formula_fill(v, values_of, t.ndim, t.shape, 0, (int64_t)n);
    if (type != SKV_F32) {
        skv_from_f32(half, type, v, n);
        skv_to_f32(v, half, type, n);
    }
    free(half);
    t.data = p->data[p->n] = v;
    p->part[p->n++] = t;
}

#define LAYER "encoder.block.0.layer."

/* All but the embedding. */
static void add_encoder(parts *p, skv_dtype type)
{
    static const struct {
        const char *name;
        int64_t rows, cols;
    } list[] = {{LAYER "0.SelfAttention.relative_attention_bias.weight", 32, 3},
                {LAYER "0.layer_norm.weight", WIDTH, 0},
                {LAYER "0.SelfAttention.q.weight", 48, WIDTH},
                {LAYER "0.SelfAttention.k.weight", 48, WIDTH},
                {LAYER "0.SelfAttention.v.weight", 48, WIDTH},
                {LAYER "0.SelfAttention.o.weight", WIDTH, 48},
                {LAYER "1.layer_norm.weight", WIDTH, 0},
                {LAYER "1.DenseReluDense.wi_0.weight", 40, WIDTH},
                {LAYER "1.DenseReluDense.wi_1.weight", 40, WIDTH},
                {LAYER "1.DenseReluDense.wo.weight", WIDTH, 40},
                {"encoder.final_layer_norm.weight", WIDTH, 0}};

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        add_part(p, list[i].name, list[i].name, list[i].rows, list[i].cols, type);
}

/* Writes model.safetensors of `type` and frees the parts. */
static void save(parts *p, skv_dtype type)
{
    test_bytes file = {0};

    make_safetensors(&file, p->part, p->n, type);
    bytes_save(&file, temp_path("model.safetensors"));
    free(file.data);
    for (size_t i = 0; i < p->n; i++)
        free(p->data[i]);
    p->n = 0;
}

/* ---------------------------------------------------------- encoding */

typedef struct {
    const int32_t *ids, *start;
    int n_prompts, n_threads;
    skv_t5_trace_fn *trace;
    skv_status status; /* expected */
} job;

/* Features (tokens,C), freed by the caller. Closes the weights. */
static float *encode(skv_weights *w, const skv_t5_dims *d, const job *j)
{
    const int n = j->start[j->n_prompts];
    const size_t bytes = (size_t)n * (size_t)d->d_model * sizeof(float);
    skv_backend *be = NULL;
    skv_t5 *t = NULL;
    void *memory, *result;
    skv_arena scratch;
    skv_tensor out;
    float *host = malloc(bytes);
    int64_t allocs;

    assert_non_null(host);
    assert_int_equal(skv_backend_open_cpu(&be, j->n_threads), SKV_OK);
    if (skv_t5_create(&t, be, w, d) != SKV_OK)
        fail_msg("%s", skv_message());
    skv_t5_set_trace(t, j->trace, NULL);
    skv_arena_init(&scratch, "scratch", NULL, skv_t5_scratch_bytes(d, be, n));
    assert_int_equal(skv_backend_alloc(be, &memory, scratch.bytes, "scratch"), SKV_OK);
    assert_int_equal(skv_backend_alloc(be, &result, bytes, "out"), SKV_OK);
    scratch.base = memory;
    out = SKV_TENSOR(result, SKV_F32, be->device, n, d->d_model);
    allocs = be->n_allocs;
    assert_int_equal(skv_t5_encode(t, j->ids, j->start, j->n_prompts, &out, &scratch), j->status);
    assert_int_equal(be->n_allocs, allocs);
    assert_int_equal(scratch.used, 0);
    assert_int_equal(skv_backend_download(be, host, result, bytes), SKV_OK);
    skv_backend_free(be, result);
    skv_backend_free(be, memory);
    skv_t5_destroy(t);
    skv_weights_close(w);
    skv_backend_destroy(be);
    return host;
}

static const job two_prompts = {.ids = ids, .start = start, .n_prompts = 2, .n_threads = 1};

static float *encode_file(void)
{
    skv_weights *w = NULL;

    if (skv_weights_open(&w, temp_path("model.safetensors"), SKV_KIND_T5) != SKV_OK)
        fail_msg("%s", skv_message());
    return encode(w, &small, &two_prompts);
}

static float *encode_formula(const skv_t5_dims *d, const job *j)
{
    skv_weights *w = NULL;

    assert_int_equal(skv_weights_open_formula(&w, ""), SKV_OK);
    return encode(w, d, j);
}

static void assert_same(float *a, float *b, size_t n)
{
    assert_memory_equal(a, b, n * sizeof *a);
    free(a);
    free(b);
}

/* ---------------------------------------------------------- cases */

static void embed_tokens_serves_where_shared_is_not(void **state)
{
    parts p = {.n = 0};

    (void)state;
    add_encoder(&p, SKV_F32);
    add_part(&p, "encoder.embed_tokens.weight", "shared.weight", 64, WIDTH, SKV_F32);
    save(&p, SKV_F32);
    assert_same(encode_file(), encode_formula(&small, &two_prompts), 8 * WIDTH);
}

static void shared_is_taken_before_embed_tokens(void **state)
{
    parts p = {.n = 0};

    (void)state;
    add_encoder(&p, SKV_F32);
    add_part(&p, "encoder.embed_tokens.weight", "something else", 64, WIDTH, SKV_F32);
    add_part(&p, "shared.weight", "shared.weight", 64, WIDTH, SKV_F32);
    save(&p, SKV_F32);
    assert_same(encode_file(), encode_formula(&small, &two_prompts), 8 * WIDTH);
}

/* On the CPU the arithmetic is fp32 whatever the file holds. */
static void half_files_are_their_values_in_fp32(void **state)
{
    static const skv_dtype types[] = {SKV_F16, SKV_BF16};

    (void)state;
    for (int i = 0; i < 2; i++) {
        parts p = {.n = 0};
        float *wide, *half;

        for (int pass = 0; pass < 2; pass++) {
            add_encoder(&p, types[i]);
            add_part(&p, "shared.weight", "shared.weight", 64, WIDTH, types[i]);
            save(&p, pass == 0 ? SKV_F32 : types[i]);
            *(pass == 0 ? &wide : &half) = encode_file();
        }
        assert_same(wide, half, 8 * WIDTH);
    }
}

static void threads_do_not_change_a_byte(void **state)
{
    enum { N = 700 };
    int32_t many[N];
    job j = {.ids = many, .start = (int32_t[]){0, 1, 300, 301, N}, .n_prompts = 4, .n_threads = 1};
    skv_weights *w = NULL;
    skv_t5_dims d;
    float *one;

    (void)state;
    assert_int_equal(skv_t5_open(&w, &d, "formula:tiny"), SKV_OK);
    skv_weights_close(w);
    for (int i = 0; i < N; i++)
        many[i] = (i * 37 + 11) % d.vocab_size;
    one = encode_formula(&d, &j);
    j.n_threads = 3;
    assert_same(one, encode_formula(&d, &j), (size_t)N * 256);
}

static void prompts_of_a_group_do_not_see_each_other(void **state)
{
    int32_t other[8];
    job j = two_prompts;
    float *a = encode_formula(&small, &j), *b;

    (void)state;
    memcpy(other, ids, sizeof ids);
    other[6] = 9;
    j.ids = other;
    b = encode_formula(&small, &j);
    assert_memory_equal(a, b, 5 * WIDTH * sizeof *a);
    for (int i = 5; i < 8; i++) /* but tokens of one prompt do */
        assert_memory_not_equal(a + (ptrdiff_t)i * WIDTH, b + (ptrdiff_t)i * WIDTH,
                                WIDTH * sizeof *a);
    free(a);
    free(b);
}

static skv_status refuse_layer_0(void *user, int layer, const skv_tensor *residual)
{
    (void)user, (void)residual;
    return layer == 0 ? skv_fail(SKV_E_STOPPED, "enough") : SKV_OK;
}

static void a_failing_trace_ends_the_encoding(void **state)
{
    job j = two_prompts;

    (void)state;
    j.trace = refuse_layer_0;
    j.status = SKV_E_STOPPED;
    free(encode_formula(&small, &j));
}

/* In long double the formula is right but where it is a whole number, by less than 1e-12; there the
 * higher bucket is. */
static void buckets_of_any_config_are_the_formulas(void **state)
{
    static const int configs[][2] = {{32, 128}, {32, 256}, {64, 128}, {8, 20}, {256, 65536}};
    int ties = 0;

    (void)state;
    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        const int n = configs[i][0], most = configs[i][1], half = n / 2, e = half / 2;
        int32_t *bucket = malloc((2 * (size_t)most + 1) * sizeof *bucket);

        assert_non_null(bucket);
        skv_t5_buckets(bucket, most, n, most);
        for (int m = 0; m <= most; m++) {
            long double exact = logl((long double)m / e) / logl((long double)most / e) * (half - e);
            int want = m;

            if (m >= e) {
                ties += fabsl(exact - roundl(exact)) < 1e-12L;
                want = e + (int)floorl(exact + 1e-12L);
                want = want < half ? want : half - 1;
            }
            assert_int_equal(bucket[most - m], want);
            assert_int_equal(bucket[most + m], m > 0 ? want + half : 0);
        }
        free(bucket);
    }
    assert_true(ties >= 10);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, temp_folder_make, temp_folder_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(embed_tokens_serves_where_shared_is_not),
        CASE(shared_is_taken_before_embed_tokens),
        CASE(half_files_are_their_values_in_fp32),
        cmocka_unit_test(threads_do_not_change_a_byte),
        cmocka_unit_test(prompts_of_a_group_do_not_see_each_other),
        cmocka_unit_test(a_failing_trace_ends_the_encoding),
        cmocka_unit_test(buckets_of_any_config_are_the_formulas),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
