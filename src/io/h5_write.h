/* Writing datasets. */
#ifndef SKV_IO_H5_WRITE_H
#define SKV_IO_H5_WRITE_H

#include "io/h5_types.h"

/* Makes the dataset; rows are written later. */
SKV_MUST skv_status skv_h5_make(skv_h5 *f, const char *name, const skv_h5_layout *layout);

/* Appends n entries along the first axis of a dataset made by skv_h5_make. When the file is sealed
 * the dataset must be full, and its CRC-32 is noted as by skv_h5_write. data: dense, of `type`. */
SKV_MUST skv_status skv_h5_append(skv_h5 *f, const char *name, int64_t n, skv_h5_type type,
                                  const void *data);

/* Appends entries of which nothing is known until the dataset has `to`: 0, or NaN where its type is
 * a floating one. Not for texts. */
SKV_MUST skv_status skv_h5_pass(skv_h5 *f, const char *name, int64_t to);

/* text_bytes for n texts, of which the longest and all have so many bytes, NULs included: the
 * longest's where padding costs no more than four times the texts; else 0. */
size_t skv_h5_fixed_text_bytes(size_t n, size_t longest, size_t sum);

/* Makes and writes a whole dataset and notes its CRC-32 as attribute "crc32" (texts: with their
 * NULs). A SKV_H5_TEXT layout with text_bytes 0 becomes fixed where that costs little
 * (skv_h5_fixed_text_bytes). */
SKV_MUST skv_status skv_h5_write(skv_h5 *f, const char *name, const skv_h5_layout *layout,
                                 const void *data);

#endif
