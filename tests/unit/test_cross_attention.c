/* Cross attention of a group whose texts have many lengths, against each of its rows alone: which
 * way a row goes, and with which others, changes its result by roundings only; and from call to
 * call nothing changes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/dtype.h"
#include "io/formula.h"
#include "model/infinity_parts.h"
#include "test_device.h"

#include "cmocka_all.h"

#define DIM      16
#define HEADS    4
#define WIDTH    (DIM * HEADS)
#define TOKENS   1024 /* of the largest map at 0.25M: long enough for two ways side by side */
#define ROW      (TOKENS * WIDTH)
#define MAX_ROWS 8
#define TEXT     64
#define BUFFER   (MAX_ROWS * ROW * 8)

typedef struct {
    skv_infinity model;
    skv_stage stage;
    skv_cond cond;
    skv_pass pass;
    void *memory[8]; /* device */
    int n_memory;
    float *inputs;
    void *staged; /* rows in the backend's type */
    int32_t start[MAX_ROWS], count[MAX_ROWS];
} world;

static float *filled(const char *name, int64_t n, float size)
{
    float *x = malloc((size_t)n * sizeof *x);

    assert_non_null(x);
    skv_formula_uniform(x, name, 0, n);
    for (int64_t i = 0; i < n; i++)
        x[i] *= size;
    return x;
}

static void *device_memory(world *w, int64_t n)
{
    void **place = &w->memory[w->n_memory++];

    assert_true(w->n_memory <= 8);
    assert_int_equal(skv_backend_alloc(w->model.be, place, (size_t)n * sizeof(float), "a test"),
                     SKV_OK);
    return *place;
}

static void upload(world *w, void *to, const float *from, int64_t n)
{
    const skv_dtype type = w->model.be->act;

    skv_from_f32(w->staged, type, from, (size_t)n);
    assert_int_equal(
        skv_backend_upload(w->model.be, to, w->staged, (size_t)n * skv_dtype_bytes(type)), SKV_OK);
}

/* (n) act from a formula. */
static void *values(world *w, const char *name, int64_t n, float size)
{
    float *x = filled(name, n, size);
    void *to = device_memory(w, n);

    upload(w, to, x, n);
    free(x);
    return to;
}

static skv_tensor matrix(world *w, const char *name)
{
    float *x = filled(name, (int64_t)WIDTH * WIDTH, 0.25f);
    skv_tensor t = {0};

    assert_int_equal(skv_pack_linear(w->model.be, &t, device_memory(w, (int64_t)WIDTH * WIDTH), x,
                                     SKV_F32, WIDTH, WIDTH),
                     SKV_OK);
    assert_int_equal(skv_backend_sync(w->model.be), SKV_OK);
    free(x);
    return t;
}

static void open_world(world *w)
{
    skv_block_weights *block = w->model.block;
    skv_backend *be;

    memset(w, 0, sizeof *w);
    assert_int_equal(test_backend_open(&w->model.be, 2), SKV_OK);
    be = w->model.be;
    w->staged = malloc((size_t)MAX_ROWS * ROW * sizeof(float));
    assert_non_null(w->staged);
    w->inputs = filled("inputs", (int64_t)MAX_ROWS * ROW, 2);
    assert_int_equal(skv_schedule_make(&w->stage.schedule, 1.0, "0.25M"), SKV_OK);
    w->model.dims = (skv_dims){.depth = 1, .width = WIDTH, .heads = HEADS, .head_dim = DIM};
    block->ca_q = matrix(w, "queries");
    block->ca_proj = matrix(w, "projection");
    block->ca_q_bias =
        SKV_TENSOR(values(w, "query bias", WIDTH, 0.25f), be->act, be->device, WIDTH);
    w->cond.kv[0] = SKV_TENSOR(values(w, "text", (int64_t)TEXT * 2 * WIDTH, 1), be->kv, be->device,
                               TEXT, 2, HEADS, DIM);
    w->cond.start = w->start;
    w->cond.count = w->count;
    w->pass = (skv_pass){.setup = {.model = &w->model, .stage = &w->stage},
                         .normed = device_memory(w, (int64_t)MAX_ROWS * ROW),
                         .work = device_memory(w, BUFFER),
                         .cond = &w->cond};
}

