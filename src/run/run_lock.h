/* What only one process does at a time in a run's folder: making run.json, and gathering. Whoever
 * computes groups does not need it (run/claims.h says who computes what). */
#ifndef SKV_RUN_RUN_LOCK_H
#define SKV_RUN_RUN_LOCK_H

#include "core/flag.h"
#include "core/status.h"
#include "run/claims.h"

#define SKV_RUN_LOCK_SECONDS 1800 /* another job may be gathering */

/* The claims of a run, RUN/claims; RUN is there. */
SKV_MUST skv_status skv_run_claims_open(skv_claims **out, const char *run);

/* Removes what dead processes left in the run's folder itself and among its claims: aside files
 * (core/aside.h), claims, heartbeats. */
SKV_MUST skv_status skv_run_sweep(skv_claims *c, const char *run);

/* Takes the lock, which is a claim, and does the same in the folders below, too. Waits and fails as
 * skv_claims_wait does. */
SKV_MUST skv_status skv_run_lock_take(skv_claims *c, const char *run, int seconds,
                                      const skv_flag *stop);
void skv_run_lock_release(skv_claims *c);

#endif
