/* HDF5 1.10 reads out of bounds, and may crash, on some damaged files, and a checksum protects
 * against accidents, not against a stranger who makes a file and its checksum. So another process
 * opens and walks every file first: what kills it is called damaged, and this process never opens
 * it.
 *
 * That process is this program with SKV_H5_PROBE_COMMAND as its only argument: no MPI, no threads,
 * no GPU. It is spawned before MPI starts, since a process that uses MPI or a GPU should not fork;
 * it forks a child that looks at files until one is not whole, ignores the signals that stop a job,
 * and ends when this process does. */
#ifndef SKV_IO_H5_PROBE_H
#define SKV_IO_H5_PROBE_H

#include <stdbool.h>

#include "core/status.h"

#define SKV_H5_PROBE_COMMAND "--look-at-hdf5"

/* Starts the process, once, before MPI and threads. From then on every file is looked at before
 * skv_h5_open and its like open it. */
SKV_MUST skv_status skv_h5_probe_start(void);

/* From now on files are refused unless the process is there: a command that forgot to start it says
 * so. Without this call and without the process, files are opened at once (unit tests). */
void skv_h5_probe_require(void);

/* Ends the process. */
void skv_h5_probe_stop(void);

/* Has that process look at the file (skv_h5__walk); at once SKV_OK where none is needed. */
SKV_MUST skv_status skv_h5__ask(int fd, const char *path, bool sealed, const char *but);

#endif
