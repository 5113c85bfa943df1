#include "core/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

skv_digest skv_digest_of(const void *data, size_t n)
{
    const XXH128_hash_t h = XXH3_128bits(data, n);

    return (skv_digest){h.high64, h.low64};
}

skv_digest skv_digest_add(skv_digest d, const void *data, size_t n)
{
    const skv_digest part = skv_digest_of(data, n);
    const uint64_t both[5] = {d.high, d.low, part.high, part.low, n};

    return skv_digest_of(both, sizeof both);
}

bool skv_digest_equal(skv_digest a, skv_digest b)
{
    return a.high == b.high && a.low == b.low;
}

const char *skv_digest_text(char out[SKV_DIGEST_BYTES], skv_digest d)
{
    snprintf(out, SKV_DIGEST_BYTES, "%016" PRIx64 "%016" PRIx64, d.high, d.low);
    return out;
}

bool skv_digest_is_text(const char *text)
{
    return strlen(text) == SKV_DIGEST_BYTES - 1 &&
           strspn(text, "0123456789abcdef") == SKV_DIGEST_BYTES - 1;
}
