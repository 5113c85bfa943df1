/* The signals that ask a job to stop. */
#ifndef SKV_JOB_STOP_H
#define SKV_JOB_STOP_H

#include <signal.h>

/* From now on SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 ask this process to stop at the next place where
 * nothing finished is lost; the same signal a second time ends it at once. */
void skv_stop_catch(void);

/* Becomes 1 when the process is asked to stop; lives as long as the process. */
const volatile sig_atomic_t *skv_stop_flag(void);

#endif
