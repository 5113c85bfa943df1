/* Sealed files: they begin with a block of SKV_H5_LABEL_BYTES that other readers skip (HDF5's user
 * block): the file's length and CRC-32, the block's own, a label, and the inode and time that show
 * that nobody has written to the file since its writer read it back. They belong to a run; n_below:
 * core/folder.h. */
#ifndef SKV_IO_H5_LABEL_H
#define SKV_IO_H5_LABEL_H

#include <stdbool.h>
#include <stdint.h>

#include "io/h5_types.h"

#define SKV_H5_LABEL_BYTES 2048
#define SKV_H5_MAX_LABEL   1800

/* What the block says of the file. */
typedef struct {
    uint32_t crc; /* CRC-32 of all behind the block */
    bool as_made; /* its inode and the time of its last change are those that its writer left after
                   * reading it back: it is no copy, and nobody has written to it since */
} skv_h5_seal;

/* *out (free()) = the label of such a file. Reads the first block alone, and checks that the file
 * has the length that the block says. */
SKV_MUST skv_status skv_h5_read_label(char **out, skv_h5_seal *seal, const char *path, int n_below);

/* Reads all of such a file: every byte must have its checksum, and the process that checks HDF5
 * files (io/h5_probe.h) must find nothing wrong. */
SKV_MUST skv_status skv_h5_check_sealed(const char *path, int n_below);

/* For a file that is known to be whole: only has that process look at it, at all but the content of
 * the dataset `but`, which is not to be read afterwards. */
SKV_MUST skv_status skv_h5_look_sealed(const char *path, int n_below, const char *but);

/* Opens such a file after this job found nothing wrong by one of these two: the library reads from
 * it what is asked for alone. */
SKV_MUST skv_status skv_h5_open_checked(skv_h5 **out, const char *path, int n_below);

/* Opens such a file for reading after its CRC-32 was found right: on damaged bytes the library
 * itself may read out of bounds. Holds the file in memory. */
SKV_MUST skv_status skv_h5_open_sealed(skv_h5 **out, const char *path, int n_below);

/* The same for a file of our own that was not renamed yet: no need to have it looked at, since what
 * the library reads is what it wrote a moment ago in this process. */
SKV_MUST skv_status skv_h5__open_own_sealed(skv_h5 **out, const char *path, int n_below);

#endif
