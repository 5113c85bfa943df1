/* Rows whose group is not there, as far as they are known without it. */
#ifndef SKV_RUN_GATHER_MISSING_H
#define SKV_RUN_GATHER_MISSING_H

#include "run/group_file.h"
#include "run/segments.h"

typedef struct skv_gather_missing skv_gather_missing;

/* run and segments are borrowed. */
SKV_MUST skv_status skv_gather_missing_open(skv_gather_missing **out, const char *run,
                                            const skv_segments *segments);
void skv_gather_missing_close(skv_gather_missing *m); /* accepts NULL */

/* *rec = the rows of a group that a path lacks, each with the status SKV_ROW_MISSING and the
 * reason; what it points to is borrowed until the next call. named: with the row's number, ids,
 * prompt and sample, which RUN/rows.h5 says. All else of a row is not known. */
SKV_MUST skv_status skv_gather_missing_group(skv_group_record *rec, skv_gather_missing *m,
                                             const char *path, int64_t group, bool named);

#endif
