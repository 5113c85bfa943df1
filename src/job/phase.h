/* Phases of a job. All ranks run the same list, agree after each rank's own part, and so end
 * together, with the message of one of them, when any of them fails. */
#ifndef SKV_JOB_PHASE_H
#define SKV_JOB_PHASE_H

#include <stdbool.h>

#include "core/flag.h"
#include "mpi/comm.h"

/* A phase has two parts, each may be NULL.
 *
 * own: what a rank does by itself. Allocations, files and other things that may fail on one rank
 * alone belong here. It makes no collective call: the others may be at work on something else.
 *
 * together: starts when every rank's own part has succeeded. It makes collective calls, and returns
 * the same status on every rank. */
typedef struct {
    const char *name;
    skv_status (*own)(void *job);
    skv_status (*together)(void *job);
    bool (*when)(const void *job); /* NULL: always. The same answer on every rank */
} skv_phase;

/* For tests: the own part of this phase fails on this rank. */
typedef struct {
    const char *phase; /* NULL: none does */
    int rank;
} skv_phase_failure;

/* Collective: runs the phases in order, up to the first that fails. All ranks return the same
 * status and message. Once *stop is not 0 on any rank no phase is begun: SKV_E_STOPPED (NULL:
 * never; job/stop.h says why). */
SKV_MUST skv_status skv_phases_run(const skv_phase *phases, int n, void *job, skv_comm *comm,
                                   const skv_phase_failure *failure, const skv_flag *stop);

#endif
