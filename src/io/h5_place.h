/* Where a dataset's bytes lie, for readers that do without the library. */
#ifndef SKV_IO_H5_PLACE_H
#define SKV_IO_H5_PLACE_H

#include "io/h5_types.h"

/* For a dataset that is stored as it is read: in one piece, of this machine's number types. Checked
 * as by skv_h5_expect; its bytes are those of the file from *offset on, all within it. */
SKV_MUST skv_status skv_h5_place(int64_t *offset, skv_h5 *f, const char *name, skv_h5_layout *want);

#endif
