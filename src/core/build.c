#include "core/build.h"

const char *skv_build(void)
{
    return SKV_BUILD; /* from CMakeLists.txt */
}
