/* Archives of small files, as WebDataset reads them: POSIX ustar, regular files, names of at most
 * 99 bytes. Owner, time and rights are fixed, so that equal files make equal archives. */
#ifndef SKV_IO_TAR_FILE_H
#define SKV_IO_TAR_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/aside.h"
#include "core/status.h"

#define SKV_TAR_NAME_BYTES       100
#define SKV_TAR_MAX_MEMBER_BYTES ((size_t)1 << 30)

/* Adds a file to an archive that is written aside. */
SKV_MUST skv_status skv_tar_add(const skv_aside *to, const char *name, const void *data,
                                size_t bytes);

/* Behind the last file: the archive's end. The caller commits. */
SKV_MUST skv_status skv_tar_end(const skv_aside *to);

/* An archive that is read, whoever wrote it. */
typedef struct {
    int fd;
    const char *path; /* borrowed */
    int64_t at, bytes;
} skv_tar_reader;
SKV_MUST skv_status skv_tar_open(skv_tar_reader *out, const char *path);
void skv_tar_close(skv_tar_reader *r);

/* The next regular file: its name and its bytes (*data, free()); other kinds are passed over.
 * *more = false at the end. SKV_E_FORMAT for headers with a wrong checksum, members that are longer
 * than the archive or SKV_TAR_MAX_MEMBER_BYTES, names with '/', and an archive that ends without
 * its mark. */
SKV_MUST skv_status skv_tar_next(bool *more, char name[SKV_TAR_NAME_BYTES], uint8_t **data,
                                 size_t *bytes, skv_tar_reader *r);

#endif
