/* Opening files for reading. */
#ifndef SKV_IO_H5_OPEN_H
#define SKV_IO_H5_OPEN_H

#include <stdbool.h>
#include <stddef.h>

#include "io/h5_types.h"

/* Read only. SKV_E_NOTFOUND when absent. A sealed file (io/h5_label.h) must have its checksum, or
 * be as its writer left it. n_below: core/file.h. */
SKV_MUST skv_status skv_h5_open_below(skv_h5 **out, const char *path, int n_below);
SKV_MUST skv_status skv_h5_open(skv_h5 **out, const char *path); /* n_below 0 */

/* A file on disk: its descriptor, and for sealed ones also its checked bytes. */
typedef struct {
    int fd;
    const char *bytes; /* NULL: the library reads the file itself */
    size_t n;
    bool ours; /* not to be looked at by the other process first (io/h5_probe.h) */
} skv_h5__entry;

/* The only place where the library opens a file that exists. The descriptor stays the caller's. */
SKV_MUST skv_status skv_h5__enter(skv_h5 **out, const char *path, const skv_h5__entry *entry);

#endif
