#include "core/digest.h"

#include <inttypes.h>
#include <stdio.h>

uint64_t skv_digest_add(uint64_t h, const void *data, size_t n)
{
    const unsigned char *p = data;

    for (size_t i = 0; i < n; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

const char *skv_digest_text(char out[SKV_DIGEST_BYTES], uint64_t h)
{
    snprintf(out, SKV_DIGEST_BYTES, "%016" PRIx64, h);
    return out;
}
