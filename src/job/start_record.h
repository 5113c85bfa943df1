/* What a run notes of a start (run/starts.h): when, where, by which program and command. The
 * environment is not noted: it may hold secrets. */
#ifndef SKV_JOB_START_RECORD_H
#define SKV_JOB_START_RECORD_H

#include <jansson.h>
#include <time.h>

#include "mpi/comm.h"

/* *out: a new object. host: the name of each rank's host. */
SKV_MUST skv_status skv_start_record(json_t **out, time_t when, const skv_blob *host, int n_ranks);

#endif
