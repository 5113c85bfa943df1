#include "cache/policy.h"

#include <math.h>
#include <string.h>

#define RELEASED_HISTORY 6425 /* tokens that the released budgets are counted in: square, 1M */
#define MAX_POLICIES     64

skv_status skv_policy_find(const skv_policy **out, const char *name)
{
    const char *names[MAX_POLICIES + 1] = {NULL};
    const char *nearest;

    for (int i = 0; i < MAX_POLICIES && skv_policies[i]; i++) {
        names[i] = skv_policies[i]->name;
        if (strcmp(names[i], name) == 0) {
            *out = skv_policies[i];
            return SKV_OK;
        }
    }
    nearest = skv_nearest(name, names);
    return skv_fail(SKV_E_NOTFOUND, "cache policy %s is not known%s%s%s", name,
                    nearest ? ", did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
}

int skv_policy_base(double percent, const skv_schedule *schedule)
{
    double released = percent == 4 ? 265 : 65 * percent;
    double base = floor(released * skv_schedule_history(schedule) / RELEASED_HISTORY + 0.5);

    if (!(base >= 1))
        return 1;
    return base < SKV_KEEP_ALL ? (int)base : SKV_KEEP_ALL;
}
