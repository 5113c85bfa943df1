/* Bytes that grow in pieces, without being moved: for many MiB, of which none is taken twice or in
 * vain, and all are the system's again when they are cleared. A zeroed one is empty. */
#ifndef SKV_CORE_PIECES_H
#define SKV_CORE_PIECES_H

#include <stddef.h>

#include "core/status.h"

#define SKV_PIECE_BYTES ((size_t)1 << 20) /* of all pieces but the last, which may be shorter */

typedef struct {
    char **piece;
    size_t n_pieces, n; /* n: bytes in all */
} skv_pieces;

/* Adds n bytes at the end; SKV_E_MEM names `what`. */
SKV_MUST skv_status skv_pieces_add(skv_pieces *p, const void *data, size_t n, const char *what);

/* Copies bytes [at, at + n), which must be there. */
void skv_pieces_read(const skv_pieces *p, size_t at, size_t n, void *out);

void skv_pieces_clear(skv_pieces *p);

#endif
