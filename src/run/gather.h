/* Gather: the group files of a run, one after another, into one run.h5. */
#ifndef SKV_RUN_GATHER_H
#define SKV_RUN_GATHER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

/* Reads RUN/run.json and every group file of every path it names, and writes RUN/run.h5, which is
 * read back before it gets its name: it appears whole or not at all. virtual_images: run.h5 points
 * at the pictures in the group files instead of copying them. *n_failed: rows whose status is not
 * 0.
 *
 * All group files are checked before an error is returned: SKV_E_NOTFOUND counts those that are
 * missing and names the first. Damaged ones are set aside (skv_group_file_set_aside) with a
 * warning, and SKV_E_STOPPED says how many: skv sample computes them again. Once *stop is not 0
 * (NULL: never) gathering ends with SKV_E_STOPPED; an older run.h5 stays. */
SKV_MUST skv_status skv_gather(const char *run, bool virtual_images,
                               const volatile sig_atomic_t *stop, int64_t *n_failed);

#endif
