/* How far a run is, by the names of its group files alone. */
#ifndef SKV_RUN_GROUP_COUNT_H
#define SKV_RUN_GROUP_COUNT_H

#include <stdbool.h>
#include <stdint.h>

/* Times of last change, seconds since 1970. */
typedef struct {
    double recent;       /* in: later ones are */
    int64_t n, n_recent; /* files */
    double newest, oldest_recent;
} skv_group_times;

typedef struct {
    double until;           /* skv_seconds at which it is given up; 0: never */
    skv_group_times *times; /* NULL; or is added to: then each file is looked at */
} skv_group_counting;

/* Group files below RUN/groups/<path>. Sets *cut where there may be more: when it is given up, or
 * meets a folder that cannot be listed. */
int64_t skv_group_count(const char *run, const char *path, const skv_group_counting *how,
                        bool *cut);

#endif
