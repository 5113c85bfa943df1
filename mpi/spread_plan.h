/* Inside mpi/ only: who reads, and whether NCCL can be tried. Pure. */
#ifndef SKV_MPI_SPREAD_PLAN_H
#define SKV_MPI_SPREAD_PLAN_H

#include <stdbool.h>
#include <stdint.h>

/* What each rank says of itself. Hosts and GPUs are digests: equal where the thing is. */
typedef struct {
    int64_t takes; /* 1, or 0: it has no work */
    int64_t host;
    int64_t gpu;  /* the GPU, or the instance (MIG) of one; 0: the CPU */
    int64_t slot; /* the place of the whole GPU in its host; 0: the CPU */
} skv_spread_rank;

typedef struct {
    int n_takers;
    int first;       /* of the takers; -1: there is none */
    int number;      /* this rank's among the takers; -1: it is none */
    int n_hosts;     /* that have takers */
    int host_first;  /* of the takers of this rank's host; -1 */
    bool neighbours; /* some host has several takers */
    bool by_nccl;    /* several takers, each with a whole GPU of its own */
} skv_spread_plan;

/* For rank `me` of n. */
skv_spread_plan skv_spread__plan(const skv_spread_rank *rank, int n, int me);

#endif
