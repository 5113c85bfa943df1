/* The foreign libraries of all rooms. */
#ifndef SKV_CLI_LIBRARIES_H
#define SKV_CLI_LIBRARIES_H

#include <jansson.h>

#include "core/build.h"

#define SKV_ALL_LIBRARIES (4 * SKV_MAX_LIBRARIES)

int skv_all_libraries(skv_library *out); /* room for SKV_ALL_LIBRARIES; how many */

/* {"HDF5": {"built": "1.10.8", "running": "1.10.8"}, ...}; NULL: no memory. */
json_t *skv_libraries_json(void);

#endif
