/* Inside mpi/ only: work that ranks do at one time and in which each may fail, or get stuck because
 * another one has. Who fails says so at once, and the others give up instead of waiting for ever.
 * Between begin and end no other call of the communicator is made. */
#ifndef SKV_MPI_JOINT_H
#define SKV_MPI_JOINT_H

#include "mpi/comm_impl.h"

typedef struct {
    bool failed; /* on some rank: give up */
    int left;    /* rank 0: ranks that have not said how their work ended */
} skv_joint;

void skv_joint__begin(skv_joint *j, skv_comm *c);

/* To be called all the while. Fails when others cannot be heard any more. */
SKV_MUST skv_status skv_joint__look(skv_joint *j, skv_comm *c);

/* How this rank's work ended, as soon as it is known; once. Does not wait. */
SKV_MUST skv_status skv_joint__say(skv_joint *j, skv_comm *c, bool good);

/* Until all have said. j->failed is then the same on all ranks. */
SKV_MUST skv_status skv_joint__end(skv_joint *j, skv_comm *c);

#endif
