/* Digests that tell configurations and files apart: XXH3, 128 bits. They do not stop an
 * adversary, who can make two inputs of one digest. Equal on all machines of one byte order. */
#ifndef SKV_CORE_DIGEST_H
#define SKV_CORE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define SKV_DIGEST_BYTES 33 /* 32 hex digits and the NUL */

typedef struct {
    uint64_t high, low;
} skv_digest;

/* Of n bytes: what `xxhsum -H2` prints. */
skv_digest skv_digest_of(const void *data, size_t n);

/* The digest of what d stands for ({0} at first) followed by n bytes as one more part: where parts
 * begin and end counts. */
skv_digest skv_digest_add(skv_digest d, const void *data, size_t n);

/* Of bytes that come in parts: what skv_digest_of gives for all of them in one. */
typedef struct skv_digest_parts skv_digest_parts;
SKV_MUST skv_status skv_digest_begin(skv_digest_parts **out);
void skv_digest_more(skv_digest_parts *p, const void *data, size_t n);
skv_digest skv_digest_end(skv_digest_parts *p); /* destroys it; NULL gives {0} */

bool skv_digest_equal(skv_digest a, skv_digest b);

/* Half of a text's digest, as a number that ranks can sum up and compare. */
int64_t skv_digest_number(const char *text);

/* Hex text; returns out. */
const char *skv_digest_text(char out[SKV_DIGEST_BYTES], skv_digest d);

/* Whether the text has a digest's form. Older versions of skv wrote 16 digits. */
bool skv_digest_is_text(const char *text);

#endif
