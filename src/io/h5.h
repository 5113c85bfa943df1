/* HDF5 files, checked: every return value is looked at and the library's reason goes into our
 * message. A new file is written aside and gets its name only in skv_h5_commit.
 *
 * One thread at a time. Files are hostile when read: type, rank, extents and stored bytes are
 * compared with what is wanted before anything is allocated; external storage and links, unknown
 * filters and virtual sources outside the file's folder are refused, plug-ins never loaded.
 * Objects are named by their path from the root ("/cache/length"); groups on the way are made.
 *
 * This header is for the other rooms: it brings all that they use. */
#ifndef SKV_IO_H5_H
#define SKV_IO_H5_H

#include "io/h5_attr.h"
#include "io/h5_group.h"
#include "io/h5_label.h"
#include "io/h5_open.h"
#include "io/h5_place.h"
#include "io/h5_read.h"
#include "io/h5_types.h"
#include "io/h5_virtual.h"
#include "io/h5_write.h"

/* A new file that will be `path`; until then it is aside (core/aside.h). */
SKV_MUST skv_status skv_h5_create(skv_h5 **out, const char *path);

/* The same, built in memory and written at once when sealed: for files of a few hundred MB at most.
 * No disk error can reach the library. The file begins with a block that holds `label`
 * (io/h5_label.h). n_below: core/folder.h. */
SKV_MUST skv_status skv_h5_create_sealed(skv_h5 **out, const char *path, int n_below,
                                         const char *label);

/* Flush, close, sync; open again and compare every dataset with what was given; rename to `path`,
 * sync the folder. SKV_E_IO where the file holds something else. Destroys f and nulls *f in any
 * case; on failure nothing stands under `path` that was not there before, and the aside file is
 * gone. */
SKV_MUST skv_status skv_h5_commit(skv_h5 **f);

#endif
