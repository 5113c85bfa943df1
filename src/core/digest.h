/* Digests for telling configurations and files apart (not against an adversary): FNV-1a, 64 bits.
 */
#ifndef SKV_CORE_DIGEST_H
#define SKV_CORE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define SKV_DIGEST_BYTES 17 /* 16 hex digits and the NUL */
#define SKV_DIGEST_START 0xcbf29ce484222325u

/* Continues `h` (SKV_DIGEST_START at first) with n bytes. */
uint64_t skv_digest_add(uint64_t h, const void *data, size_t n);

/* Hex text; returns out. */
const char *skv_digest_text(char out[SKV_DIGEST_BYTES], uint64_t h);

#endif
