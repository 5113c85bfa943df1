/* The growing list of a checkpoint's tensors, filled by the readers of each container. */
#ifndef SKV_IO_ENTRIES_H
#define SKV_IO_ENTRIES_H

#include "io/checkpoint.h"

/* A name under which something stands that is no tensor: "an object of numpy.ndarray". */
typedef struct {
    char *name, *what;
} skv_other_entry;

typedef struct {
    skv_entry *entry; /* names are owned */
    size_t n;
    skv_other_entry *other;
    size_t n_other;
    size_t name_bytes; /* of all names together */
} skv_entries;

/* *out = the product of the extents; false: it, or a product on the way to it, overflows int64_t.
 */
bool skv_entries_numel(size_t *out, int ndim, const int64_t *shape);

/* Copies *e and its name. */
SKV_MUST skv_status skv_entries_add(skv_entries *list, const skv_entry *e, const char *path);
SKV_MUST skv_status skv_entries_add_other(skv_entries *list, const char *name, const char *what,
                                          const char *path);
void skv_entries_clear(skv_entries *list);

#endif
