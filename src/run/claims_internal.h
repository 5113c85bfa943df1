/* The small files of a folder of claims. */
#ifndef SKV_RUN_CLAIMS_INTERNAL_H
#define SKV_RUN_CLAIMS_INTERNAL_H

#include "run/claims.h"

#define SKV_CLAIMS__ALIVE ".alive"
#define SKV_CLAIMS__TEXT  (2 * SKV_CLAIM_BYTES) /* a heartbeat has two lines */

/* A file's text, cut where it is too long, and its time; folder: an open one, path: its name for
 * messages. SKV_E_NOTFOUND when there is none. */
SKV_MUST skv_status skv_claims__read(char out[SKV_CLAIMS__TEXT], struct timespec *time, int folder,
                                     const char *path, const char *name);

/* Whether it is the name of a heartbeat, and whose. */
bool skv_claims__is_heart(const char *name);
void skv_claims__owner_of(char out[SKV_CLAIM_BYTES], const char *heart);

#endif
