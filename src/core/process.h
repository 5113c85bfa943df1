/* Processes by a name that no two of them share, on all hosts that see a file system. Files that a
 * process leaves behind (core/aside.h, run/claims.h) carry it. */
#ifndef SKV_CORE_PROCESS_H
#define SKV_CORE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

#define SKV_PROCESS_BYTES 64 /* room for a name */

/* "<place>-<pid>-<start>", of [0-9a-z] and "-": the place is a digest of host, boot and pid
 * namespace; start is the process's start time. Returns out. */
const char *skv_process_name(char out[SKV_PROCESS_BYTES]);

/* Fills out with the system's random bytes: what no other process draws. */
SKV_MUST skv_status skv_random_bytes(void *out, size_t bytes);

/* Whether text has the form of a name. */
bool skv_process_is_name(const char *text);

/* Whether the process is known to have ended: it was of this place, and it is not there any more.
 * False for one of another place, whatever became of it. */
bool skv_process_has_ended(const char *name);

/* "process 17 on host node3": this process, for messages that others print. */
void skv_process_describe(char *out, int bytes);

#endif
