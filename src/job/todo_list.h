/* The groups that a run still lacks, and which of them a rank begins with. */
#ifndef SKV_JOB_TODO_LIST_H
#define SKV_JOB_TODO_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef struct {
    int64_t n_groups; /* of the run */
    int n_paths;
    uint8_t *work;  /* (n_groups,n_paths): SKV_WORK_COMPUTE, SKV_WORK_PNG (run/run_folder.h) */
    int64_t *group; /* groups that have work, ascending; room for n_groups */
    int32_t *cost;  /* of each: its number of paths that have work */
    int64_t n;      /* groups that have work */
    int size;       /* ranks */
    int64_t *share; /* (size+1): rank r begins with the places share[r] .. share[r+1]-1 of `group`
                     * (mpi/partition.h) */
} skv_todo_list;

/* Room for a run on `size` ranks, nothing to do yet. Cleared with skv_todo_list_clear, also after a
 * failure. */
SKV_MUST skv_status skv_todo_list_init(skv_todo_list *l, int64_t n_groups, int n_paths, int size);
void skv_todo_list_clear(skv_todo_list *l);

size_t skv_todo_list_bytes(const skv_todo_list *l); /* of work */

/* Lists the groups that have work and shares them out, once `work` is filled. */
void skv_todo_list_count(skv_todo_list *l);

/* The first rank that has a share, -1: none. */
int skv_todo_list_first_rank(const skv_todo_list *l);

#endif
