/* What the h5 files share: the handle, the library's reason in our message, checked opening. */
#ifndef SKV_IO_H5_INTERNAL_H
#define SKV_IO_H5_INTERNAL_H

#include <hdf5.h>

#include "core/aside.h"
#include "io/h5.h"

/* What a dataset was given to hold. */
typedef struct {
    char *name;
    skv_h5_type type;
    int64_t rows, used; /* used: so far */
    size_t row_bytes;   /* in memory */
    uint32_t crc;       /* of the entries, or of a virtual dataset's list of sources */
    bool is_virtual;
} skv_h5__given;

struct skv_h5 {
    hid_t file;           /* < 0: closed */
    char *path;           /* its final name */
    char *aside;          /* its temporary name; NULL when reading */
    skv_aside made;       /* the file of that name */
    char *label;          /* of a file in memory, written at once when sealed; NULL: on disk */
    bool failed;          /* a write or the closing failed: never gets its name */
    uint64_t length;      /* bytes on disk, when reading */
    skv_h5__given *given; /* when writing */
    size_t n_given, room;
};

/* SKV_E_H5 with "<path>: <message>: <the library's reason>". */
#define skv_h5__fail(f, ...) skv_h5__fail_at((f), __FILE__, __LINE__, __VA_ARGS__)
skv_status skv_h5__fail_at(const skv_h5 *f, const char *file, int line, const char *fmt, ...)
    SKV_PRINTF(4, 5);

/* Closes an object of any kind, -1: nothing. `st`, or why closing failed: what was written may
 * still lie in the library's buffers until then. */
SKV_MUST skv_status skv_h5__close(const skv_h5 *f, hid_t id, skv_status st);

/* Flush, close, sync, unless that is done; a file that failed is refused. */
SKV_MUST skv_status skv_h5__seal(skv_h5 *f);

/* The checked block before a sealed file's bytes; image: the whole file, the block empty. */
void skv_h5__put_label(char *image, size_t bytes, const char *label);

/* CRC-32 of any length; of n entries as they are in memory, of texts with their NULs. */
uint32_t skv_h5__crc(uint32_t crc, const void *data, size_t bytes);
uint32_t skv_h5__crc_of(uint32_t crc, skv_h5_type type, const void *data, size_t bytes);

/* Remembers what `name` is to hold; a name is given once. */
SKV_MUST skv_status skv_h5__remember(skv_h5 *f, const char *name, const skv_h5__given *given);
void skv_h5__forget(skv_h5 *f);

/* Notes the CRC-32s of appended datasets as attributes; fails where one is not full. */
SKV_MUST skv_status skv_h5__note_sums(skv_h5 *f);

/* CRC-32 of a virtual dataset's list of sources, in its order; *rows: what they cover. */
SKV_MUST skv_status skv_h5__sources_crc(uint32_t *crc, int64_t *rows, skv_h5 *f, const char *name);
uint32_t skv_h5__source_crc(uint32_t crc, const skv_h5_source *source);

/* Parts of a sealed file's name that are below its run's folder: groups/<path>/000000.h5. */
#define SKV_H5__SEALED_BELOW 3

/* The library opens by name. This is the name of an open file, which was found without following
 * links inside a run; no other file can take its place meanwhile. */
#define SKV_H5__FD_NAME 48
void skv_h5__name_of_fd(char *out, int fd);

/* A file on disk: its descriptor, and for sealed ones also its checked bytes. */
typedef struct {
    int fd;
    const char *bytes; /* NULL: the library reads the file itself */
    size_t n;
    bool ours; /* not to be looked at by the other process first (io/h5_probe.h) */
} skv_h5__entry;

/* The only place where the library opens a file that exists. The descriptor stays the caller's. */
SKV_MUST skv_status skv_h5__enter(skv_h5 **out, const char *path, const skv_h5__entry *entry);

/* Has the other process look at the file, see io/h5_probe.h. */
SKV_MUST skv_status skv_h5__ask(int fd, const char *path, bool sealed);

/* What that process does: opens the file and reads what our readers may read. sealed: all of it
 * must be as this program writes it. */
SKV_MUST skv_status skv_h5__walk(int fd, const char *path, bool sealed);

/* A file of our own, written and not renamed yet. No need to have it looked at: what the library
 * reads is what it wrote a moment ago in this process, under a name that nobody else writes to. */
SKV_MUST skv_status skv_h5__open_own(skv_h5 **out, const skv_h5 *written);
SKV_MUST skv_status skv_h5__open_own_sealed(skv_h5 **out, const skv_h5 *written);

/* New handle of a closed file, for reading. */
SKV_MUST skv_status skv_h5__new(skv_h5 **out, const char *path);

/* An opened dataset and what it was found to be. */
typedef struct {
    hid_t set, type, space, create; /* create: its creation properties */
    skv_h5_layout layout;
    bool is_virtual;
} skv_h5__set;

/* Opens and checks `name`: hard links only, known types and filters, no external storage, stored
 * bytes within the file. On failure nothing is left open. */
SKV_MUST skv_status skv_h5__open_set(skv_h5__set *s, skv_h5 *f, const char *name);
SKV_MUST skv_status skv_h5__close_set(const skv_h5 *f, skv_h5__set *s, skv_status st);

/* Refuses links other than hard ones on the way to `name`. SKV_E_NOTFOUND when absent. */
SKV_MUST skv_status skv_h5__check_links(skv_h5 *f, const char *name);

/* layout against what is wanted, see skv_h5_expect. */
SKV_MUST skv_status skv_h5__compare(const skv_h5 *f, const char *name, skv_h5_layout *want,
                                    const skv_h5_layout *has);

/* The library's type in memory; not for texts. */
hid_t skv_h5__memory_type(skv_h5_type type);

/* New text type; bytes 0: variable length. < 0 on failure. */
hid_t skv_h5__text_type(size_t bytes);

/* *out = bytes of `rows` entries of the first axis (texts: of pointers). */
SKV_MUST skv_status skv_h5__row_bytes(size_t *out, const skv_h5_layout *layout, int64_t rows);

/* Reads rows of a virtual dataset from its sources. */
SKV_MUST skv_status skv_h5__read_virtual(skv_h5 *f, const char *name, const skv_h5__set *s,
                                         int64_t first, int64_t n, void *data);

/* Makes a dataset from the layout and the (possibly virtual) creation properties. */
SKV_MUST skv_status skv_h5__make(skv_h5 *f, const char *name, const skv_h5_layout *layout,
                                 hid_t create);

/* New dataspace of the layout, < 0 on failure. */
hid_t skv_h5__space(const skv_h5_layout *layout);

#endif
