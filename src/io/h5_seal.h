/* The block at the front of a sealed file (io/h5_label.h), and whether the file is as it says. */
#ifndef SKV_IO_H5_SEAL_H
#define SKV_IO_H5_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "core/status.h"
#include "io/h5_label.h"

/* Fills in the block; image: the whole file, the block empty. made: the inode and the time of the
 * last change that the file will have once it was read back; NULL: it will not be known by these.
 */
void skv_h5__put_label(char *image, size_t bytes, const char *label, const struct stat *made);

/* What a block says. */
typedef struct {
    size_t length; /* of the file */
    uint32_t crc;  /* CRC-32 of all behind the block */
    bool as_made;  /* skv_h5_seal */
    char label[SKV_H5_LABEL_BYTES];
} skv_h5__block;

/* Checks the block itself, and takes it apart; file: what the system says of it. SKV_E_FORMAT where
 * it is damaged, or no such block. */
SKV_MUST skv_status skv_h5__read_block(skv_h5__block *out, const char *bytes,
                                       const struct stat *file, const char *path);

/* Fails: a file whose bytes have another checksum than the block says. */
skv_status skv_h5__wrong_checksum(const char *path);

/* For a file that the library is about to read. One that is sealed, or was before its block was
 * damaged, must have its length and checksum, which costs reading all of it once, unless it is as
 * its writer left it. Other files pass. */
SKV_MUST skv_status skv_h5__check_seal(int fd, const char *path);

#endif
