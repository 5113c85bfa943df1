#include "job/todo_list.h"

#include <stdlib.h>

#include "core/mem.h"
#include "mpi/partition.h"

skv_status skv_todo_list_init(skv_todo_list *l, int64_t n_groups, int n_paths)
{
    const size_t n = (size_t)n_groups;

    *l = (skv_todo_list){.n_groups = n_groups, .n_paths = n_paths};
    SKV_TRY(skv_alloc(&l->work, n, (size_t)n_paths, "work list"));
    SKV_TRY(skv_alloc(&l->group, n, sizeof *l->group, "work list"));
    return skv_alloc(&l->cost, n, sizeof *l->cost, "work list");
}

void skv_todo_list_clear(skv_todo_list *l)
{
    free(l->work);
    free(l->group);
    free(l->cost);
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
}

void skv_todo_list_share(const skv_todo_list *l, int rank, int size, int64_t *first, int64_t *count)
{
    skv_partition(first, count, l->cost, l->n, rank, size);
}

int skv_todo_list_first_rank(const skv_todo_list *l, int size)
{
    for (int rank = 0; rank < size; rank++) {
        int64_t first, count;

        skv_todo_list_share(l, rank, size, &first, &count);
        if (count > 0)
            return rank;
    }
    return -1;
}
