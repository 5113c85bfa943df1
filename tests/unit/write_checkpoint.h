/* Checkpoints in the released forms, written by the tests without torch. */
#ifndef SKV_TESTS_WRITE_CHECKPOINT_H
#define SKV_TESTS_WRITE_CHECKPOINT_H

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

/* One stored member of an archive being written; finish writes its directory. */
typedef struct {
    test_bytes file, directory;
    int members;
} test_zip;
void zip_add(test_zip *z, const char *name, const void *data, size_t n);
void zip_finish(test_bytes *out, test_zip *z);

void make_safetensors(test_bytes *out, const test_tensor *t, size_t n, skv_dtype type);

#endif
