/* Gather: the group files of a run, one after another, into one run.h5. */
#ifndef SKV_RUN_GATHER_H
#define SKV_RUN_GATHER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

/* Reads RUN/run.json and every group file of every path it names; a missing or damaged one is named
 * and nothing is written. virtual_images: run.h5 points at the pictures in the group files instead
 * of copying them. *n_failed: rows whose status is not 0. */
SKV_MUST skv_status skv_gather(const char *run, bool virtual_images, int64_t *n_failed);

#endif
