/* /samples of run.h5: what is the same on every path. Taken from the first path, kept in spools
 * until all are known, since text columns are as wide as their longest text. Memory does not grow
 * with the rows but for their status, 4 bytes each. */
#ifndef SKV_RUN_GATHER_ROWS_H
#define SKV_RUN_GATHER_ROWS_H

#include "core/spool.h"
#include "run/group_file.h"
#include "run/schema.h"
#include "run/segments.h"

typedef struct {
    skv_spool entries; /* numbers; texts with their NULs */
    size_t longest;    /* of the texts, with the NUL */
} skv_gather_column;

/* Why a row has failed. */
typedef struct {
    int64_t row;
    char *text;
} skv_gather_error;

/* Only a row's status may differ between paths: a row that fails on any path counts as failed, with
 * the reason of the first such path. */
typedef struct {
    int64_t n, n_groups;                  /* of the run */
    int64_t *first;                       /* (n_groups+1) first row of each group */
    int64_t n_failed;                     /* rows that have no picture */
    int64_t n_missing;                    /* of these: since their group is not there */
    int32_t *status;                      /* (n) */
    skv_gather_error *error;              /* (n_failed) */
    skv_gather_column column[SKV_N_SETS]; /* of SKV_GATHER_SAMPLES, but status and error */
} skv_gather_rows;

SKV_MUST skv_status skv_gather_rows_init(skv_gather_rows *r, const skv_segments *segments);

/* Adds a group's rows, from row `at` of the run on: of the first path all that is said of them, in
 * their order; of a later path those that failed there. */
SKV_MUST skv_status skv_gather_rows_add(skv_gather_rows *r, const skv_group_record *rec,
                                        int64_t at);
SKV_MUST skv_status skv_gather_rows_add_failed(skv_gather_rows *r, const skv_group_record *rec,
                                               int64_t at);

/* Writes the samples, after the last path. */
SKV_MUST skv_status skv_gather_rows_write(skv_gather_rows *r, skv_h5 *out);
void skv_gather_rows_clear(skv_gather_rows *r);

#endif
