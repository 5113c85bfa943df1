/* The groups of a run as one rank takes them: its own share first, then what others have left. The
 * queue is the run's folder (run/claims.h), so ranks and jobs come and go without telling anyone.
 *
 * A thread claims the next group while the one before computes, but late: a claim that waits behind
 * a slow group would hold up those that have nothing left to do. When all that is left is claimed
 * by others, the thread looks again until it is done or its owner is dead. A group is done when its
 * files are there and nobody claims it: an owner that died between a file and its pictures leaves a
 * claim, and whoever takes that makes the pictures. */
#ifndef SKV_JOB_GROUP_QUEUE_H
#define SKV_JOB_GROUP_QUEUE_H

#include "core/flag.h"
#include "job/todo_list.h"
#include "run/claims.h"
#include "run/run_news.h"

typedef struct skv_group_queue skv_group_queue;

/* Borrowed, but for the numbers. */
typedef struct {
    skv_todo_list *todo; /* `work` follows what others have done */
    int rank;
    skv_claims *claims;
    const skv_run_place *run;
    const skv_run_plan *plan;
    const skv_flag *stop;
} skv_group_queue_setup;

SKV_MUST skv_status skv_group_queue_create(skv_group_queue **out,
                                           const skv_group_queue_setup *setup);

/* Gives up what is claimed and not finished. Accepts NULL. */
void skv_group_queue_destroy(skv_group_queue *q);

/* Waits for a group that is this rank's to compute, and fills work (n_paths) for it; *group -1: the
 * run has all groups, or *stop is not 0. */
SKV_MUST skv_status skv_group_queue_next(skv_group_queue *q, int64_t *group, uint8_t *work);

/* A claim ends when the sampler has left the group and all of its files and pictures are written:
 * one call for the group, and one for each path that was computed. Any thread. */
void skv_group_queue_finish_part(skv_group_queue *q, int64_t group);

#endif
