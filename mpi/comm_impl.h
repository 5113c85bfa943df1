/* Inside mpi/ only: what a form of the communicator provides, who started this process, and how
 * ranks wait for one another. */
#ifndef SKV_MPI_COMM_IMPL_H
#define SKV_MPI_COMM_IMPL_H

#include "core/build.h"
#include "mpi/comm.h"

#include <stdbool.h>
#include <time.h>

#define SKV_HOST_BYTES    64   /* of a host's name, cut */
#define SKV_MESSAGE_BYTES 2400 /* core cuts at 2 KiB; the rest is for rank and host */

/* What ranks tell one another between the data; all of it goes to rank 0 or comes from there. */
typedef enum {
    SKV_WORD_NONE = 0,
    SKV_WORD_HERE = 1,  /* to rank 0: I have arrived */
    SKV_WORD_WAIT = 2,  /* from rank 0: I have arrived, others have not */
    SKV_WORD_GO = 3,    /* from rank 0 */
    SKV_WORD_FAILED = 4 /* mpi/joint.h; the last, for who checks what comes from outside */
} skv_word;

/* Called with more than one rank only. The data's ops are called when all ranks have arrived;
 * bytes may be of any size. What waits does so by skv_comm__wait_check. */
typedef struct {
    const char *name;
    skv_status (*tell)(skv_comm *c, int to, skv_word word);
    /* The next word that has come, without waiting for one: SKV_WORD_NONE. */
    skv_status (*heard)(skv_comm *c, int *from, skv_word *word);
    void (*nap)(skv_comm *c, long ns); /* so long, or until a word comes */
    skv_status (*broadcast)(skv_comm *c, void *data, size_t bytes, int root);
    skv_status (*reduce_i64)(skv_comm *c, int64_t *values, size_t n, bool is_max); /* all get it */
    /* Between rank 0 and another, either way. */
    skv_status (*send)(skv_comm *c, const void *data, size_t bytes, int to);
    skv_status (*recv)(skv_comm *c, void *data, size_t bytes, int from);
    void (*end_all)(skv_comm *c, int code);
    void (*close)(skv_comm *c); /* what the form owns, not the object */
} skv_comm_ops;

struct skv_comm {
    const skv_comm_ops *ops;
    void *state; /* the form's own */
    int rank, size, local_rank, local_size;
    char host[SKV_HOST_BYTES];
    char (*hosts)[SKV_HOST_BYTES]; /* (size) of all ranks at rank 0; elsewhere only rank 0's */
    bool *missing;                 /* (size) who has not arrived, at rank 0 */
    double wait_notice, wait_limit;
    double here;     /* skv_seconds: skv_comm_here tells the others from then on */
    bool lost;       /* ranks can no longer agree */
    bool told;       /* another rank said so, and reports it */
    bool left;       /* the last collective call was made */
    skv_status what; /* and why, where lost */
    char why[SKV_MESSAGE_BYTES];
};

/* ---------------------------------------------------------------- waiting (comm_wait.c) */

/* c->hosts and c->missing, by c->size. */
SKV_MUST skv_status skv_comm__alloc_ranks(skv_comm *c);

typedef struct {
    int whom;                            /* a rank, or one of those below */
    double start, renewed, notice, word; /* skv_seconds: of the next notice, and SKV_WORD_WAIT */
    time_t since;
    const char *where; /* where they are looked for, for the sentences; NULL */
} skv_wait;

enum { SKV_WAIT_MISSING = -1 /* those in c->missing */, SKV_WAIT_UNKNOWN = -2 };

void skv_comm__wait_begin(skv_wait *w, const skv_comm *c, int whom);
void skv_comm__wait_renew(skv_wait *w); /* there is progress */

/* To be called all the while: says for whom this rank waits when it is time to; SKV_E_PEER at the
 * limit. */
SKV_MUST skv_status skv_comm__wait_check(skv_wait *w, const skv_comm *c);

/* Whether rank 0 should tell those who have arrived that it is there; then not for a while. */
bool skv_comm__wait_word(skv_wait *w, const skv_comm *c);

/* Rank `rank` as messages name it: "rank 2 (host)"; returns out. */
#define SKV_RANK_BYTES (SKV_HOST_BYTES + 32)
const char *skv_comm__rank_text(char out[SKV_RANK_BYTES], const skv_comm *c, int rank);

/* Until all ranks have arrived; of a rank but 0: until rank 0 says go. */
SKV_MUST skv_status skv_comm__meet(skv_comm *c);
SKV_MUST skv_status skv_comm__hear_go(skv_comm *c);

/* Fails: a word of rank `from` that belongs to another call than this rank's. */
SKV_MUST skv_status skv_comm__out_of_turn(const skv_comm *c, int from);

/* From now on no call reaches the others; the thread's message says why. Returns st. */
skv_status skv_comm__lose(skv_comm *c, skv_status st);

/* ---------------------------------------------------------------- launching (comm_env.c) */

typedef enum {
    SKV_LAUNCHER_NONE = 0,
    SKV_LAUNCHER_TORCHRUN = 1, /* or RANK and WORLD_SIZE set by hand */
    SKV_LAUNCHER_MPIRUN = 2,
    SKV_LAUNCHER_PMIX = 3, /* srun --mpi=pmix, or another starter that speaks PMIx */
    SKV_LAUNCHER_SRUN = 4  /* a step of SLURM without PMIx */
} skv_launcher;

#define SKV_JOB_BYTES 256

typedef struct {
    skv_launcher launcher;
    int64_t promised;        /* ranks the environment speaks of; 0: it does not say */
    const char *says;        /* the variable that promised; static */
    int64_t rank;            /* that the environment gives; -1: it does not */
    char job[SKV_JOB_BYTES]; /* what this start's ranks have in common, and no other job's */
} skv_launch;

typedef const char *(*skv_comm_getenv)(const char *name);

/* Reads the environment (through `get`) in the one order that is right under nested launchers. */
SKV_MUST skv_status skv_comm__launch(skv_launch *out, skv_comm_getenv get);

/* SKV_E_MPI when only one rank was reached (size 1) and the environment promised more. */
SKV_MUST skv_status skv_comm__cross_check(const skv_launch *launch, int size);

/* ---------------------------------------------------------------- forms */

SKV_MUST skv_status skv_comm__open_self(skv_comm *c);
SKV_MUST skv_status skv_comm__open_mpi(skv_comm *c);
SKV_MUST skv_status skv_comm__open_tcp(skv_comm *c, const skv_launch *launch,
                                       const skv_comm_wish *wish);
bool skv_comm__has_mpi(void); /* in this build */

/* As skv_core_libraries (core/build.h): MPI's entry; NCCL's, none in a build without it. */
int skv_comm__mpi_library(skv_library *out);
int skv_comm__nccl_library(skv_library *out);

#endif
