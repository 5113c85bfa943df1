/* Where this user's runs keep what they share: $SKV_CACHE, else $XDG_CACHE_HOME/skv, else
 * ~/.cache/skv. Whatever lies there can be made again. */
#ifndef SKV_CORE_CACHE_FOLDER_H
#define SKV_CORE_CACHE_FOLDER_H

#include "core/status.h"

/* *out: the folder (free()), whether it is there or not; NULL: the environment names none. */
SKV_MUST skv_status skv_cache_folder(char **out);

#endif
