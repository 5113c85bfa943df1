/* What is compared with what: the paths of a run with its reference path, or two folders of
 * pictures paired by name. Side 0 is the reference. */
#ifndef SKV_EVAL_METRICS_PAIRS_H
#define SKV_EVAL_METRICS_PAIRS_H

#include "run/run_file.h"

typedef struct {
    int64_t n;             /* rows: pictures of a side */
    const char *const *id; /* (n) */
    const uint8_t *usable; /* (n) 0: the row failed or is missing, so it has no picture */
    int64_t n_usable;
    int n_sides;             /* compared ones and the reference, >= 2 unless opened `alone` */
    const char *const *side; /* (n_sides) names */
    bool no_reference;       /* side 0 is a path like the others, and no side is compared with it */
    int n_scales;            /* 0: bits are not there on every side */
    const char
        *no_pictures; /* a side that has none (a run that stored bits alone), NULL: all have */
    bool concurrent;  /* pictures may be read by several threads at once */

    /* of two folders: pictures that only one of them has, those in a format that is not read, and
     * JPEGs among the others */
    int64_t n_unpaired[2], n_left_out[2], n_lossy[2];
    const char *unpaired[2], *left_out[2]; /* file of the first of each, NULL: none */

    struct skv_pairs_owned *owned;
} skv_pairs;

/* Which pictures of a run. */
typedef struct {
    const char *reference; /* NULL: the run's own */
    const char *paths;     /* comma-separated names, NULL: all others */
    bool alone;            /* paths are also looked at each alone */
    bool partial;          /* run.h5 may be partial */
} skv_pairs_wish;

/* A run without a reference, or with nothing else, is SKV_E_ARG, unless `alone`. */
SKV_MUST skv_status skv_pairs_open_run(skv_pairs *out, const char *run, const skv_pairs_wish *wish);

/* Every picture that both folders and the folders in them have (picture_folder.h), in byte order of
 * the paths below each, which without the ending are the ids. */
SKV_MUST skv_status skv_pairs_open_folders(skv_pairs *out, const char *a, const char *b);
void skv_pairs_close(skv_pairs *p);

/* The run, NULL for folders. */
const skv_run_file *skv_pairs_run(const skv_pairs *p);

/* Name of the reference, "" where there is none. */
const char *skv_pairs_reference(const skv_pairs *p);

/* Path of the run that a side is. */
const skv_run_path *skv_pairs_path(const skv_pairs *p, int side);

/* Whether run.h5 still has the rows and pictures that were opened; SKV_E_STOPPED when skv gather
 * has put others in its place since. SKV_OK for folders. */
SKV_MUST skv_status skv_pairs_check_run(const skv_pairs *p);

/* Picture of a usable row; free(rgb). */
SKV_MUST skv_status skv_pairs_picture(skv_picture *out, const skv_pairs *p, int side, int64_t row);

/* The packed bits of a row of a run: room for the path's bits_bytes, the same of all sides. Only
 * where n_scales > 0. */
SKV_MUST skv_status skv_pairs_bits(uint8_t *bits, const skv_pairs *p, int side, int64_t row);

#endif
