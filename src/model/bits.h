/* Packed bits: the truth of a picture. Scale after scale, token after token, bit after bit, least
 * significant bit first; every scale starts on a byte. 42,084 bytes an image at 1M for 32 bits. */
#ifndef SKV_MODEL_BITS_H
#define SKV_MODEL_BITS_H

#include <stddef.h>
#include <stdint.h>

#include "arch/schedule.h"
#include "core/torch_random.h"

/* Bytes before scale si of one picture; si = n_scales: bytes of the picture. */
size_t skv_bits_offset(const skv_schedule *schedule, int token_bits, int si);

/* Where the generator of a picture stands before it draws scale si, as an offset from where it was
 * before the picture; si = n_scales: what the picture takes. */
uint64_t skv_bits_drawn(const skv_schedule *schedule, const skv_torch_gpu *gpu, int token_bits,
                        int si);

/* n values 0/1 -> (n+7)/8 bytes, and back. */
void skv_bits_pack(uint8_t *packed, const uint8_t *bits, size_t n);
void skv_bits_unpack(uint8_t *bits, const uint8_t *packed, size_t n);

#endif
