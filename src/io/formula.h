/* Formula weights: every parameter of a model from its name and shape, so that a full-size model
 * can be run and checked without its weights.
 *
 * uniform(name, i), all in 32-bit unsigned: x = (i·0x9E3779B9) xor CRC-32 of the name; x ^= x>>16;
 * x *= 0x85EBCA6B; x ^= x>>13; x *= 0xC2B2AE35; x ^= x>>16; ((x>>8) - 2^23)/2^23, exact, in
 * [-1, 1). The index i wraps at 2^32. */
#ifndef SKV_IO_FORMULA_H
#define SKV_IO_FORMULA_H

#include <stdint.h>

/* dst[0..n) = elements first.. of the parameter: (float)(add + mul·uniform(full_name, first + j)),
 * computed in double and rounded once. add and mul follow from the name and the shape; the VAE's
 * names carry "vae." before the name in its own checkpoint. */
void skv_formula_fill(float *dst, const char *full_name, int ndim, const int64_t *shape,
                      int64_t first, int64_t n);

/* dst[0..n) = uniform(name, first + j), exact in fp32. */
void skv_formula_uniform(float *dst, const char *name, int64_t first, int64_t n);

/* dst[0..n) = (float)(√3·uniform("text", j)): the stand-in for a text encoder's output. */
void skv_formula_text(float *dst, int64_t n);

#endif
