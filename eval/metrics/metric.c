#include "eval/metrics/metric.h"

#include <string.h>

const skv_metric *skv_metric_find(const char *name)
{
    for (const skv_metric *const *m = skv_metrics; *m; m++)
        if (strcmp((*m)->name, name) == 0)
            return *m;
    return NULL;
}

bool skv_metric_has_reference(const skv_metric *m)
{
    return m->needs != SKV_NEEDS_AGAINST;
}

const char *skv_better_word(skv_better better)
{
    static const char *const words[] = {"none", "higher", "lower"};

    return words[better];
}

const char *skv_metric_kind_word(skv_metric_kind kind)
{
    static const char *const words[] = {"picture", "scale", "set"};

    return words[kind];
}
