/* exp, GELU and SiLU over arrays, written so that gcc vectorises them. */
#include "kernels/cpu/cpu_internal.h"

#include <math.h>
#include <string.h>

/* exp(x): n = round(x/ln 2), r = x - n·ln 2 in two parts, a polynomial of degree 6 on |r| <= ln 2 /
 * 2, then n into the exponent in two steps, so that subnormal results and overflow come out right.
 */
static inline float exp_one(float x)
{
    const float log2e = 1.44269504088896341f, ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    const float magic = 12582912.0f; /* 1.5·2^23: adding it rounds to an integer */
    float clipped = x < -104.0f ? -104.0f : x;
    float n, r, p;
    int32_t i, half;
    uint32_t bits;
    float a, b;

    clipped = clipped > 89.0f ? 89.0f : clipped; /* NaN passes both comparisons */
    n = (clipped * log2e + magic) - magic;
    r = clipped - n * ln2_high;
    r = r - n * ln2_low;
    p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    i = (int32_t)n;
    half = i >> 1;
    bits = (uint32_t)(half + 127) << 23;
    memcpy(&a, &bits, sizeof a);
    bits = (uint32_t)(i - half + 127) << 23;
    memcpy(&b, &bits, sizeof b);
    return p * a * b;
}

SKV_CLONES void skv_cpu__exp(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = exp_one(x[i]);
}

SKV_CLONES void skv_cpu__silu(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] / (1.0f + exp_one(-x[i]));
}

/* t/2·(1 + tanh u) = t·(1 - 1/(exp(2u) + 1)) */
SKV_CLONES void skv_cpu__gelu(float *y, const float *x, int64_t n)
{
    const float root = 0.7978845608028654f; /* sqrt(2/pi) */

    for (int64_t i = 0; i < n; i++) {
        const float t = x[i];
        const float u = root * (t + 0.044715f * t * t * t);
        const float e = exp_one(-2.0f * u);

        y[i] = t / (1.0f + e);
    }
}
