/* Sealed files: they begin with a block of SKV_H5_LABEL_BYTES that other readers skip (HDF5's user
 * block): the file's length and CRC-32, the block's own, and a label. They belong to a run;
 * n_below: core/folder.h. */
#ifndef SKV_IO_H5_LABEL_H
#define SKV_IO_H5_LABEL_H

#include "io/h5_types.h"

#define SKV_H5_LABEL_BYTES 2048
#define SKV_H5_MAX_LABEL   1900

/* *out (free()) = the label of such a file; *crc, if not NULL: the CRC-32 of all behind the block.
 * Reads the first block alone, and checks that the file has the length that the block says. */
SKV_MUST skv_status skv_h5_read_label(char **out, uint32_t *crc, const char *path, int n_below);

/* Reads all of such a file: every byte must have its checksum, and the process that checks HDF5
 * files (io/h5_probe.h) must find nothing wrong. */
SKV_MUST skv_status skv_h5_check_sealed(const char *path, int n_below);

/* Opens such a file after this job found it whole by skv_h5_check_sealed: the library reads from it
 * what is asked for alone. */
SKV_MUST skv_status skv_h5_open_checked(skv_h5 **out, const char *path, int n_below);

/* Opens such a file for reading after its CRC-32 was found right: on damaged bytes the library
 * itself may read out of bounds. Holds the file in memory. */
SKV_MUST skv_status skv_h5_open_sealed(skv_h5 **out, const char *path, int n_below);

/* The same for a file of our own that was not renamed yet: no need to have it looked at, since what
 * the library reads is what it wrote a moment ago in this process. */
SKV_MUST skv_status skv_h5__open_own_sealed(skv_h5 **out, const char *path, int n_below);

/* Fills in the block; image: the whole file, the block empty. */
void skv_h5__put_label(char *image, size_t bytes, const char *label);

#endif
