/* One cache path of run.h5, filled group by group. */
#ifndef SKV_RUN_GATHER_PATH_H
#define SKV_RUN_GATHER_PATH_H

#include "run/gather_rows.h"

typedef struct {
    const char *run;
    skv_by_hundred by_hundred;
    skv_h5 *out;
    skv_gather_rows *rows;
    const char *name;
    unsigned parts;      /* SKV_GROUP_BITS, SKV_GROUP_IMAGE: what every group has */
    bool virtual_images; /* point at the pictures */
    int place;           /* in run.json */
    int order;           /* in run.h5 */
    bool has_samples;    /* the samples are taken from here */
    bool reference;
    bool spoilt; /* a group turned out to be damaged: nothing is added any more */

    /* collected so far */
    int64_t n_rows, n_groups; /* also of those that are not there */
    int64_t n_found;          /* rows that are there */
    bool *found;              /* (groups) NULL: no group is there */
    skv_extents extents;      /* of the first group that is, with the run's rows and groups */
    double *kept;             /* (S-1,l,S) sum over pictures, NULL: not recorded */
    int64_t *warm;            /* (n_warm) groups with warm-up */
    int n_warm;
    int64_t pool_planned, pool_peak; /* of the group that took most */
} skv_gather_path;

/* Which parts of a group are to be read. */
unsigned skv_gather_path_parts(const skv_gather_path *p);

/* Adds the next group: its rows must follow those of the group before, its sizes be the first's. */
SKV_MUST skv_status skv_gather_path_add(skv_gather_path *p, const skv_group_record *rec);

/* Passes over the next group, which is not there: rec has its rows (run/gather_missing.h). */
SKV_MUST skv_status skv_gather_path_pass(skv_gather_path *p, const skv_group_record *rec);

/* Writes what is known after the last group; nothing of a path without any. */
SKV_MUST skv_status skv_gather_path_finish(skv_gather_path *p);
void skv_gather_path_clear(skv_gather_path *p);

#endif
