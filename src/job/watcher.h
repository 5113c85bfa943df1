/* A thread of each rank that carries the word "stop" (job/stop_words.h) to and fro, and ends the
 * process when the time for an orderly stop is over. */
#ifndef SKV_JOB_WATCHER_H
#define SKV_JOB_WATCHER_H

#include <stdbool.h>

#include "core/status.h"
#include "job/stop_words.h"

typedef struct skv_watcher skv_watcher;

typedef struct {
    const char *run, *job; /* the run's folder, the job's token */
    const char *who;       /* this rank, as other ranks are told */
    bool first;            /* rank 0: removes the job's word at the end */
    bool hurried;          /* the launcher kills a second after INT or TERM: mpirun */
    double seconds;        /* of --max-hours, from the process's start; 0: no limit */
    /* Says what is done before the process ends; has half a second. NULL: another rank says it. */
    void (*last_words)(void *ctx, const char *why);
    void (*each_second)(void *ctx); /* NULL; or called about so often, on the watcher's thread */
    void *ctx;
} skv_watcher_setup;

/* From now on the process also stops (skv_stop_flag) when another rank of the job was asked to, or
 * RUN/stop appears, and tells the others when it was asked itself. It ends by skv_stop_leave:
 *   at once, when hurried and asked by INT or TERM;
 *   25 s after a TERM (SLURM kills after 30 s);
 *   when --max-hours is over; it is asked to stop shortly before.
 * Copies the setup, whose strings must live as long as the watcher. */
SKV_MUST skv_status skv_watcher_start(skv_watcher **out, const skv_watcher_setup *setup);

/* Why this process was asked to stop: "SIGTERM at rank 1 of 2 (node7)". */
void skv_watcher_why(skv_watcher *w, char out[SKV_STOP_TEXT_BYTES]);

/* Ends the thread. NULL is accepted. */
void skv_watcher_end(skv_watcher *w);

#endif
