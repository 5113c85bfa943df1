/* Cross attention of a group whose texts have many lengths, against each of its rows alone: which
 * way a row goes, and with which others, changes its result by roundings only. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/formula.h"
#include "model/infinity_parts.h"

#include "cmocka_all.h"

#define DIM      16
#define HEADS    4
#define WIDTH    (DIM * HEADS)
#define TOKENS   1024 /* of the largest map at 0.25M: long enough for two ways side by side */
#define MAX_ROWS 8
#define TEXT     64
#define BUFFER   (MAX_ROWS * TOKENS * WIDTH * 8)

typedef struct {
    skv_infinity model;
    skv_stage stage;
    skv_cond cond;
    skv_pass pass;
    float *weights, *text, *inputs, *a, *b;
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

static void open_world(world *w)
{
    const int64_t square = (int64_t)WIDTH * WIDTH;
    skv_block_weights *block = w->model.block;

    memset(w, 0, sizeof *w);
    w->weights = filled("weights", 2 * square + 2 * WIDTH, 0.25f);
    w->text = filled("text", (int64_t)TEXT * 2 * WIDTH, 1);
    w->inputs = filled("inputs", (int64_t)MAX_ROWS * TOKENS * WIDTH, 2);
    w->a = filled("a", BUFFER, 0);
    w->b = filled("b", BUFFER, 0);
    assert_int_equal(skv_backend_open_cpu(&w->model.be, 2), SKV_OK);
    assert_int_equal(skv_schedule_make(&w->stage.schedule, 1.0, "0.25M"), SKV_OK);
    w->model.dims = (skv_dims){.depth = 1, .width = WIDTH, .heads = HEADS, .head_dim = DIM};
    block->ca_q = SKV_TENSOR(w->weights, SKV_F32, SKV_HOST, WIDTH, WIDTH);
    block->ca_proj = SKV_TENSOR(w->weights + square, SKV_F32, SKV_HOST, WIDTH, WIDTH);
    block->ca_q_bias = SKV_TENSOR(w->weights + 2 * square, SKV_F32, SKV_HOST, WIDTH);
    block->ca_proj_bias = SKV_TENSOR(w->weights + 2 * square + WIDTH, SKV_F32, SKV_HOST, WIDTH);
    w->cond.kv[0] = SKV_TENSOR(w->text, SKV_F32, SKV_HOST, TEXT, 2, HEADS, DIM);
    w->cond.start = w->start;
    w->cond.count = w->count;
    w->pass = (skv_pass){.setup = {.model = &w->model, .stage = &w->stage},
                         .a = (char *)w->a,
                         .b = (char *)w->b,
                         .cond = &w->cond};
}

static void close_world(world *w)
{
    skv_backend_destroy(w->model.be);
    free(w->weights);
    free(w->text);
    free(w->inputs);
    free(w->a);
    free(w->b);
}

/* y (n,TOKENS,WIDTH) of n rows from `first`; borrowed until the next call. */
static const float *run(world *w, const int32_t *start, const int32_t *count, int first, int n)
{
    const size_t row = (size_t)TOKENS * WIDTH;
    skv_tensor y;

    memcpy(w->start, start + first, (size_t)n * sizeof *start);
    memcpy(w->count, count + first, (size_t)n * sizeof *count);
    memcpy(w->a, w->inputs + (size_t)first * row, (size_t)n * row * sizeof *w->a);
    memset(w->b, 0xff, (size_t)n * row * sizeof *w->b); /* NaNs: every row must be written */
    w->pass.n_rows = w->cond.n_rows = n;
    assert_int_equal(skv_block__cross_attention(&w->pass, 0, w->stage.schedule.n_scales - 1, &y),
                     SKV_OK);
    assert_int_equal(y.shape[0], n);
    return y.data;
}

/* The largest difference between rows of the group and the same rows alone. */
static double difference(world *w, const int32_t *count, int n)
{
    const size_t row = (size_t)TOKENS * WIDTH;
    int32_t start[MAX_ROWS];
    float *all = malloc((size_t)n * row * sizeof *all);
    double most = 0;

    assert_non_null(all);
    for (int r = 0; r < n; r++)
        start[r] = 3 * r % (TEXT - count[r] + 1);
    memcpy(all, run(w, start, count, 0, n), (size_t)n * row * sizeof *all);
    for (int r = 0; r < n; r++) {
        const float *alone = run(w, start, count, r, 1); /* too few tokens to go through the text */

        for (size_t i = 0; i < row; i++)
            most = fmax(most, fabs((double)alone[i] - (double)all[(size_t)r * row + i]));
    }
    free(all);
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
    world w;

    (void)state;
    open_world(&w);
    assert_int_equal(skv_schedule_tokens(&w.stage.schedule, w.stage.schedule.n_scales - 1), TOKENS);
    assert_int_equal(skv_pass__absorbed_text(&w.model.dims, MAX_ROWS, TOKENS), 12);
    assert_int_equal(skv_pass__absorbed_text(&w.model.dims, 1, TOKENS), 0);
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        /* outputs are near 1; fp32 roundings of three sums over up to 64 numbers */
        assert_true(difference(&w, counts[i], MAX_ROWS) < 1e-5);
        assert_true(difference(&w, counts[i], 5) < 1e-5);
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
