/* run.h5, made of the groups that are there. */
#ifndef SKV_RUN_GATHER_FILE_H
#define SKV_RUN_GATHER_FILE_H

#include "run/gather_parts.h"

/* What RUN/run.h5 says that it was made of, as a number; 0: nothing. */
int64_t skv_gather__digest_made(const skv_gather *g);

/* Whether that is the groups that are known. */
bool skv_gather__is_made(const skv_gather *g);

/* Writes it, unless it is made and all its groups are whole. Damage that is found on the way does
 * not end the reading, so that all of it is known at once, but nothing more is written. */
SKV_MUST skv_status skv_gather__write(skv_gather *g, int64_t *n_failed);

#endif
