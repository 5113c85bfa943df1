/* Checkpoints in the released forms, written by the tests without torch. */
#ifndef SKV_TESTS_WRITE_CHECKPOINT_H
#define SKV_TESTS_WRITE_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dtype.h"

typedef struct {
    const char *name;
    int ndim;
    int64_t shape[4];
    const float *data;
} test_tensor;

/* The bytes of a file; freed with free(). All abort the test on failure. */
typedef struct {
    uint8_t *data;
    size_t n, room;
} test_bytes;

void bytes_add(test_bytes *b, const void *data, size_t n);
void bytes_save(const test_bytes *b, const char *path);

/* A torch.save archive: stored members, data padded to 64 bytes, tensors of `type`. wrapper: NULL,
 * or the key of the one dictionary inside ("vae"). */
void make_torch_zip(test_bytes *out, const test_tensor *t, size_t n, skv_dtype type,
                    const char *wrapper);

/* The same as a legacy stream: storages in the order of their keys. */
void make_torch_legacy(test_bytes *out, const test_tensor *t, size_t n, skv_dtype type);

/* A tensor as a pickle describes it; what it says need not be true. */
typedef struct {
    const char *storage; /* "FloatStorage" */
    const char *key;
    int64_t elements, offset;
    int ndim;
    int64_t shape[4], stride[4];
    bool view; /* legacy: of elements [view_at, view_at + view_elements) of the storage */
    int64_t view_at, view_elements;
} test_piece;

/* Opcodes that push a text, an integer, a tensor. */
void pickle_text(test_bytes *p, const char *text);
void pickle_int(test_bytes *p, int64_t v);
void pickle_piece(test_bytes *p, const test_piece *t);

/* A legacy stream up to its object: magic, version, machine. */
void legacy_begin(test_bytes *out);

/* One stored member of an archive being written; finish writes its directory. */
typedef struct {
    test_bytes file, directory;
    int members;
} test_zip;
void zip_add(test_zip *z, const char *name, const void *data, size_t n);
void zip_finish(test_bytes *out, test_zip *z);

void make_safetensors(test_bytes *out, const test_tensor *t, size_t n, skv_dtype type);

#endif
