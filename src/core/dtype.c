#include "core/dtype.h"

#include <assert.h>
#include <math.h>
#include <string.h>

size_t skv_dtype_bytes(skv_dtype t)
{
    switch (t) {
    case SKV_F32:
    case SKV_I32:
        return 4;
    case SKV_F16:
    case SKV_BF16:
        return 2;
    case SKV_U8:
    case SKV_E4M3:
    case SKV_I8:
        return 1;
    case SKV_I64:
    case SKV_F64:
        return 8;
    }
    assert(!"unknown dtype");
    return 0;
}

const char *skv_dtype_name(skv_dtype t)
{
    static const char *const names[] = {"fp32", "fp16", "bf16", "i32", "u8",
                                        "i64",  "fp64", "e4m3", "i8"};

    assert((size_t)t < sizeof names / sizeof names[0]);
    return names[t];
}

static uint32_t float_bits(float f)
{
    uint32_t u;

    memcpy(&u, &f, sizeof u);
    return u;
}

static float bits_float(uint32_t u)
{
    float f;

    memcpy(&f, &u, sizeof f);
    return f;
}

static float half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16;
    uint32_t exponent = (h >> 10) & 0x1fu;
    uint32_t mantissa = h & 0x3ffu;

    if (exponent == 0x1f)
        return bits_float(sign | 0x7f800000u | (mantissa << 13));
    if (exponent == 0) /* zero or subnormal: mantissa · 2^-24, exact in fp32 */
        return bits_float(sign | float_bits((float)mantissa * 0x1p-24f));
    return bits_float(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

static uint16_t float_to_half(float f)
{
    uint32_t u = float_bits(f);
    uint16_t sign = (uint16_t)((u >> 16) & 0x8000u);
    float a = fabsf(f);
    uint32_t v;

    if (isnan(f))
        return (uint16_t)(sign | 0x7e00u);
    if (a >= 65520.0f) /* halfway between the largest half and the next power: rounds up */
        return (uint16_t)(sign | 0x7c00u);
    if (a < 0x1p-14f) /* subnormal: adding 2^-1 · 2^-23·... aligns the last bit, rounding to even */
        return (uint16_t)(sign | (float_bits(a + 0.5f) - float_bits(0.5f)));
    v = float_bits(a);
    v += 0xfffu + ((v >> 13) & 1u);
    return (uint16_t)(sign | ((v - (112u << 23)) >> 13));
}

static uint16_t float_to_bf16(float f)
{
    uint32_t u = float_bits(f);

    if (isnan(f))
        return (uint16_t)((u >> 16) | 0x40u);
    return (uint16_t)((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
}

#define E4M3_MOST 448.0f
#define I8_MOST   127.0f

static float e4m3_to_float(uint8_t c)
{
    const uint32_t sign = (uint32_t)(c & 0x80u) << 24, exponent = (c >> 3) & 0xfu;
    const uint32_t mantissa = c & 7u;

    if ((c & 0x7fu) == 0x7fu)
        return bits_float(sign | 0x7fc00000u);
    if (exponent == 0) /* zero or subnormal: mantissa · 2^-9 */
        return bits_float(sign | float_bits((float)mantissa * 0x1p-9f));
    return bits_float(sign | ((exponent + 120) << 23) | (mantissa << 20));
}

static uint8_t float_to_e4m3(float f)
{
    const uint8_t sign = (uint8_t)((float_bits(f) >> 24) & 0x80u);
    const float a = fminf(fabsf(f), E4M3_MOST);
    uint32_t v;

    if (isnan(f))
        return sign | 0x7fu;
    if (a < 0x1p-6f) /* subnormal: adding 2^14 puts the last bit, 2^-9, at the sum's end */
        return (uint8_t)(sign | (float_bits(a + 0x1p14f) - float_bits(0x1p14f)));
    v = float_bits(a);
    v += 0x7ffffu + ((v >> 20) & 1u);
    return (uint8_t)(sign | ((v - (120u << 23)) >> 20));
}

static int8_t float_to_i8(float f)
{
    return isnan(f) ? 0 : (int8_t)rintf(fmaxf(-I8_MOST, fminf(f, I8_MOST)));
}

static float byte_to_float(uint8_t b, skv_dtype type)
{
    int8_t i;

    if (type == SKV_E4M3)
        return e4m3_to_float(b);
    memcpy(&i, &b, 1);
    return i;
}

void skv_to_f32(float *dst, const void *src, skv_dtype src_type, size_t n)
{
    const unsigned char *p = src;

    if (src_type == SKV_F32) {
        if (n > 0)
            memcpy(dst, src, n * sizeof *dst);
        return;
    }
    if (skv_dtype_bytes(src_type) == 1) {
        assert(src_type == SKV_E4M3 || src_type == SKV_I8);
        for (size_t i = 0; i < n; i++)
            dst[i] = byte_to_float(p[i], src_type);
        return;
    }
    assert(src_type == SKV_F16 || src_type == SKV_BF16);
    for (size_t i = 0; i < n; i++) {
        uint16_t h;

        memcpy(&h, p + 2 * i, sizeof h);
        dst[i] = src_type == SKV_F16 ? half_to_float(h) : bits_float((uint32_t)h << 16);
    }
}

void skv_from_f32(void *dst, skv_dtype dst_type, const float *src, size_t n)
{
    unsigned char *p = dst;

    if (dst_type == SKV_F32) {
        if (n > 0)
            memcpy(dst, src, n * sizeof *src);
        return;
    }
    if (skv_dtype_bytes(dst_type) == 1) {
        assert(dst_type == SKV_E4M3 || dst_type == SKV_I8);
        for (size_t i = 0; i < n; i++)
            p[i] =
                dst_type == SKV_E4M3 ? float_to_e4m3(src[i]) : (unsigned char)float_to_i8(src[i]);
        return;
    }
    assert(dst_type == SKV_F16 || dst_type == SKV_BF16);
    for (size_t i = 0; i < n; i++) {
        uint16_t h = dst_type == SKV_F16 ? float_to_half(src[i]) : float_to_bf16(src[i]);

        memcpy(p + 2 * i, &h, sizeof h);
    }
}
