/* What a file was given to hold, and whether it does. */
#ifndef SKV_IO_H5_GIVEN_H
#define SKV_IO_H5_GIVEN_H

#include "io/h5_types.h"

/* Notes the CRC-32s of appended datasets as attributes; fails where one is not full. */
SKV_MUST skv_status skv_h5__note_sums(skv_h5 *f);

/* Compares every dataset and text of `written`, the file of f opened again, with what f was given.
 */
SKV_MUST skv_status skv_h5__check_given(skv_h5 *written, const skv_h5 *f);

#endif
