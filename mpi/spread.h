/* Device memory of ranks that load the same: read by as few of them as can be, sent to the others.
 *
 * Where every rank that takes part has a GPU of its own, and NCCL works between them, one rank
 * reads and NCCL sends. Otherwise one rank of each host reads, and the others of the host get the
 * bytes through a window of shared memory; where there is none, a rank reads for itself. NCCL is
 * tried before anything is read, and its failure costs a warning, not the run. */
#ifndef SKV_MPI_SPREAD_H
#define SKV_MPI_SPREAD_H

#include "mpi/comm.h"

typedef struct skv_spread skv_spread;

/* Collective, over all ranks of comm. takes: this rank will load; others only keep time. be: of the
 * device that it loads to; borrowed until the end, also for its stop flag. Caller closes. */
SKV_MUST skv_status skv_spread_open(skv_spread **out, skv_comm *comm, skv_backend *be, bool takes);
void skv_spread_close(skv_spread *s); /* accepts NULL; not collective */

/* Whether this rank has to read before it sends. */
bool skv_spread_reads(const skv_spread *s);

bool skv_spread_by_nccl(const skv_spread *s);

/* Static: "by NCCL", "through host memory". And why not by NCCL, a sentence of skv_spread's; "":
 * there is nothing to say. */
const char *skv_spread_way(const skv_spread *s);
const char *skv_spread_why(const skv_spread *s);

/* Whether each two of the ranks reach one another. */
typedef struct {
    bool tried;       /* false: they are not ranks with a GPU of their own each */
    int64_t *partner; /* (size of comm, of the caller) by rank: the one to which there is no way,
                       * -1: none is known */
    char why[512];    /* "": NCCL works between all of them */
} skv_spread_pairs;

/* Collective, where all ranks take: NCCL sends a number between each two of them, both ways. It
 * ends with the first pair that fails; that is a finding, no error. */
SKV_MUST skv_status skv_spread_try_pairs(skv_spread_pairs *p, skv_spread *s);

/* Collective over the ranks that take: `bytes` (the same on all of them) of memory of be, from
 * those that read to the others. `st` is this rank's status so far: a failure of any rank fails
 * all, as in skv_comm_agree. */
SKV_MUST skv_status skv_spread_send(skv_spread *s, skv_status st, skv_backend *be, void *data,
                                    size_t bytes);

/* Collective, in place of skv_comm_agree after loading. A rank that does not take waits here until
 * the others have sent everything; more can be sent afterwards, and ends in the same way. */
SKV_MUST skv_status skv_spread_end(skv_spread *s, skv_status st);

#endif
