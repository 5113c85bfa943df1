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

/* The state must lie at a multiple of 64, which the library's own allocation sees to. */
skv_status skv_digest_begin(skv_digest_parts **out)
{
    XXH3_state_t *state = XXH3_createState();

    if (!state || XXH3_128bits_reset(state) != XXH_OK) {
        XXH3_freeState(state);
        return skv_fail(SKV_E_MEM, "out of memory for a digest");
    }
    *out = (skv_digest_parts *)state;
    return SKV_OK;
}

void skv_digest_more(skv_digest_parts *p, const void *data, size_t n)
{
    (void)XXH3_128bits_update((XXH3_state_t *)p, data, n); /* fails for NULL alone */
}

skv_digest skv_digest_end(skv_digest_parts *p)
{
    XXH128_hash_t h;

    if (!p)
        return (skv_digest){0};
    h = XXH3_128bits_digest((XXH3_state_t *)p);
    XXH3_freeState((XXH3_state_t *)p);
    return (skv_digest){h.high64, h.low64};
}

bool skv_digest_equal(skv_digest a, skv_digest b)
{
    return a.high == b.high && a.low == b.low;
}

int64_t skv_digest_number(const char *text)
{
    return (int64_t)skv_digest_of(text, strlen(text)).high;
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
