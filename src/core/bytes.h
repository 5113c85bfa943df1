/* Bytes that grow: a zeroed one is empty. */
#ifndef SKV_CORE_BYTES_H
#define SKV_CORE_BYTES_H

#include <stddef.h>

#include "core/status.h"

typedef struct {
    char *data; /* free() */
    size_t n, room;
} skv_bytes;

/* Adds n bytes at the end. On SKV_E_MEM, naming `what`, nothing has changed. */
SKV_MUST skv_status skv_bytes_add(skv_bytes *b, const void *data, size_t n, const char *what);

void skv_bytes_clear(skv_bytes *b);

#endif
