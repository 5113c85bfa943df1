/* Group k belongs to the rank whose equal share of the total cost holds the middle of group k, when
 * the groups are laid end to end: spans, without a search and without rounding. */
#include "mpi/partition.h"

#include <assert.h>

void skv_partition(int64_t *first, const int32_t *cost, int64_t n, int size)
{
    int64_t total = 0, before = 0;
    int rank = 0;

    assert(n >= 0 && size >= 1 && size < 1 << 20);
    for (int64_t k = 0; k < n; k++) {
        assert(!cost || cost[k] >= 1);
        total += cost ? cost[k] : 1;
    }
    assert(total < (int64_t)1 << 40); /* so that 2 · total · size fits int64_t */
    first[0] = 0;
    for (int64_t k = 0; k < n; k++) {
        const int64_t c = cost ? cost[k] : 1;
        const int64_t owner = (2 * before + c) * size / (2 * total);

        while (rank < owner)
            first[++rank] = k;
        before += c;
    }
    while (rank < size)
        first[++rank] = n;
}
