/* Attributes of an object ("/" = the file), which must exist. Integers are I64 or U64, reals F64,
 * texts UTF-8: of variable length where we write them, which h5py gives as str (of fixed length it
 * gives bytes); both are read. */
#ifndef SKV_IO_H5_ATTR_H
#define SKV_IO_H5_ATTR_H

#include "io/h5_handle.h"

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

/* An integer of an open object. `name`: the object's, for messages. */
SKV_MUST skv_status skv_h5__int_of(int64_t *out, const skv_h5 *f, hid_t object, const char *name,
                                   const char *key);

/* Reads an attribute of an open object as far as the functions above would; other types are passed
 * over. */
SKV_MUST skv_status skv_h5__try_attribute(skv_h5 *f, hid_t object, const char *name,
                                          const char *key);

#endif
