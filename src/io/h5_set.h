/* An open dataset, checked: a file may be hostile. */
#ifndef SKV_IO_H5_SET_H
#define SKV_IO_H5_SET_H

#include "io/h5_handle.h"

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

/* layout against what is wanted, see skv_h5_expect. */
SKV_MUST skv_status skv_h5__compare(const skv_h5 *f, const char *name, skv_h5_layout *want,
                                    const skv_h5_layout *has);

/* Selects rows [first, first+n) in s->space; *memory is a new dense space of that shape. */
SKV_MUST skv_status skv_h5__select_rows(hid_t *memory, const skv_h5__set *s, const skv_h5 *f,
                                        const char *name, int64_t first, int64_t n);

/* skv_h5_read of an open dataset. */
SKV_MUST skv_status skv_h5__read_set(void *out, skv_h5 *f, const char *name, const skv_h5__set *s,
                                     skv_h5_layout *want, size_t max_bytes, bool need_crc);

#endif
