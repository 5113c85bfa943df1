#include "job/pace.h"

#include <stdlib.h>
#include <string.h>

/* Deliberately slow: a shared file system, one process. */
#define GATHER_BYTES_A_SECOND 2e8
#define GATHER_FILE_SECONDS   0.01
#define MARGIN                1.25

void skv_pace_start(skv_pace *p, double max_hours, int64_t n_files, int64_t bytes)
{
    *p = (skv_pace){.limit = 3600 * max_hours};
    p->gather = (double)n_files * GATHER_FILE_SECONDS + (double)bytes / GATHER_BYTES_A_SECOND;
    if (p->gather > p->limit / 4)
        p->gather = p->limit / 4;
}

void skv_pace_add(skv_pace *p, double seconds)
{
    p->seconds[p->n++ % SKV_PACE_GROUPS] = seconds;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(const skv_pace *p)
{
    const size_t n = p->n < SKV_PACE_GROUPS ? (size_t)p->n : SKV_PACE_GROUPS;
    double sorted[SKV_PACE_GROUPS];

    if (n == 0)
        return 0;
    memcpy(sorted, p->seconds, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, ascending);
    return sorted[n / 2];
}

bool skv_pace_allows(const skv_pace *p, double now)
{
    return p->limit <= 0 || now + MARGIN * median(p) + p->gather <= p->limit;
}
