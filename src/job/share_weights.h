/* Checkpoints read by as few ranks as can be, and sent to the others that have work
 * (model/weights.h, skv_weights_share, by way of mpi/spread.h). */
#ifndef SKV_JOB_SHARE_WEIGHTS_H
#define SKV_JOB_SHARE_WEIGHTS_H

#include "model/weights.h"
#include "mpi/spread.h"

typedef struct {
    skv_comm *comm;
    skv_spread *spread; /* NULL: one rank, which reads for itself */
    skv_weights_share share;
} skv_weights_sharing;

/* Collective over all ranks of comm. takes: this rank will load; those that do load the same things
 * in the same order, each onto its device `be`. Closed with skv_weights_sharing_close, also after a
 * failure. */
SKV_MUST skv_status skv_weights_sharing_open(skv_weights_sharing *s, skv_comm *comm,
                                             skv_backend *be, bool takes);
void skv_weights_sharing_close(skv_weights_sharing *s);

/* For loaders of w made from now on. */
void skv_weights_sharing_use(skv_weights_sharing *s, skv_weights *w);

/* In place of skv_comm_agree after loading. */
SKV_MUST skv_status skv_weights_sharing_agree(skv_weights_sharing *s, skv_status st);

#endif
