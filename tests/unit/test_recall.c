/* Recall against sums written out in double: the probes are called as a pass over the scales calls
 * them, with keys, queries and cuts that are made up. */
#include "calibrate/recall.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "core/rng.h"

#define SCALES  3
#define LAYERS  2
#define HEADS   2
#define DIM     8
#define PROMPTS 2
#define ROWS    (2 * PROMPTS)
#define KEYS    21
#define MAP     16

static const skv_schedule schedule = {
    .n_scales = SCALES, .h = {1, 2, 4}, .w = {1, 2, 4}, .start = {0, 1, 5, KEYS}};

/* After the second scale 3 of 5 tokens stay, after the first all. */
static int capacity(const skv_policy_state *s, int layer, int head, int si)
{
    (void)s, (void)layer, (void)head;
    return si == 1 ? 3 : SKV_KEEP_ALL;
}

static const skv_policy three = {.name = "three", .capacity = capacity};

typedef struct {
    skv_backend *be;
    skv_recall *recall;
    float q[LAYERS][ROWS][MAP][HEADS][DIM], k[LAYERS][ROWS][HEADS][KEYS][DIM];
    int32_t keep[LAYERS][ROWS][HEADS][3];
} world;

static int make(void **state)
{
    static const skv_measures what = {
        .schedule = schedule, .kinds = 2, .layers = LAYERS, .heads = HEADS};
    static const skv_policy *const policies[2] = {&three, &three};
    static const skv_policy_state *const states[2] = {NULL, NULL};
    world *w = calloc(1, sizeof *w);
    skv_recall_setup setup = {.observer = {.what = &what, .max_prompts = PROMPTS},
                              .n_paths = 2,
                              .token_bits = 8,
                              .policy = policies,
                              .state = states};

    assert_non_null(w);
    assert_int_equal(skv_backend_open_cpu(&w->be, 1), SKV_OK);
    setup.observer.be = w->be;
    assert_int_equal(skv_recall_create(&w->recall, &setup), SKV_OK);
    for (uint32_t i = 0; i < sizeof w->q / sizeof(float); i++)
        ((float *)w->q)[i] = 3 * skv_uniform(1, 0, 0, i) - 1.5F;
    for (uint32_t i = 0; i < sizeof w->k / sizeof(float); i++)
        ((float *)w->k)[i] = 3 * skv_uniform(2, 0, 0, i) - 1.5F;
    for (int i = 0; i < LAYERS * ROWS * HEADS; i++) {
        const int dropped = (int)(5 * skv_uniform(3, 0, 0, (uint32_t)i));
        int32_t *keep = (int32_t *)w->keep + 3 * i;
        int n = 0;

        for (int t = 0; n < 3; t++)
            if (t != dropped)
                keep[n++] = t;
    }
    *state = w;
    return 0;
}

static int destroy(void **state)
{
    world *w = *state;

    skv_recall_destroy(w->recall);
    skv_backend_destroy(w->be);
    free(w);
    return 0;
}

static void cut(world *w, const skv_probe *probe, int layer)
{
    static const int32_t len[HEADS] = {5, 5};
    const skv_cut seen = {.si = 1,
                          .layer = layer,
                          .keep = SKV_TENSOR(w->keep[layer], SKV_I32, SKV_HOST, ROWS, HEADS * 3),
                          .len = len};

    assert_int_equal(probe->cut(probe->ctx, &seen), SKV_OK);
}

static void attend(world *w, const skv_probe *probe, int si, int layer)
{
    const int32_t len[HEADS] = {schedule.start[si + 1], schedule.start[si + 1]};
    skv_attended seen = {.si = si, .layer = layer, .len = len};

    seen.q = SKV_TENSOR(w->q[layer], SKV_F32, SKV_HOST, ROWS, MAP, HEADS, DIM);
    seen.q.shape[1] = skv_schedule_tokens(&schedule, si);
    seen.k = SKV_TENSOR(w->k[layer], SKV_F32, SKV_HOST, ROWS, HEADS, KEYS, DIM);
    assert_int_equal(probe->attended(probe->ctx, &seen), SKV_OK);
}

