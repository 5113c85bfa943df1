/* How one of a library's candidates is chosen for a shape: that of the table; else, while tuning,
 * the fastest; else the library's first. The same for cuBLASLt and for cuDNN. */
#ifndef SKV_KERNELS_CUDA_CHOOSE_H
#define SKV_KERNELS_CUDA_CHOOSE_H

#include "kernels/cuda/cuda_internal.h"

#define SKV_CUDA_CANDIDATES 128 /* of all rounds */
#define SKV_CUDA_COSTLY     1e9 /* operations: worth a word where our own kernels do them */

typedef struct {
    char choice[SKV_CUDA_CANDIDATES][SKV_TUNING_CHOICE];
    float ms[SKV_CUDA_CANDIDATES]; /* best of its runs; negative: it does not count */
    int n, room;                   /* at most so many are wanted */
} skv_cuda__candidates;

/* How far a result is from the plain form's, both of the same numbers. */
typedef struct {
    double error, size; /* sums of squares: of the differences, of the plain form */
} skv_cuda__difference;

/* Adds n numbers of device memory to *d. */
skv_status skv_cuda__compare(skv_backend *be, skv_cuda__difference *d, const void *got,
                             const void *want, skv_dtype type, int64_t n);

typedef struct {
    const char *name; /* the library's: "cuBLASLt" */
    const char *key;  /* of be->tuning */
    void *ctx;        /* handed to all of these: */
    /* Adds a round's candidates, in the library's order; none where it supports none. */
    skv_status (*offer)(void *ctx, int round, skv_cuda__candidates *out);
    /* Makes the choice the one that runs. Any failure but a lost GPU: it cannot be had here. */
    skv_status (*take)(void *ctx, const char *choice);
    /* Queues what was taken. */
    skv_status (*run)(void *ctx);
    /* Compares some of what was computed with our plain form; may leave *d empty. */
    skv_status (*check)(void *ctx, skv_cuda__difference *d);
    int n_rounds; /* all of them compete */
    int n_spare;  /* further rounds, each asked where none before it has a candidate that serves */
    int n_measured; /* candidates of a round that are worth a measurement */
    /* Our own kernels as one more candidate, by its choice, where something of the library serves;
     * NULL: they do not compete. take() knows it. */
    const char *rival;
    int warm_runs; /* before a candidate is timed */
} skv_cuda__contest;

/* Takes one. *ours: nothing of the library serves, our own kernels do. A choice of the table that
 * cannot be had is an error that names it; while tuning it is measured again. */
skv_status skv_cuda__choose(skv_backend *be, const skv_cuda__contest *c, bool *ours);

#endif
