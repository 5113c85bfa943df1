/* Which rank chooses algorithms for which. Pure. */
#ifndef SKV_JOB_TUNING_LEADERS_H
#define SKV_JOB_TUNING_LEADERS_H

#include <stdint.h>

/* leader[r], of n ranks: the first rank of r's kind of device that has work, -1: there is none.
 * share: skv_todo_list's. */
void skv_tuning_leaders(int32_t *leader, const int64_t *kind, const int64_t *share, int n);

#endif
