/* What every path of a run is held against besides its reference path: any pictures, in a folder,
 * or the statistics of some (eval --against). Nothing is paired; sizes and numbers may differ. */
#ifndef SKV_EVAL_METRICS_AGAINST_H
#define SKV_EVAL_METRICS_AGAINST_H

#include "core/digest.h"
#include "core/flag.h"
#include "eval/metrics/kept_features.h"
#include "eval/metrics/networks.h"
#include "eval/metrics/picture_folder.h"
#include "mpi/comm.h"

typedef struct {
    const char *path; /* a folder of pictures, or a file of statistics; borrowed until the end */
    skv_comm *comm;
    int threads;                       /* of this rank */
    const skv_metric_network *network; /* that gives the features */
    void *state;                       /* of it, open on all ranks */
    const char *weights;               /* its file, or "formula" */
    const char *device;                /* what computes, as the backend describes it */
    const skv_flag *stop;              /* NULL; or: not 0 ends it with SKV_E_STOPPED */
} skv_against_wish;

typedef struct {
    const char *name; /* borrowed from the wish */
    const skv_metric_network *network;
    skv_picture_folder folder;     /* its pictures; none where it is a file */
    skv_kept_features features;    /* at rank 0 alone, as what follows */
    char digest[SKV_DIGEST_BYTES]; /* of what the features depend on, or of the statistics */
} skv_against;

/* Collective. Lists the folder and computes its features, or takes them from the cache
 * (kept_features.h); or reads the file. The features do not depend on the number of ranks. Of what
 * the user named: SKV_E_NOTFOUND, SKV_E_ARG (a single picture), SKV_E_SHAPE, SKV_E_FORMAT. Cleared
 * with skv_against_clear, also after a failure. */
SKV_MUST skv_status skv_against_open(skv_against *out, const skv_against_wish *wish);
void skv_against_clear(skv_against *a);

/* Whether `path` is a folder, so that its pictures are known one by one. */
bool skv_against_is_folder(const skv_against *a);

/* For against.c. A digest of the pictures' contents in their order, at rank 0; and their features.
 * Both collective: the pictures are shared out over the ranks. */
SKV_MUST skv_status skv_against__digest(skv_digest *out, const skv_against_wish *wish,
                                        const skv_picture_folder *folder);
SKV_MUST skv_status skv_against__compute(skv_kept_features *out, const skv_against_wish *wish,
                                         const skv_picture_folder *folder);

#endif
