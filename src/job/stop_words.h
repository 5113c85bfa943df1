/* How the word "stop" reaches all ranks of a job without their launcher's help: files in the run's
 * folder. RUN/stop, made by a person, stops every job of the run; RUN/.stop-<job>, made by a rank
 * that was asked to stop, stops the ranks of its job. */
#ifndef SKV_JOB_STOP_WORDS_H
#define SKV_JOB_STOP_WORDS_H

#include <stdbool.h>

#include "core/status.h"
#include "job/stop.h"

#define SKV_STOP_TEXT_BYTES 160

typedef struct {
    int folder;    /* of the run */
    char word[64]; /* ".stop-<job>" */
} skv_stop_words;

/* job: of letters, digits and '-'. Closed with skv_stop_words_close. */
SKV_MUST skv_status skv_stop_words_open(skv_stop_words *out, const char *run, const char *job);
void skv_stop_words_close(skv_stop_words *w);

/* Whether there is a word for this job: why, and who heard of it first (a line of foreign text; ""
 * where that is not known). */
bool skv_stop_words_hear(const skv_stop_words *w, skv_stop_reason *why,
                         char who[SKV_STOP_TEXT_BYTES]);

/* Tells the job's ranks. A word that is there already stays. */
void skv_stop_words_tell(const skv_stop_words *w, skv_stop_reason why, const char *who);

/* The job has ended: its word is removed. */
void skv_stop_words_forget(const skv_stop_words *w);

/* A job starts, before its ranks listen: removes RUN/stop, and words of jobs that died (their ranks
 * would have heard them ten minutes ago). Call it when something has just been written into the
 * folder: the age of a word is taken by the file system's clock. */
SKV_MUST skv_status skv_stop_words_sweep(const char *run);

#endif
