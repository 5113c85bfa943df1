/* Bytes that are added at the end and read anywhere. The last few MiB are in memory, all before
 * them in a file without a name below TMPDIR (or /tmp): however long the list is, a spool takes
 * SKV_SPOOL_BYTES, and one that is shorter needs no file. A zeroed one is empty; one thread at a
 * time. */
#ifndef SKV_CORE_SPOOL_H
#define SKV_CORE_SPOOL_H

#include <stdbool.h>

#include "core/bytes.h"

#define SKV_SPOOL_BYTES ((size_t)4 << 20) /* in memory, at most */

typedef struct {
    skv_bytes held;
    size_t n_out, n; /* bytes in the file; in all */
    bool has_file;
    int fd;
} skv_spool;

/* Adds n bytes at the end. SKV_E_IO where the file cannot be made or has no room, SKV_E_MEM; both
 * name `what`. */
SKV_MUST skv_status skv_spool_add(skv_spool *s, const void *data, size_t n, const char *what);

/* Copies bytes [at, at + n), which must be there. */
SKV_MUST skv_status skv_spool_read(const skv_spool *s, size_t at, size_t n, void *out,
                                   const char *what);

void skv_spool_clear(skv_spool *s);

#endif
