/* HDF5 files: the handle and what describes a dataset. */
#ifndef SKV_IO_H5_TYPES_H
#define SKV_IO_H5_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define SKV_H5_MAX_DIMS 5

typedef enum {
    SKV_H5_U8,
    SKV_H5_I32,
    SKV_H5_I64,
    SKV_H5_U64,
    SKV_H5_F32,
    SKV_H5_F64,
    SKV_H5_TEXT /* UTF-8; in memory const char *[] */
} skv_h5_type;

/* Bytes of an element in memory (texts: a pointer). */
size_t skv_h5_type_bytes(skv_h5_type type);

/* A dataset. rows_per_chunk: entries of the first axis in a chunk, 0 = contiguous. checksum:
 * fletcher32 a chunk. text_bytes: SKV_H5_TEXT of fixed length with the NUL, 0 = variable length. */
typedef struct {
    skv_h5_type type;
    int n_dims;
    int64_t shape[SKV_H5_MAX_DIMS];
    int64_t rows_per_chunk;
    bool checksum;
    size_t text_bytes;
    const char *long_name, *units; /* attributes; NULL: none */
} skv_h5_layout;

/* A file that is open: read, or being written. */
typedef struct skv_h5 skv_h5;

/* Once before anything else (idempotent; create and open call it): error printing off, plug-ins
 * off. */
SKV_MUST skv_status skv_h5_init(void);

/* Closes a read file; throws a written one away. NULL is fine. */
void skv_h5_close(skv_h5 *f);

#endif
