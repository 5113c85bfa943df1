/* Reading whole datasets. */
#ifndef SKV_IO_H5_READ_H
#define SKV_IO_H5_READ_H

#include <stdbool.h>

#include "io/h5_types.h"

/* Type, rank and extents of a dataset (rows_per_chunk, -1 where it is virtual, checksum, text_bytes
 * too; long_name and units NULL). */
SKV_MUST skv_status skv_h5_describe(skv_h5_layout *out, skv_h5 *f, const char *name);

/* Refuses a dataset whose type or extents differ from `want`: a shape of -1 takes any extent and
 * is set to what the file has. */
SKV_MUST skv_status skv_h5_expect(skv_h5 *f, const char *name, skv_h5_layout *want);

/* Expect, then *out = its entries (free(); texts: one block that holds pointers and bytes). At most
 * max_bytes are allocated. A crc32 attribute must match the data; need_crc: a dataset without one
 * is refused. */
SKV_MUST skv_status skv_h5_read(void *out, skv_h5 *f, const char *name, skv_h5_layout *want,
                                size_t max_bytes, bool need_crc);

#endif
