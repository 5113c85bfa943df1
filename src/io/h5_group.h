/* Groups, their members, and the links that lead there. */
#ifndef SKV_IO_H5_GROUP_H
#define SKV_IO_H5_GROUP_H

#include <stdbool.h>

#include "io/h5_handle.h"

/* Makes an empty group. */
SKV_MUST skv_status skv_h5_make_group(skv_h5 *f, const char *name);

/* *out = whether there is a dataset of this name. Anything else of this name is an error. */
SKV_MUST skv_status skv_h5_has(bool *out, skv_h5 *f, const char *name);

/* Names of the members of a group, sorted by bytes; one block (free()). */
SKV_MUST skv_status skv_h5_list(char ***out, int *n, skv_h5 *f, const char *group);

/* *id: an object, whose attributes are to be read, opened after its links were checked. It is the
 * handle's: open until the next one is or skv_h5__close_object. */
SKV_MUST skv_status skv_h5__open_object(hid_t *id, skv_h5 *f, const char *name);

/* Refuses links other than hard ones on the way to `name`. SKV_E_NOTFOUND when absent. */
SKV_MUST skv_status skv_h5__check_links(skv_h5 *f, const char *name);

#endif
