#include "mpi/spread_plan.h"

/* The first taker of rank r's host, -1: none. */
static int first_of_host(const skv_spread_rank *rank, int n, int r)
{
    for (int i = 0; i < n; i++)
        if (rank[i].takes && rank[i].host == rank[r].host)
            return i;
    return -1;
}

/* Whether a taker before rank r has its GPU, or another part of it: NCCL would refuse them, or
 * hang. */
static bool shares_gpu(const skv_spread_rank *rank, int r)
{
    for (int i = 0; i < r; i++)
        if (rank[i].takes && (rank[i].gpu == rank[r].gpu || rank[i].slot == rank[r].slot))
            return true;
    return false;
}

skv_spread_plan skv_spread__plan(const skv_spread_rank *rank, int n, int me)
{
    skv_spread_plan p = {.first = -1, .number = -1, .by_nccl = true};

    for (int r = 0; r < n; r++) {
        if (!rank[r].takes)
            continue;
        if (p.first < 0)
            p.first = r;
        if (r == me)
            p.number = p.n_takers;
        p.n_takers++;
        if (first_of_host(rank, n, r) == r)
            p.n_hosts++;
        else
            p.neighbours = true;
        if (rank[r].gpu == 0 || shares_gpu(rank, r))
            p.by_nccl = false;
    }
    p.host_first = first_of_host(rank, n, me);
    p.by_nccl = p.by_nccl && p.n_takers > 1;
    return p;
}
