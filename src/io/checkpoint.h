/* Named tensors of a checkpoint, mapped read-only: PyTorch zip archive, PyTorch legacy stream,
 * safetensors, or a folder or index of shards. The form is told by content, never by the name.
 *
 * Opening checks everything a tensor needs (names, shapes, bytes inside the file) but reads no
 * tensor data; data may be misaligned: copy, do not cast. */
#ifndef SKV_IO_CHECKPOINT_H
#define SKV_IO_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dtype.h"
#include "core/status.h"

#define SKV_ENTRY_DIMS 8

typedef struct {
    const char *name;       /* nested dictionaries joined by '.' */
    skv_dtype dtype;        /* means something only when `supported` */
    bool supported;         /* fp32, fp16 or bf16, row-major, of at most SKV_ENTRY_DIMS dims */
    const char *dtype_name; /* for messages: "fp32", "I64", "fp32, not contiguous", ... */
    int ndim;               /* 0: a scalar */
    int64_t shape[SKV_ENTRY_DIMS];
    const void *data; /* first element, in the mapping, any alignment */
    size_t bytes;     /* numel · size of an element, 0 for an unsupported tensor */
    int shard;        /* index of the checkpoint's file that holds it */
    size_t record;    /* index of the checksummed record in that file; SIZE_MAX: none */
} skv_entry;

typedef struct skv_checkpoint skv_checkpoint;

/* `path`: a .pth/.bin zip, a legacy stream, a .safetensors, an index .json, or a folder that holds
 * model.safetensors, model.safetensors.index.json, pytorch_model.bin or
 * pytorch_model.bin.index.json (the first found counts). Files must not change while open.
 * Errors: SKV_E_NOTFOUND, SKV_E_IO, SKV_E_FORMAT, SKV_E_UNSUPPORTED, SKV_E_MEM. */
SKV_MUST skv_status skv_checkpoint_open(skv_checkpoint **out, const char *path);
void skv_checkpoint_close(skv_checkpoint *ck); /* NULL is fine; entries die with it */

/* Entries lie in one array, sorted by name (bytes). Parts of a name that training wrappers put
 * inside ("_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module.") are taken off. */
size_t skv_checkpoint_count(const skv_checkpoint *ck);
const skv_entry *skv_checkpoint_at(const skv_checkpoint *ck, size_t i);

/* The tensor of this name, behind the place that skv_checkpoint_enter found (io/checkpoint_kind.h);
 * NULL: there is none. */
const skv_entry *skv_checkpoint_find(const skv_checkpoint *ck, const char *name);

/* What stands under this name (found in the same way) and is no tensor: "an object of
 * numpy.ndarray"; NULL: nothing, or a tensor. */
const char *skv_checkpoint_find_other(const skv_checkpoint *ck, const char *name);

/* What was taken off the names, as a clause for people: "\"module.\" is taken off the names of its
 * tensors". NULL: nothing. */
const char *skv_checkpoint_taken_off(const skv_checkpoint *ck);

/* Reads the zip record that holds the tensor and compares its CRC-32, once a record; forms without
 * checksums pass. Not for two threads at once. Errors: SKV_E_FORMAT. */
SKV_MUST skv_status skv_checkpoint_verify(const skv_checkpoint *ck, const skv_entry *e);

/* "PyTorch zip", "PyTorch legacy", "safetensors", "... shards". */
const char *skv_checkpoint_format(const skv_checkpoint *ck);

#endif
