/* The probability of a bit against its formula in double, and the frequency of drawn bits. */
#include "kernels/ops.h"

#include <math.h>
#include <stdlib.h>

#include "cmocka_all.h"

#define N_DRAWS 1000000

/* p(bit = 1) from the spec's words: guide, soften, drop what top-p drops, renormalise. */
static double probability(const float cond[2], const float uncond[2], double cfg, double tau,
                          double top_p)
{
    double l[2], p1;

    for (int v = 0; v < 2; v++)
        l[v] = cfg * ((double)cond[v] / tau) + (1 - cfg) * ((double)uncond[v] / tau);
    p1 = 1 / (1 + exp(l[0] - l[1]));
    if (p1 < 0.5 && p1 <= 1 - top_p)
        return 0;
    if (p1 > 0.5 && 1 - p1 <= 1 - top_p)
        return 1;
    return p1;
}

typedef struct {
    float cond[2], uncond[2], cfg, tau;
    double top_p;
} setting;

static const setting settings[] = {
    {{0, 0}, {0, 0}, 1, 1, 1},
    {{0.3f, -0.4f}, {0, 0}, 1, 1, 1},
    {{0.3f, -0.4f}, {0.1f, 0.2f}, 3, 1, 0.97},
    {{-1, 1.5f}, {0.5f, 0.25f}, 2, 0.7f, 0.97},
    {{2, 0}, {0, 0}, 1, 1.5f, 0.9},
    {{0, 4}, {0, 0}, 1, 1, 0.97}, /* p = .982: dropped */
    {{0, 3}, {0, 0}, 1, 1, 0.97}, /* p = .953: stays */
    {{9, 0}, {0, 0}, 1, 1, 1},
    {{0, 0.7f}, {0.7f, 0}, 4, 0.5f, 0.97},
};

static const skv_torch_gpu gpu = {132, 2048};

/* Draws n bits of one setting: one token a draw, one bit a token. */
static int64_t count_ones(const setting *s, uint64_t seed, int n, uint8_t *bits)
{
    const skv_generator generator = {seed, 12};
    skv_backend *be;
    float *logits = malloc(2 * (size_t)n * 2 * sizeof *logits);
    int64_t ones = 0;

    assert_non_null(logits);
    for (int i = 0; i < n; i++)
        for (int v = 0; v < 2; v++) {
            logits[2 * i + v] = s->cond[v];
            logits[2 * (n + i) + v] = s->uncond[v];
        }
    assert_int_equal(skv_backend_open_cpu(&be, 2), SKV_OK);
    assert_int_equal(
        skv_draw_bits(
            be, &(skv_draw_bits_args){.bits = SKV_TENSOR(bits, SKV_U8, SKV_HOST, 1, n, 1),
                                      .logits = SKV_TENSOR(logits, SKV_F32, SKV_HOST, 2, n, 2),
                                      .generator = &generator,
                                      .offset = 4,
                                      .threads = skv_torch_threads(&gpu, 2 * (int64_t)n),
                                      .cfg = s->cfg,
                                      .tau = s->tau,
                                      .top_p = s->top_p,
                                      .scale = 4}),
        SKV_OK);
    for (int i = 0; i < n; i++)
        ones += bits[i];
    skv_backend_destroy(be);
    free(logits);
    return ones;
}

static void each_bit_is_the_value_of_the_larger_quotient(void **state)
{
    enum { N = 5000 };
    const skv_generator g = {99, 16};
    const int64_t threads = skv_torch_threads(&gpu, 2 * N);
    uint8_t *bits = malloc(N);

    (void)state;
    assert_non_null(bits);
    for (size_t k = 0; k < sizeof settings / sizeof settings[0]; k++) {
        const setting *s = &settings[k];
        const double p = probability(s->cond, s->uncond, s->cfg, s->tau, s->top_p);

        count_ones(s, 99, N, bits);
        for (int i = 0; i < N; i++) {
            const double one = p * (double)skv_torch_exponential(&g, threads, 2 * (int64_t)i);
            const double zero =
                (1 - p) * (double)skv_torch_exponential(&g, threads, 2 * (int64_t)i + 1);

            /* logits are fp32: the probability carries 1e-6 */
            if (fabs(one - zero) > 2e-6 * (one + zero))
                assert_int_equal(bits[i], one > zero);
        }
    }
    free(bits);
}

static void a_million_draws_have_the_frequency_of_the_formula(void **state)
{
    uint8_t *bits = malloc(N_DRAWS);

    (void)state;
    assert_non_null(bits);
    for (size_t k = 0; k < sizeof settings / sizeof settings[0]; k++) {
        const setting *s = &settings[k];
        const double p = probability(s->cond, s->uncond, s->cfg, s->tau, s->top_p);
        const double share = (double)count_ones(s, 7 + k, N_DRAWS, bits) / N_DRAWS;

        /* five standard deviations; exactly 0 or 1 where top-p dropped one value */
        assert_true(fabs(share - p) <= 5 * sqrt(p * (1 - p) / N_DRAWS));
    }
    free(bits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_bit_is_the_value_of_the_larger_quotient),
        cmocka_unit_test(a_million_draws_have_the_frequency_of_the_formula),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
