/* Whether the file system under a run does what the run's ranks and jobs rely on: files of one rank
 * are seen by all, exclusive creation has one winner, rename replaces, and none of it is slow. */
#ifndef SKV_JOB_DOCTOR_FOLDER_H
#define SKV_JOB_DOCTOR_FOLDER_H

#include <stdint.h>

#include "job/findings.h"
#include "mpi/comm.h"

/* Collective. Works in a folder of its own inside `run`, or where `run` is not there yet inside the
 * nearest folder above it, and removes it again. On rank 0, findings are added and *free_bytes is
 * set. */
SKV_MUST skv_status skv_doctor_folder(skv_findings *f, int64_t *free_bytes, skv_comm *comm,
                                      const char *run);

#endif
