#include "job/todo_list.h"

#include <stdlib.h>

#include "core/mem.h"
#include "mpi/partition.h"

skv_status skv_todo_list_init(skv_todo_list *l, int64_t n_groups, int n_paths, int size)
{
    const size_t n = (size_t)n_groups;

    *l = (skv_todo_list){.n_groups = n_groups, .n_paths = n_paths, .size = size};
    SKV_TRY(skv_alloc(&l->work, n, (size_t)n_paths, "work list"));
    SKV_TRY(skv_alloc(&l->group, n, sizeof *l->group, "work list"));
    SKV_TRY(skv_alloc(&l->share, (size_t)size + 1, sizeof *l->share, "work list"));
    return skv_alloc(&l->cost, n, sizeof *l->cost, "work list");
}

void skv_todo_list_clear(skv_todo_list *l)
{
    free(l->work);
    free(l->group);
    free(l->cost);
    free(l->share);
    *l = (skv_todo_list){0};
}

size_t skv_todo_list_bytes(const skv_todo_list *l)
{
    return (size_t)l->n_groups * (size_t)l->n_paths;
}

void skv_todo_list_count(skv_todo_list *l)
{
    l->n = 0;
    for (int64_t g = 0; g < l->n_groups; g++) {
        int32_t cost = 0;

        for (int i = 0; i < l->n_paths; i++)
            cost += l->work[g * l->n_paths + i] != 0;
        if (cost == 0)
            continue;
        l->cost[l->n] = cost;
        l->group[l->n++] = g;
    }
    skv_partition(l->share, l->cost, l->n, l->size);
}

int skv_todo_list_first_rank(const skv_todo_list *l)
{
    for (int rank = 0; rank < l->size; rank++)
        if (l->share[rank + 1] > l->share[rank])
            return rank;
    return -1;
}
