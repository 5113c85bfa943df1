#include "core/cache_folder.h"

#include <stdlib.h>

#include "core/folder.h"
#include "core/text.h"

skv_status skv_cache_folder(char **out)
{
    const char *own = getenv("SKV_CACHE"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    *out = NULL;
    if (own && own[0])
        return skv_text_copy(out, own);
    if (xdg && xdg[0])
        return skv_path_join(out, xdg, "skv");
    if (home && home[0])
        return skv_path_join(out, home, ".cache/skv");
    return SKV_OK;
}
