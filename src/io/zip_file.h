/* Zip archives: the container of PyTorch's checkpoints, whose members are stored, and of numpy's
 * arrays, whose members may be deflated.
 *
 * The central directory is the truth; local headers may hold zeros for CRC and sizes (flag bit 3)
 * but must agree in name and method. Whatever two readers could read differently is refused:
 * comments, overlaps, duplicate names, bytes before the first member. */
#ifndef SKV_IO_ZIP_FILE_H
#define SKV_IO_ZIP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef struct {
    const char *name; /* in the archive, not NUL-terminated */
    size_t name_bytes;
    const uint8_t *data; /* in the archive: the content, or what inflates to it */
    size_t stored;       /* bytes of data */
    size_t bytes;        /* of the content; the same where it is not deflated */
    bool deflated;
    uint32_t crc; /* of the content */
    size_t begin; /* of its local header, in the archive */
    bool checked; /* its CRC was compared */
} skv_zip_record;

typedef struct {
    skv_zip_record *records; /* sorted by name (bytes) */
    size_t n;
    const char *path; /* borrowed, for messages */
} skv_zip;

/* Reads the directory of the archive data[0..bytes), which must outlive *out; reads no member.
 * Errors: SKV_E_FORMAT, SKV_E_UNSUPPORTED (encrypted, another method), SKV_E_MEM. */
SKV_MUST skv_status skv_zip_open(skv_zip *out, const uint8_t *data, size_t bytes, const char *path);
void skv_zip_close(skv_zip *zip);

/* NULL: no such member. */
skv_zip_record *skv_zip_find(const skv_zip *zip, const char *name, size_t name_bytes);

/* Compares the CRC-32 of a member that is not deflated, once. */
SKV_MUST skv_status skv_zip_check(const skv_zip *zip, skv_zip_record *record);

/* *out = the content of any member (free()), inflated, its CRC-32 compared. A content of more than
 * `most` bytes is refused before memory is asked for. */
SKV_MUST skv_status skv_zip_read(uint8_t **out, const skv_zip *zip, const skv_zip_record *record,
                                 size_t most);

#endif
