/* Reads once, in a process of its own (io/h5_probe.h), everything that our readers may read of a
 * file. */
#ifndef SKV_IO_H5_WALK_H
#define SKV_IO_H5_WALK_H

#include <stdbool.h>

#include "core/status.h"

/* Opens the file and reads what our readers may read. sealed: all of it must be as this program
 * writes it. but: a dataset whose content is left out; "" for none. If the library fails, the file
 * is damaged. */
SKV_MUST skv_status skv_h5__walk(int fd, const char *path, bool sealed, const char *but);

#endif
