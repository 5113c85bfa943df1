#include "core/build.h"

#include <jansson.h>
#include <stdio.h>

const char *skv_build(void)
{
    return SKV_BUILD; /* from CMakeLists.txt */
}

skv_library skv_library_of(const char *name, const char *built, const char *running)
{
    skv_library l = {.name = name};

    snprintf(l.built, sizeof l.built, "%s", built);
    snprintf(l.running, sizeof l.running, "%s", running);
    return l;
}

int skv_core_libraries(skv_library *out)
{
    out[0] = skv_library_of("jansson", JANSSON_VERSION, jansson_version_str());
    return 1;
}
