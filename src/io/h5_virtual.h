/* Virtual datasets, whose rows stay in other files, and links to other files; reading rows of any
 * dataset. */
#ifndef SKV_IO_H5_VIRTUAL_H
#define SKV_IO_H5_VIRTUAL_H

#include "io/h5_types.h"

/* One part of a virtual dataset: rows of this dataset that are all rows of another file's. Rows
 * without a source cannot be read. */
typedef struct {
    const char *file, *dataset; /* file: relative to the folder of the new file */
    int64_t first, n;
} skv_h5_source;
SKV_MUST skv_status skv_h5_make_virtual(skv_h5 *f, const char *name, const skv_h5_layout *layout,
                                        const skv_h5_source *sources, int n_sources);

/* External link: name in this file -> object in `file` (relative to this file's folder). */
SKV_MUST skv_status skv_h5_link(skv_h5 *f, const char *name, const char *file, const char *object);

/* Rows [first, first+n) into `data` (room for n rows of want's type and extents; no texts). Reads
 * virtual datasets part by part: a missing or damaged source is an error, never zeros. */
SKV_MUST skv_status skv_h5_read_rows(skv_h5 *f, const char *name, skv_h5_layout *want,
                                     int64_t first, int64_t n, void *data);

/* CRC-32 of a virtual dataset's list of sources, in its order; *rows: what they cover. */
SKV_MUST skv_status skv_h5__sources_crc(uint32_t *crc, int64_t *rows, skv_h5 *f, const char *name);

#endif
