/* Inside mpi/ only: what a form of the communicator provides, and who started this process. */
#ifndef SKV_MPI_COMM_IMPL_H
#define SKV_MPI_COMM_IMPL_H

#include "mpi/comm.h"

#include <stdbool.h>

/* Called with more than one rank only; bytes may be of any size. */
typedef struct {
    const char *name;
    skv_status (*barrier)(skv_comm *c);
    skv_status (*broadcast)(skv_comm *c, void *data, size_t bytes, int root);
    skv_status (*reduce_i64)(skv_comm *c, int64_t *values, size_t n, bool is_max); /* all get it */
    skv_status (*send)(skv_comm *c, const void *data, size_t bytes, int to);
    skv_status (*recv)(skv_comm *c, void *data, size_t bytes, int from);
    void (*end_all)(skv_comm *c, int code);
    void (*close)(skv_comm *c); /* what the form owns, not the object */
} skv_comm_ops;

struct skv_comm {
    const skv_comm_ops *ops;
    int rank, size, local_rank, local_size;
    char host[256];
};

typedef enum {
    SKV_LAUNCHER_NONE = 0,
    SKV_LAUNCHER_TORCHRUN = 1, /* torchrun, or RANK and WORLD_SIZE set by hand */
    SKV_LAUNCHER_MPIRUN = 2,
    SKV_LAUNCHER_PMIX = 3 /* srun --mpi=pmix, or another starter that speaks PMIx */
} skv_launcher;

typedef struct {
    skv_launcher launcher;
    int64_t promised; /* ranks the environment speaks of; 0: it does not say */
    const char *says; /* the variable that promised; static */
} skv_launch;

typedef const char *(*skv_comm_getenv)(const char *name);

/* Reads the environment (through `get`) in the one order that is right under nested launchers. */
SKV_MUST skv_status skv_comm__launch(skv_launch *out, skv_comm_getenv get);

/* SKV_E_MPI when only one rank was reached (size 1) and the environment promised more. */
SKV_MUST skv_status skv_comm__cross_check(const skv_launch *launch, int size);

/* Broadcast by NCCL; *how as in skv_comm_broadcast_device. *done false: not possible here, on any
 * rank, and nothing was sent. Agreed on by all. */
SKV_MUST skv_status skv_comm__nccl_broadcast(bool *done, skv_comm *c, skv_backend *be, void *data,
                                             size_t bytes, int root, const char **how);

SKV_MUST skv_status skv_comm__open_self(skv_comm *c);
SKV_MUST skv_status skv_comm__open_mpi(skv_comm *c);

#endif
