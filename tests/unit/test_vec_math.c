/* The CPU backend's elementwise functions over the whole range of fp32, against double. */
#include "kernels/cpu/cpu_internal.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "cmocka_all.h"

#define BLOCK  4096
#define STRIDE 997u /* between the bit patterns that are tried: 4.3 million of them */

/* The distance between two numbers of fp32 near y; of the smallest ones below the normal range. */
static double ulp(double y)
{
    int exponent;

    frexp(y, &exponent);
    return ldexp(1.0, exponent - 24 > -149 ? exponent - 24 : -149);
}

static double exact_exp(double x)
{
    return exp(x);
}

static double exact_silu(double x)
{
    return x / (1 + exp(-x));
}

static double gelu_exponent(double x)
{
    return 2 * sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x);
}

static double exact_gelu(double x)
{
    return x / (1 + exp(-gelu_exponent(x))); /* = x/2·(1 + tanh(exponent/2)) */
}

static double exp_allowed(double x, double y)
{
    (void)x;
    return ulp(y); /* the polynomial's error, 0.47 ulp, and roundings */
}

/* exp's 1 ulp, and the roundings of the sum and the quotient, which near a power of two count
 * double. */
static double silu_allowed(double x, double y)
{
    (void)x;
    return 3 * ulp(y);
}

/* Up to seven roundings of the exponent (two constants, four products, a sum), each a relative
 * error of the result as large as the exponent; 4 for exp, the sum and the quotient. */
static double gelu_allowed(double x, double y)
{
    return (4 + 7 * fabs(gelu_exponent(x))) * fabs(y) / 16777216 + FLT_TRUE_MIN;
}

typedef struct {
    void (*fn)(float *y, const float *x, int64_t n);
    double (*exact)(double x);
    double (*allowed)(double x, double y);
    double low, high; /* of the arguments */
} function;

/* Every STRIDE-th bit pattern from `bits` on that is an argument; returns how many were found. */
static int arguments(const function *f, uint64_t *bits, float *x)
{
    int n = 0;

    for (; n < BLOCK && *bits <= UINT32_MAX; *bits += STRIDE) {
        const uint32_t pattern = (uint32_t)*bits;

        memcpy(&x[n], &pattern, sizeof x[n]);
        n += (double)x[n] >= f->low && (double)x[n] <= f->high;
    }
    return n;
}

static void check(const function *f)
{
    static float x[BLOCK], y[BLOCK];
    uint64_t bits = 0;
    int64_t total = 0;
    int n;

    while ((n = arguments(f, &bits, x)) > 0) {
        f->fn(y, x, n);
        for (int i = 0; i < n; i++) {
            const double want = f->exact((double)x[i]);

            if (fabs((double)y[i] - want) > f->allowed((double)x[i], want))
                fail_msg("f(%.9g) = %.9g, want %.9g", (double)x[i], (double)y[i], want);
        }
        total += n;
    }
    assert_true(total > 1000000);
}

static void exp_is_within_one_ulp_of_the_exact_value(void **state)
{
    (void)state;
    check(&(function){skv_cpu__exp, exact_exp, exp_allowed, -FLT_MAX, 88.72});
}

static void exp_of_what_overflows_is_infinite_and_of_nan_is_nan(void **state)
{
    const float x[5] = {88.73f, 1e30f, INFINITY, -INFINITY, NAN};
    float y[5];

    (void)state;
    skv_cpu__exp(y, x, 5);
    assert_true(isinf(y[0]) && isinf(y[1]) && isinf(y[2]));
    assert_true(y[3] == 0.0f);
    assert_true(isnan(y[4]));
}

static void silu_is_within_three_ulp_of_the_exact_value(void **state)
{
    (void)state;
    check(&(function){skv_cpu__silu, exact_silu, silu_allowed, -80, FLT_MAX});
}

static void gelu_is_as_exact_as_its_exponent_allows(void **state)
{
    (void)state;
    check(&(function){skv_cpu__gelu, exact_gelu, gelu_allowed, -8, 1e12});
}

/* Vectors and what is left over take different instructions; in place takes no other. */
static void a_number_s_result_does_not_depend_on_where_it_stands(void **state)
{
    static float x[67], y[67], z[67];

    (void)state;
    for (int i = 0; i < 67; i++)
        x[i] = (float)(i - 33) * 0.61f;
    skv_cpu__gelu(y, x, 67);
    memcpy(z, x, sizeof z);
    skv_cpu__gelu(z, z, 67);
    assert_memory_equal(y, z, sizeof y);
    for (int i = 0; i < 67; i++) {
        skv_cpu__gelu(z, x + i, 1);
        assert_memory_equal(z, y + i, sizeof *z);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_is_within_one_ulp_of_the_exact_value),
        cmocka_unit_test(exp_of_what_overflows_is_infinite_and_of_nan_is_nan),
        cmocka_unit_test(silu_is_within_three_ulp_of_the_exact_value),
        cmocka_unit_test(gelu_is_as_exact_as_its_exponent_allows),
        cmocka_unit_test(a_number_s_result_does_not_depend_on_where_it_stands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
