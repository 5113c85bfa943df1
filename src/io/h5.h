/* HDF5 files, checked: every return value is looked at and the library's reason goes into our
 * message. A new file is written aside and gets its name only in skv_h5_commit.
 *
 * One thread at a time. Files are hostile when read: type, rank, extents and stored bytes are
 * compared with what is wanted before anything is allocated; external storage and links, unknown
 * filters and virtual sources outside the file's folder are refused, plug-ins never loaded.
 * Objects are named by their path from the root ("/cache/length"); groups on the way are made. */
#ifndef SKV_IO_H5_H
#define SKV_IO_H5_H

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

typedef struct skv_h5 skv_h5;

/* Once before anything else (idempotent; create and open call it): error printing off, plug-ins
 * off. */
SKV_MUST skv_status skv_h5_init(void);

/* A new file that will be `path`; until then it is aside (core/aside.h). */
SKV_MUST skv_status skv_h5_create(skv_h5 **out, const char *path);

/* The same, built in memory and written at once when sealed: for files of a few hundred MB at most.
 * No disk error can reach the library. The file begins with a block of SKV_H5_LABEL_BYTES that
 * other readers skip (HDF5's user block): `label`, the file's length and CRC-32, and the block's
 * own. Such files belong to a run: the last three parts of `path` are below its folder. */
#define SKV_H5_LABEL_BYTES 2048
#define SKV_H5_MAX_LABEL   1900
SKV_MUST skv_status skv_h5_create_sealed(skv_h5 **out, const char *path, const char *label);

/* *out (free()) = the label of such a file. Reads the first block alone, and checks that the file
 * is not shorter than the block says. */
SKV_MUST skv_status skv_h5_read_label(char **out, const char *path);

/* Opens such a file for reading after its CRC-32 was found right: on damaged bytes the library
 * itself may read out of bounds. Holds the file in memory. */
SKV_MUST skv_status skv_h5_open_sealed(skv_h5 **out, const char *path);

/* Read only. SKV_E_NOTFOUND when absent. n_below: core/file.h. */
SKV_MUST skv_status skv_h5_open_below(skv_h5 **out, const char *path, int n_below);
SKV_MUST skv_status skv_h5_open(skv_h5 **out, const char *path); /* n_below 0 */

/* For a file being written: flush, close, sync, open again, and compare every dataset of
 * skv_h5_write, skv_h5_append and skv_h5_make_virtual with what was given. Nothing can be written
 * afterwards. SKV_E_IO where the file holds something else. */
SKV_MUST skv_status skv_h5_read_back(skv_h5 *f);

/* Flush, close, sync where skv_h5_read_back has not, rename to `path`, sync the folder. Destroys f
 * and nulls *f in any case; on failure nothing stands under `path` that was not there before, and
 * the aside file is gone. */
SKV_MUST skv_status skv_h5_commit(skv_h5 **f);

/* Closes a read file; throws a written one away. NULL is fine. */
void skv_h5_close(skv_h5 *f);

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

/* Makes the dataset; rows are written later. */
SKV_MUST skv_status skv_h5_make(skv_h5 *f, const char *name, const skv_h5_layout *layout);

/* Entries [first, first+n) of the first axis. data: dense, of `type`. */
SKV_MUST skv_status skv_h5_write_rows(skv_h5 *f, const char *name, int64_t first, int64_t n,
                                      skv_h5_type type, const void *data);

/* Appends n entries along the first axis of a dataset made by skv_h5_make. When the file is sealed
 * the dataset must be full, and its CRC-32 is noted as by skv_h5_write. data: dense, of `type`. */
SKV_MUST skv_status skv_h5_append(skv_h5 *f, const char *name, int64_t n, skv_h5_type type,
                                  const void *data);

/* Makes and writes a whole dataset and notes its CRC-32 as attribute "crc32" (texts: with their
 * NULs). A SKV_H5_TEXT layout with text_bytes 0 becomes fixed where that costs little. */
SKV_MUST skv_status skv_h5_write(skv_h5 *f, const char *name, const skv_h5_layout *layout,
                                 const void *data);

/* One part of a virtual dataset: rows of this dataset that are all rows of another file's. */
typedef struct {
    const char *file, *dataset; /* file: relative to the folder of the new file */
    int64_t first, n;
} skv_h5_source;
SKV_MUST skv_status skv_h5_make_virtual(skv_h5 *f, const char *name, const skv_h5_layout *layout,
                                        const skv_h5_source *sources, int n_sources);

/* External link: name in this file -> object in `file` (relative to this file's folder). */
SKV_MUST skv_status skv_h5_link(skv_h5 *f, const char *name, const char *file, const char *object);

/* Whether there is a dataset of this name. */
bool skv_h5_has(skv_h5 *f, const char *name);

/* Type, rank and extents of a dataset (rows_per_chunk, -1 where it is virtual, checksum, text_bytes
 * too; long_name and units NULL). */
SKV_MUST skv_status skv_h5_describe(skv_h5_layout *out, skv_h5 *f, const char *name);

/* Refuses a dataset whose type or extents differ from `want`: a shape of -1 takes any extent and
 * is set to what the file has. */
SKV_MUST skv_status skv_h5_expect(skv_h5 *f, const char *name, skv_h5_layout *want);

/* Expect, then *out = its entries (free(); texts: one block that holds pointers and bytes). At most
 * max_bytes are allocated. A crc32 attribute must match the data; need_crc: a dataset without one
 * is refused. */
SKV_MUST skv_status skv_h5_read(void *out, skv_h5 *f, const char *name, skv_h5_layout *want,
                                size_t max_bytes, bool need_crc);

/* Rows [first, first+n) into `data` (room for n rows of want's type and extents; no texts). Reads
 * virtual datasets part by part: a missing or damaged source is an error, never zeros. */
SKV_MUST skv_status skv_h5_read_rows(skv_h5 *f, const char *name, skv_h5_layout *want,
                                     int64_t first, int64_t n, void *data);

/* Names of the members of a group, sorted by bytes; one block (free()). */
SKV_MUST skv_status skv_h5_list(char ***out, int *n, skv_h5 *f, const char *group);

/* Attributes of an object ("/" = the file). Integers are I64 or U64, reals F64, texts fixed-length
 * UTF-8. The object must exist; skv_h5_make_group makes an empty group. */
SKV_MUST skv_status skv_h5_make_group(skv_h5 *f, const char *name);
SKV_MUST skv_status skv_h5_set_int(skv_h5 *f, const char *object, const char *key, int64_t v);
SKV_MUST skv_status skv_h5_set_ints(skv_h5 *f, const char *object, const char *key,
                                    const int64_t *v, int n);
SKV_MUST skv_status skv_h5_set_real(skv_h5 *f, const char *object, const char *key, double v);
SKV_MUST skv_status skv_h5_set_text(skv_h5 *f, const char *object, const char *key, const char *v);

/* SKV_E_NOTFOUND when absent. Texts and lists are freed by the caller. */
SKV_MUST skv_status skv_h5_get_int(int64_t *out, skv_h5 *f, const char *object, const char *key);
SKV_MUST skv_status skv_h5_get_ints(int64_t **out, int *n, skv_h5 *f, const char *object,
                                    const char *key);
SKV_MUST skv_status skv_h5_get_real(double *out, skv_h5 *f, const char *object, const char *key);
SKV_MUST skv_status skv_h5_get_text(char **out, skv_h5 *f, const char *object, const char *key);

/* Bytes of an element in memory (texts: a pointer). */
size_t skv_h5_type_bytes(skv_h5_type type);

#endif
