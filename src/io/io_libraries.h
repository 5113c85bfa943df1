/* Versions of the libraries that read and write files. */
#ifndef SKV_IO_IO_LIBRARIES_H
#define SKV_IO_IO_LIBRARIES_H

#include "core/build.h"

int skv_io_libraries(skv_library *out); /* as skv_core_libraries */

#endif
