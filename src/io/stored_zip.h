/* Zip archives whose members are stored, not compressed: the container of PyTorch's checkpoints.
 *
 * The central directory is the truth; local headers may hold zeros for CRC and sizes (flag bit 3)
 * but must agree in name and method. Whatever two readers could read differently is refused:
 * comments, overlaps, duplicate names, bytes before the first member. */
#ifndef SKV_IO_STORED_ZIP_H
#define SKV_IO_STORED_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

typedef struct {
    const char *name; /* in the archive, not NUL-terminated */
    size_t name_bytes;
    const uint8_t *data;
    size_t bytes;
    uint32_t crc;
    size_t begin; /* of its local header, in the archive */
    bool checked; /* its CRC was compared */
} skv_zip_record;

typedef struct {
    skv_zip_record *records; /* sorted by name (bytes) */
    size_t n;
    const char *path; /* borrowed, for messages */
} skv_zip;

/* Reads the directory of the archive data[0..bytes), which must outlive *out; reads no member.
 * Errors: SKV_E_FORMAT, SKV_E_UNSUPPORTED (compressed, encrypted), SKV_E_MEM. */
SKV_MUST skv_status skv_zip_open(skv_zip *out, const uint8_t *data, size_t bytes, const char *path);
void skv_zip_close(skv_zip *zip);

/* NULL: no such member. */
skv_zip_record *skv_zip_find(const skv_zip *zip, const char *name, size_t name_bytes);

/* Compares the member's CRC-32, once. */
SKV_MUST skv_status skv_zip_check(const skv_zip *zip, skv_zip_record *record);

#endif
