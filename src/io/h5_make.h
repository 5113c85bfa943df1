/* What makes a dataset of either kind. */
#ifndef SKV_IO_H5_MAKE_H
#define SKV_IO_H5_MAKE_H

#include "io/h5_handle.h"

/* Makes a dataset from the layout and the (possibly virtual) creation properties. */
SKV_MUST skv_status skv_h5__make(skv_h5 *f, const char *name, const skv_h5_layout *layout,
                                 hid_t create);

#endif
