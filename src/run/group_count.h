/* How far a run is, by the names of its group files alone. */
#ifndef SKV_RUN_GROUP_COUNT_H
#define SKV_RUN_GROUP_COUNT_H

#include <stdbool.h>
#include <stdint.h>

/* Group files below RUN/groups/<path>. Sets *cut where there may be more: when it is stopped at
 * `until` (skv_seconds), or meets a folder that cannot be listed. */
int64_t skv_group_count(const char *run, const char *path, double until, bool *cut);

#endif
