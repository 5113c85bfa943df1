/* How far a run is, by the names of its group files alone. */
#ifndef SKV_RUN_GROUP_COUNT_H
#define SKV_RUN_GROUP_COUNT_H

#include <stdbool.h>
#include <stdint.h>

/* Group files below RUN/groups/<path>. Stops at `until` (skv_seconds) and then sets *cut: there are
 * at least as many. What cannot be listed counts 0. */
int64_t skv_group_count(const char *run, const char *path, double until, bool *cut);

#endif