static void close_world(world *w)
{
    for (int i = 0; i < w->n_memory; i++)
        skv_backend_free(w->model.be, w->memory[i]);
    skv_backend_destroy(w->model.be);
    free(w->staged);
    free(w->inputs);
}

/* out (n,TOKENS,WIDTH) = y of n rows from `first`. */
static void run(world *w, float *out, const int32_t *start, const int32_t *count, int first, int n)
{
    skv_backend *be = w->model.be;
    const size_t numbers = (size_t)n * ROW, bytes = numbers * skv_dtype_bytes(be->act);
    skv_tensor y;

    memcpy(w->start, start + first, (size_t)n * sizeof *start);
    memcpy(w->count, count + first, (size_t)n * sizeof *count);
    upload(w, w->pass.normed, w->inputs + (size_t)first * ROW, n * (int64_t)ROW);
    memset(w->staged, 0xff, bytes); /* NaNs: every row must be written */
    assert_int_equal(skv_backend_upload(be, w->pass.work, w->staged, bytes), SKV_OK);
    w->pass.n_rows = w->cond.n_rows = n;
    assert_int_equal(skv_block__cross_attention(&w->pass, 0, w->stage.schedule.n_scales - 1, &y),
                     SKV_OK);
    assert_int_equal(y.shape[0], n);
    assert_int_equal(skv_backend_download(be, w->staged, y.data, bytes), SKV_OK);
    skv_to_f32(out, w->staged, be->act, numbers);
}

/* The largest difference between rows of the group and the same rows alone. */
static double difference(world *w, const int32_t *count, int n)
{
    const size_t numbers = (size_t)n * ROW;
    int32_t start[MAX_ROWS];
    float *all = malloc(numbers * sizeof *all), *other = malloc(numbers * sizeof *other);
    double most = 0;

    assert_non_null(all);
    assert_non_null(other);
    for (int r = 0; r < n; r++)
        start[r] = 3 * r % (TEXT - count[r] + 1);
    run(w, all, start, count, 0, n);
    for (int again = 0; again < 5; again++) {
        run(w, other, start, count, 0, n);
        assert_memory_equal(other, all, numbers * sizeof *all);
    }
    for (int r = 0; r < n; r++) {
        run(w, other, start, count, r, 1); /* too few tokens to go through the text */
        for (size_t i = 0; i < ROW; i++) {
            const double off = fabs((double)other[i] - (double)all[(size_t)r * ROW + i]);

            assert_true(isfinite(off));
            most = fmax(most, off);
        }
    }
    free(all);
    free(other);
    return most;
}

static void a_row_is_the_same_in_every_company(void **state)
{
    /* 3/4 of the head dimension, 12, is the longest text that goes through the projections */
    static const int32_t counts[][MAX_ROWS] = {
        {5, 5, 5, 5, 5, 5, 5, 5},         /* all together */
        {40, 33, 20, 64, 40, 33, 20, 64}, /* none of them */
        {1, 12, 40, 9, 1, 12, 40, 9},     /* halves alike: lone rows with their other halves */
        {2, 2, 30, 30, 2, 2, 30, 30},     /* two by two */
        {1, 12, 40, 9, 3, 30, 30, 12},    /* halves that differ, as negative prompts make them */
    };
    /* Outputs are near 1. fp32: roundings of three sums over up to 64 numbers. bf16: queries or
     * keys, weights, values or outputs are rounded on the way, by 2^-9 of numbers up to 4. */
    const double bound = strcmp(test_device(), "cuda-bf16") == 0 ? 0.06 : 1e-5;
    world w;

    (void)state;
    open_world(&w);
    assert_int_equal(skv_schedule_tokens(&w.stage.schedule, w.stage.schedule.n_scales - 1), TOKENS);
    assert_int_equal(skv_limits_absorbed_text(w.model.be->limits, DIM, MAX_ROWS, TOKENS), 12);
    assert_int_equal(skv_limits_absorbed_text(w.model.be->limits, DIM, 1, TOKENS), 0);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const double eight = difference(&w, counts[i], MAX_ROWS),
                     five = difference(&w, counts[i], 5);

        printf("lengths %zu: largest difference %.3g, %.3g of %g\n", i, eight, five, bound);
        assert_true(eight < bound && five < bound);
    }
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_the_same_in_every_company),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
