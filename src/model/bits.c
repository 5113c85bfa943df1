#include "model/bits.h"

#include <string.h>

size_t skv_bits_offset(const skv_schedule *schedule, int token_bits, int si)
{
    size_t bytes = 0;

    for (int s = 0; s < si; s++)
        bytes += ((size_t)skv_schedule_tokens(schedule, s) * (size_t)token_bits + 7) / 8;
    return bytes;
}

uint64_t skv_bits_drawn(const skv_schedule *schedule, const skv_torch_gpu *gpu, int token_bits,
                        int si)
{
    uint64_t offset = 0;

    for (int s = 0; s < si; s++)
        offset += skv_torch_step(gpu, 2 * (int64_t)skv_schedule_tokens(schedule, s) * token_bits);
    return offset;
}

void skv_bits_pack(uint8_t *packed, const uint8_t *bits, size_t n)
{
    memset(packed, 0, (n + 7) / 8);
    for (size_t i = 0; i < n; i++)
        packed[i / 8] = (uint8_t)(packed[i / 8] | (bits[i] & 1u) << (i % 8));
}

void skv_bits_unpack(uint8_t *bits, const uint8_t *packed, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bits[i] = (uint8_t)(packed[i / 8] >> (i % 8)) & 1u;
}
