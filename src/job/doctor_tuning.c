#include "job/doctor_tuning.h"

#include <stdlib.h>

#include "core/text.h"
#include "sample/tune_cache.h"

void skv_doctor_tuning(skv_findings *f, const skv_host_facts *rank)
{
    char *folder = NULL;
    int n;

    if (!rank->gpu[0] || skv_tune_cache_folder(&folder, rank->device) != SKV_OK)
        return;
    n = folder ? skv_tune_cache_count(folder) : 0;
    if (!folder)
        skv_findings_trap(f, "tuning", "set SKV_CACHE to a folder that runs share",
                          "every run measures algorithms anew: none of SKV_CACHE, XDG_CACHE_HOME "
                          "and HOME is set");
    else if (n > 0)
        skv_findings_fact(f, "tuning", "algorithms for this GPU are known from %d file%s in %s", n,
                          skv_s(n), folder);
    else
        skv_findings_fact(f, "tuning",
                          "no algorithms are known for this GPU yet: the first run measures them, "
                          "in half a minute, and keeps them in %s",
                          folder);
    free(folder);
}
