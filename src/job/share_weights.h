/* Checkpoints read by rank 0 and sent to the others (model/weights.h, skv_weights_share). */
#ifndef SKV_JOB_SHARE_WEIGHTS_H
#define SKV_JOB_SHARE_WEIGHTS_H

#include <stdbool.h>

#include "model/weights.h"
#include "mpi/comm.h"

typedef struct {
    skv_comm *comm;
    skv_weights_share share;
    bool failed; /* a broadcast failed, on all ranks: they need not agree on it again */
} skv_weights_sharing;

/* Collective from here on: every rank of comm loads the same things in the same order. */
void skv_weights_sharing_start(skv_weights_sharing *s, skv_comm *comm);

/* In place of skv_comm_agree after loading. */
SKV_MUST skv_status skv_weights_sharing_agree(const skv_weights_sharing *s, skv_status st);

#endif
