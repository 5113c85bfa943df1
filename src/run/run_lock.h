/* Who may change a run's folder: one process at a time, the holder of RUN/.lock. */
#ifndef SKV_RUN_RUN_LOCK_H
#define SKV_RUN_RUN_LOCK_H

#include <signal.h>

#include "core/status.h"

#define SKV_RUN_LOCK_SECONDS 30 /* a killed job's ranks may live that long */

/* Takes the lock of a folder that exists, and removes what dead writers left aside in it
 * (core/aside.h). While another process holds it: waits up to `seconds`, saying once who that is,
 * then SKV_E_IO naming it; SKV_E_STOPPED as soon as *stop is not 0 (stop may be NULL). A file
 * system without locks is warned of. *fd: for skv_run_lock_release; the end of the process
 * releases, too. The holder must not open .lock again: closing it would give the lock away. */
SKV_MUST skv_status skv_run_lock_take(int *fd, const char *run, int seconds,
                                      const volatile sig_atomic_t *stop);
void skv_run_lock_release(int fd);

#endif
