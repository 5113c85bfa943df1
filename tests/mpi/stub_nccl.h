/* NCCL between processes by way of files, which can be told to go wrong on one of its ranks. */
#ifndef SKV_TESTS_MPI_STUB_NCCL_FAULTS_H
#define SKV_TESTS_MPI_STUB_NCCL_FAULTS_H

typedef enum {
    STUB_GOOD = 0,
    STUB_NO_ID = 1,     /* there is no network to meet on */
    STUB_NO_INIT = 2,   /* a call that fails at once */
    STUB_NEVER = 3,     /* never joins: all wait for it */
    STUB_WRONG_SUM = 4, /* gets another sum */
    STUB_LATE = 5,      /* the first broadcast fails, everything before is good */
    STUB_DEAF = 6,      /* never gets what its neighbour, the rank after it, sends */
    STUB_WRONG_PAIR = 7 /* gets another number from it */
} stub_fault;

extern const char *stub_folder; /* where the files are: the same on all ranks */
extern stub_fault stub_nccl;    /* what goes wrong... */
extern int stub_nccl_rank;      /* ...and on which of NCCL's ranks */
extern int stub_one_gpu;        /* all ranks have the same GPU */
extern int stub_nccl_open;      /* communicators that are neither destroyed nor aborted */
extern int stub_nccl_made;      /* that were ever made */

#endif
