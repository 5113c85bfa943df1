/* Gather: the group files of a run, one after another, into one run.h5. Ranks share the looking and
 * the checking, rank 0 writes.
 *
 * What was gathered stays: a run.h5 that was made of these very groups is left as it is, after the
 * files that are not known to be whole (run/group_file.h, run/run_index.h) were checked.
 *
 * A partial gather takes the groups that are there. run.h5 has all rows of the run; those whose
 * group some path lacks have the status SKV_ROW_MISSING, and the attribute `partial` says how many
 * there are. Its pictures stay in the group files, so it is made quickly. A path without any group
 * is left out. The next gather makes it anew. */
#ifndef SKV_RUN_GATHER_H
#define SKV_RUN_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/flag.h"
#include "core/json.h"
#include "core/status.h"

typedef struct {
    const char *run;
    bool virtual_images;  /* run.h5 points at the pictures in the group files, and has no copies */
    bool partial;         /* missing and damaged groups are left out; otherwise they end it */
    const skv_flag *stop; /* NULL; or: not 0 ends every step with SKV_E_STOPPED */
    void (*alive)(void *ctx); /* NULL; or called all the while, for those who wait */
    void *ctx;
    int rank, size; /* of those that share the work */
} skv_gather_setup;

typedef struct skv_gather skv_gather;

/* Reads RUN/run.json. *setup is copied, what it points to is borrowed. */
SKV_MUST skv_status skv_gather_open(skv_gather **out, const skv_gather_setup *setup);
void skv_gather_close(skv_gather *g);

/* Steps 1 and 2, of every rank. After each the ranks' news are summed up (element by element, on
 * all ranks): each rank has found out about other groups.
 *
 * 1: looks at the first block of a rank's share of the group files.
 * 2: checks a rank's share of the files, where that is not better left to step 3. What run.h5 will
 * not hold a copy of is not read in a file that is known to be whole.
 *
 * Damaged files are set aside (skv_group_file_set_aside) with a warning. */
SKV_MUST skv_status skv_gather_look(skv_gather *g);
SKV_MUST skv_status skv_gather_check(skv_gather *g);
int64_t *skv_gather_news(skv_gather *g, size_t *n);

/* Step 3, of rank 0 alone: writes run.h5, which is read back before it gets its name: it appears
 * whole or not at all. *n_failed: rows that have failed, without the missing ones. Warns of what a
 * partial one lacks.
 *
 * All group files have been checked when an error is returned: SKV_E_NOTFOUND counts those that are
 * missing and names the first; SKV_E_STOPPED says how many were set aside: skv sample computes them
 * again. (Step 2 says the former already.) A partial gather fails so only where no group is there.
 */
SKV_MUST skv_status skv_gather_write(skv_gather *g, int64_t *n_failed);

/* After step 2 or 3, also one that failed: names of the group files, below the run, that are
 * missing, or (damaged) were set aside. New reference to a list; NULL: no memory. */
json_t *skv_gather_lacking(const skv_gather *g, bool damaged);

/* All steps, by one process. */
SKV_MUST skv_status skv_gather_alone(const char *run, bool virtual_images, int64_t *n_failed);

#endif