/* Of one row and head at the last scale: mean over its queries of what the three kept tokens and
 * the map have of the attention. */
static double by_hand(const world *w, int layer, int row, int head)
{
    double sum = 0;

    for (int i = 0; i < MAP; i++) {
        double p[KEYS], all = 0, held = 0;

        for (int j = 0; j < KEYS; j++) {
            double score = 0;

            for (int d = 0; d < DIM; d++)
                score +=
                    (double)w->q[layer][row][i][head][d] * (double)w->k[layer][row][head][j][d];
            p[j] = exp(score);
            all += p[j];
        }
        for (int n = 0; n < 3; n++)
            held += p[w->keep[layer][row][head][n]];
        for (int j = schedule.start[SCALES - 1]; j < KEYS; j++)
            held += p[j];
        sum += held / all;
    }
    return sum / MAP;
}

static void run(world *w)
{
    static const int row[PROMPTS] = {1, 0};
    const skv_probe *probe;

    skv_recall_begin(w->recall, NULL, 0, row);
    probe = skv_recall_watch(w->recall, 1);
    for (int layer = 0; layer < LAYERS; layer++)
        cut(w, probe, layer);
    probe = skv_recall_measure(w->recall);
    for (int si = 0; si < SCALES; si++)
        for (int layer = 0; layer < LAYERS; layer++)
            attend(w, probe, si, layer);
}

/* Probabilities are fp32: a score of a few units is off by some 1e-7 of its weight. */
static void shares_are_what_the_kept_tokens_have(void **state)
{
    world *w = *state;

    run(w);
    for (int i = 0; i < PROMPTS; i++)
        for (int layer = 0; layer < LAYERS; layer++) {
            const double *share = skv_recall_shares(w->recall, i);
            double want = 0;

            for (int row = i; row < ROWS; row += PROMPTS)
                for (int head = 0; head < HEADS; head++)
                    want += by_hand(w, layer, row, head) / 4;
            share += (size_t)(SCALES * LAYERS + (SCALES - 1) * LAYERS + layer);
            assert_true(want < 0.99);
            assert_true(fabs(*share - want) < 1e-5);
        }
}

/* Each query's probabilities are divided by their own sum, in double: only the rounding of the
 * sums is left, 21 keys and 16 queries of it. */
static void what_keeps_everything_has_all_of_it(void **state)
{
    world *w = *state;

    run(w);
    for (int i = 0; i < PROMPTS; i++)
        for (int n = 0; n < SCALES * LAYERS; n++) /* of path 0, which was not watched */
            assert_true(fabs(skv_recall_shares(w->recall, i)[n] - 1) < 1e-14);
    for (int n = 0; n < 2 * LAYERS; n++) /* of path 1, before its cut */
        assert_true(fabs(skv_recall_shares(w->recall, 0)[SCALES * LAYERS + n] - 1) < 1e-14);
}

/* The bits of a row, in the place that the order of computing gives it. */
static void recorded_bits_are_fed(void **state)
{
    static const int row[PROMPTS] = {1, 0};
    static const uint8_t packed[2][KEYS] = {{0, 1, 2, 4, 8}, {0, 0xff, 0x80, 0, 1}};
    world *w = *state;
    uint8_t bits[PROMPTS][4][8];
    skv_tensor t = SKV_TENSOR(bits, SKV_U8, SKV_HOST, PROMPTS, 4, 8);
    const skv_probe *probe;

    memset(bits, 7, sizeof bits);
    skv_recall_begin(w->recall, packed[0], KEYS, row);
    probe = skv_recall_watch(w->recall, 0);
    assert_int_equal(probe->logits(probe->ctx, 1, NULL, &t), SKV_OK);
    for (int i = 0; i < PROMPTS; i++)
        for (int token = 0; token < 4; token++)
            for (int b = 0; b < 8; b++)
                assert_int_equal(bits[i][token][b], packed[row[i]][1 + token] >> b & 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, make, destroy)
    const struct CMUnitTest tests[] = {CASE(shares_are_what_the_kept_tokens_have),
                                       CASE(what_keeps_everything_has_all_of_it),
                                       CASE(recorded_bits_are_fed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
