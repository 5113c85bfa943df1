/* Philox4x32-10 (Salmon et al., SC 2011): a random number is a pure function of its place, without
 * state or order. A picture's bits are drawn by core/torch_random.h, which stands on it. */
#ifndef SKV_CORE_RNG_H
#define SKV_CORE_RNG_H

#include <stdint.h>

/* out = Philox4x32-10(counter, key). */
void skv_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* u in [0, 1) for subsets of pictures and made-up data: key = seed (low word first), counter =
 * (c / 4, b, a, 0), u = (word[c mod 4] >> 8) · 2^-24. */
float skv_uniform(uint64_t seed, uint32_t a, uint32_t b, uint32_t c);

#endif
