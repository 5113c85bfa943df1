/* What every part of the HDF5 files stands on: the handle, the library's reason in our message, and
 * our types as the library's. */
#ifndef SKV_IO_H5_HANDLE_H
#define SKV_IO_H5_HANDLE_H

#include <hdf5.h>
#include <sys/stat.h>

#include "core/aside.h"
#include "io/h5_types.h"

/* What a dataset was given to hold. */
typedef struct {
    char *name;
    skv_h5_type type;
    int64_t rows, used; /* used: so far; rows of a virtual dataset: those with a source */
    size_t row_bytes;   /* in memory */
    uint32_t crc;       /* of the entries, or of a virtual dataset's list of sources */
    bool is_virtual;
} skv_h5__given;

/* A text that an attribute was given; the last one where it was given several. */
typedef struct {
    char *object, *key;
    uint32_t crc; /* of the text and its NUL */
} skv_h5__given_text;

struct skv_h5 {
    hid_t file;      /* < 0: closed */
    char *path;      /* its final name */
    char *aside;     /* its temporary name; NULL when reading */
    skv_aside made;  /* the file of that name */
    struct stat new; /* of it, when it was made */
    int n_below;     /* of its name, see core/folder.h */
    char *label;     /* of a file in memory, written at once when sealed; NULL: on disk */
    bool failed;     /* a write or the closing failed: never gets its name */
    uint64_t length; /* bytes on disk, when reading */
    hid_t object;    /* whose attributes were read last, still open; < 0: none */
    char *object_name;
    skv_h5__given *given; /* when writing */
    size_t n_given;
    skv_h5__given_text *text; /* when writing a file on disk: one in memory is written at once */
    size_t n_texts;
};

/* New handle of a closed file, for reading. */
SKV_MUST skv_status skv_h5__new(skv_h5 **out, const char *path);

/* SKV_E_H5, SKV_E_MEM where the library had no memory, SKV_E_IO where it may not open a file, with
 * "<path>: <message>: <the library's reason>". */
#define skv_h5__fail(f, ...) skv_h5__fail_at((f), __FILE__, __LINE__, __VA_ARGS__)
skv_status skv_h5__fail_at(const skv_h5 *f, const char *file, int line, const char *fmt, ...)
    SKV_PRINTF(4, 5);

/* Closes an object of any kind, -1: nothing. `st`, or why closing failed: what was written may
 * still lie in the library's buffers until then. */
SKV_MUST skv_status skv_h5__close(const skv_h5 *f, hid_t id, skv_status st);

/* The object of the handle's own, if there is one (skv_h5__open_object). */
SKV_MUST skv_status skv_h5__close_object(skv_h5 *f, skv_status st);

/* Remembers what `name` is to hold; a name is given once. */
SKV_MUST skv_status skv_h5__remember(skv_h5 *f, const char *name, const skv_h5__given *given);

/* Remembers what the attribute is to hold. */
SKV_MUST skv_status skv_h5__remember_text(skv_h5 *f, const char *object, const char *key,
                                          const char *text);

/* The library opens by name. This is the name of an open file, which was found without following
 * links inside a run; no other file can take its place meanwhile. */
#define SKV_H5__FD_NAME 48
void skv_h5__name_of_fd(char *out, int fd);

/* The library's type in memory; not for texts. */
hid_t skv_h5__memory_type(skv_h5_type type);

/* New text type; bytes 0: variable length. < 0 on failure. */
hid_t skv_h5__text_type(size_t bytes);

/* *out = bytes of a text of that type in the file, its NUL included; 0: variable length. */
SKV_MUST skv_status skv_h5__text_bytes(size_t *out, const skv_h5 *f, const char *name, hid_t type);

/* New dataspace of the layout, < 0 on failure. */
hid_t skv_h5__space(const skv_h5_layout *layout);

/* *out = bytes of `rows` entries of the first axis (texts: of pointers). */
SKV_MUST skv_status skv_h5__row_bytes(size_t *out, const skv_h5_layout *layout, int64_t rows);

/* CRC-32 of any length; of n entries as they are in memory, of texts with their NULs. */
uint32_t skv_h5__crc(uint32_t crc, const void *data, size_t bytes);
uint32_t skv_h5__crc_of(uint32_t crc, skv_h5_type type, const void *data, size_t bytes);

#endif
