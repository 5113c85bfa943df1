/* Whether a job has time for one more group: measured times against --max-hours. */
#ifndef SKV_JOB_PACE_H
#define SKV_JOB_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define SKV_PACE_GROUPS 31 /* the last ones count */

typedef struct {
    double limit;  /* seconds from the process's start; 0: none */
    double gather; /* expected seconds from the last group to the end */
    double seconds[SKV_PACE_GROUPS];
    int64_t n; /* groups measured */
} skv_pace;

/* gather: of a run of n_files group files, `bytes` in all, of which as many are written again. At
 * most a quarter of the limit is kept for it, so that a start always computes something. */
void skv_pace_start(skv_pace *p, double max_hours, int64_t n_files, int64_t bytes);

void skv_pace_add(skv_pace *p, double seconds);

/* At `now` seconds from the process's start: a group of usual time (the median, and a quarter more;
 * before the first one nothing is known) ends early enough. */
bool skv_pace_allows(const skv_pace *p, double now);

#endif
