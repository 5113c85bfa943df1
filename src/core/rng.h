/* Philox4x32-10 (Salmon et al., SC 2011): a random number is a pure function of its place.
 *
 * No state and no order, so a picture is the same from any rank, batch or restart. */
#ifndef SKV_CORE_RNG_H
#define SKV_CORE_RNG_H

#include <stdint.h>

/* out = Philox4x32-10(counter, key). */
void skv_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

/* u in [0, 1) for one bit: key = seed (low word first), counter = (bit / 4, token, scale, 0),
 * u = (word[bit mod 4] >> 8) · 2^-24. */
float skv_uniform(uint64_t seed, uint32_t scale, uint32_t token, uint32_t bit);

#endif
