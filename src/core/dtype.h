/* Element types and their conversions to and from fp32. */
#ifndef SKV_CORE_DTYPE_H
#define SKV_CORE_DTYPE_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    SKV_F32 = 0,
    SKV_F16 = 1,
    SKV_BF16 = 2,
    SKV_I32 = 3,
    SKV_U8 = 4,
    SKV_I64 = 5,
    SKV_F64 = 6,
    SKV_E4M3 = 7, /* FP8: 1 sign, 4 exponent, 3 mantissa bits, bias 7, no infinity */
    SKV_I8 = 8
} skv_dtype;

size_t skv_dtype_bytes(skv_dtype t);     /* of one element */
const char *skv_dtype_name(skv_dtype t); /* "fp32", "bf16", ... */

/* dst[i] = (float)src[i], src of type F32, F16, BF16, E4M3 or I8 with any alignment. Exact. */
void skv_to_f32(float *dst, const void *src, skv_dtype src_type, size_t n);

/* dst[i] = src[i] rounded to nearest even; dst of type F32, F16, BF16, E4M3 or I8. The last two are
 * saturated, at ±448 and ±127. NaN stays NaN, but is 0 in I8. */
void skv_from_f32(void *dst, skv_dtype dst_type, const float *src, size_t n);

#endif
