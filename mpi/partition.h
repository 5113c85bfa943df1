/* Which groups a rank begins with: pure arithmetic on the list of groups that have work left.
 *
 * What a picture is depends on its group and never on its rank, so any cut is correct; this one is
 * balanced and the same on every rank that is given the same list. The list must therefore come
 * from one rank (rank 0 looks at the run's folder and broadcasts what it saw). */
#ifndef SKV_MPI_PARTITION_H
#define SKV_MPI_PARTITION_H

#include <stdint.h>

/* Of a list of n missing groups, rank r (of `size`) begins with those at places
 * first[r] .. first[r+1] - 1 (first: size + 1 numbers). `cost[k]` (>= 1, the sum below 2^40) is
 * what group k of the list costs, e.g. its number of missing paths; NULL when all cost the same.
 * Each place belongs to exactly one rank and the spans ascend with the rank. Equal costs: counts
 * differ by at most one. Otherwise a rank's cost differs from the mean by at most one group's cost.
 */
void skv_partition(int64_t *first, const int32_t *cost, int64_t n, int size);

#endif
