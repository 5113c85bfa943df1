#include "job/tuning_leaders.h"

void skv_tuning_leaders(int32_t *leader, const int64_t *kind, const int64_t *share, int n)
{
    for (int r = 0; r < n; r++) {
        leader[r] = -1;
        for (int other = 0; other < n && leader[r] < 0; other++)
            if (share[other + 1] > share[other] && kind[other] == kind[r])
                leader[r] = other;
    }
}
