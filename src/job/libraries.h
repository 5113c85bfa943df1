/* The foreign libraries of all rooms. */
#ifndef SKV_JOB_LIBRARIES_H
#define SKV_JOB_LIBRARIES_H

#include <jansson.h>

#include "core/build.h"

#define SKV_ALL_LIBRARIES (4 * SKV_MAX_LIBRARIES)

int skv_all_libraries(skv_library *out); /* room for SKV_ALL_LIBRARIES; how many */

/* New references, NULL: no memory. {"HDF5": {"built": "1.10.7", "running": "1.10.8"}, ...}, and
 * {"HDF5": "1.10.8", ...}: of what runs, or where a library does not say, of what was built. */
json_t *skv_libraries_json(void);
json_t *skv_libraries_running(void);

#endif
