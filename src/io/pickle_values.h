/* What a pickle is made of: its values, and tensors among them. */
#ifndef SKV_IO_PICKLE_VALUES_H
#define SKV_IO_PICKLE_VALUES_H

#include <stddef.h>
#include <stdint.h>

#define SKV_PICKLE_DIMS 8

typedef enum {
    SKV_PICKLE_NONE,
    SKV_PICKLE_BOOL,
    SKV_PICKLE_INT,
    SKV_PICKLE_REAL, /* value not kept; nor is that of an integer of more than 8 bytes */
    SKV_PICKLE_TEXT,
    SKV_PICKLE_TUPLE, /* item[0..n) */
    SKV_PICKLE_LIST,  /* item[0..n) */
    SKV_PICKLE_DICT,  /* item[2i] key, item[2i+1] value; n counts both */
    SKV_PICKLE_NAME,  /* of a class or function */
    SKV_PICKLE_STORAGE,
    SKV_PICKLE_TENSOR,
    SKV_PICKLE_OPAQUE /* what some other name made, and bytes and sets: its state alone is kept */
} skv_pickle_type;

typedef struct skv_pickle_value skv_pickle_value;

/* A piece of one storage. */
typedef struct {
    const skv_pickle_value *storage;
    const skv_pickle_value *type; /* TEXT "float32"; NULL: that of the storage */
    int64_t offset;               /* elements */
    int ndim;
    int64_t shape[SKV_PICKLE_DIMS], stride[SKV_PICKLE_DIMS];
} skv_pickle_tensor;

struct skv_pickle_value {
    skv_pickle_type type;
    int64_t integer;  /* INT, BOOL; STORAGE: number of elements */
    const char *text; /* TEXT; NAME, OPAQUE: the module of its name; STORAGE: its type's name; in
                         the file's bytes or a constant, not NUL-terminated */
    size_t bytes;     /* of text */
    skv_pickle_value **item;
    size_t n;
    const skv_pickle_value *key;  /* TEXT. STORAGE: its key; NAME, OPAQUE: the name in its module */
    const skv_pickle_value *view; /* STORAGE: a view into it, or NULL */
    const skv_pickle_value *state; /* OPAQUE: the DICT of an object's members, or NULL */
    skv_pickle_tensor *tensor;
};

#endif
