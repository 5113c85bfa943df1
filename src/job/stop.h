/* Why and when this process is to stop: signals, or another's word (job/watcher.h).
 *
 * The state is the process's, since signals are. What computes polls skv_stop_flag and ends with
 * SKV_E_STOPPED at the next place where nothing finished is lost. */
#ifndef SKV_JOB_STOP_H
#define SKV_JOB_STOP_H

#include "core/flag.h"

/* Exit status of a process that was stopped: the same command goes on later. */
#define SKV_STOP_EXIT 75

typedef enum {
    SKV_STOP_NONE = 0,
    SKV_STOP_TERM,
    SKV_STOP_INT,
    SKV_STOP_HUP,
    SKV_STOP_USR1,
    SKV_STOP_USR2,
    SKV_STOP_FILE, /* RUN/stop */
    SKV_STOP_HOURS /* --max-hours is used up */
} skv_stop_reason;

/* From now on SIGTERM, SIGINT, SIGHUP, SIGUSR1 and SIGUSR2 ask this process to stop. A second one
 * within 2 s is the same request (SLURM sends two); a later one ends the process at once with
 * SKV_STOP_EXIT. Where the parent had blocked them they are not any more. A SIGHUP that is ignored
 * (nohup) stays ignored. Call it first thing in main: hours are counted from here. */
void skv_stop_catch(void);

/* This process says nothing when a later signal ends it: another rank does. */
void skv_stop_be_quiet(void);

/* Not 0 once the process is asked to stop; lives as long as the process. */
const skv_flag *skv_stop_flag(void);

/* Asks this process to stop, unless it has been asked already. */
void skv_stop_ask(skv_stop_reason why);
skv_stop_reason skv_stop_why(void);

/* "SIGTERM", "the file stop", ...; and back, SKV_STOP_NONE: not one of them. `name` may go on after
 * a comma. */
const char *skv_stop_name(skv_stop_reason why);
skv_stop_reason skv_stop_named(const char *name);

/* Seconds since skv_stop_catch. */
double skv_stop_clock(void);

/* Ends the process at once with SKV_STOP_EXIT: half-written files keep their aside names. */
void skv_stop_leave(void) __attribute__((noreturn));

#endif
