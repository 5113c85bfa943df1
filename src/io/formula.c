/* The formula of the weights. The rounding is part of the formula: one product and one sum in
 * double, one rounding to fp32, no fused multiply-add. */
#include "io/formula.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#include "core/text.h"

typedef struct {
    double add, mul;
} rule;

static uint32_t name_crc(const char *name)
{
    return (uint32_t)crc32(0L, (const unsigned char *)name, (uInt)strlen(name));
}

/* uniform·2^23 */
static inline int32_t draw(uint32_t crc, uint32_t i)
{
    uint32_t x = (i * 0x9E3779B9U) ^ crc;

    x ^= x >> 16;
    x *= 0x85EBCA6BU;
    x ^= x >> 13;
    x *= 0xC2B2AE35U;
    x ^= x >> 16;
    return (int32_t)(x >> 8) - (1 << 23);
}

static void fill(float *dst, const char *name, rule r, int64_t first, int64_t n)
{
    const uint32_t crc = name_crc(name);
    const uint32_t base = (uint32_t)first;

    for (int64_t j = 0; j < n; j++)
        dst[j] = (float)(r.add + r.mul * (draw(crc, base + (uint32_t)j) * 0x1p-23));
}

static rule rule_of(const char *name, int ndim, const int64_t *shape)
{
    double fan = 1.0;
    int long_dims = 0;

    for (int d = 0; d < ndim; d++) {
        fan *= d > 0 ? (double)shape[d] : 1.0;
        long_dims += shape[d] > 1;
    }
    if (skv_ends_with(name, "scale_mul_1H11"))
        return (rule){2.995732273553991, 0.5};
    if (skv_ends_with(name, "ada_gss"))
        return (rule){0.0, 0.5};
    if (skv_ends_with(name, "norm.weight"))
        return (rule){1.0, 0.25};
    if (strcmp(name, "pos_start") == 0 || strcmp(name, "lvl_embed.weight") == 0 ||
        strcmp(name, "cfg_uncond") == 0)
        return (rule){0.0, 1.0};
    if (skv_ends_with(name, "ca.mat_q"))
        return (rule){0.0, sqrt(3.0)};
    if (long_dims < 2)
        return (rule){0.0, 0.1};
    if (strcmp(name, "head.weight") == 0)
        return (rule){0.0, 3.0 * sqrt(3.0 / fan)};
    if (strcmp(name, "shared_ada_lin.1.weight") == 0 ||
        strcmp(name, "head_nm.ada_lin.1.weight") == 0)
        return (rule){0.0, 0.3 * sqrt(3.0 / fan)};
    return (rule){0.0, sqrt(3.0 / fan)};
}

void skv_formula_fill(float *dst, const char *full_name, int ndim, const int64_t *shape,
                      int64_t first, int64_t n)
{
    fill(dst, full_name, rule_of(full_name, ndim, shape), first, n);
}

void skv_formula_uniform(float *dst, const char *name, int64_t first, int64_t n)
{
    fill(dst, name, (rule){0.0, 1.0}, first, n);
}

void skv_formula_text(float *dst, int64_t n)
{
    fill(dst, "text", (rule){0.0, sqrt(3.0)}, 0, n);
}
