/* Where the time goes, operation by operation: every call is timed alone, the device drained after
 * it, so what would overlap counts in full and the sum exceeds an undisturbed run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench_report.h"
#include "kernels/ops.h"

#define BEFORE (SKV_MARKS - 2)
#define AFTER  (SKV_MARKS - 1)

enum {
#define X(op) OP_##op,
    SKV_OPS(X)
#undef X
        N_OPS
};

typedef struct {
    const char *name;
    int64_t calls;
    double seconds;
} entry;

/* First member: what be->ops points to while the profile runs. */
typedef struct {
    skv_ops ops;
    const skv_ops *all;
    entry entries[N_OPS];
} profile;

static profile *profile_of(const skv_backend *be)
{
    return (profile *)(uintptr_t)be->ops;
}

static skv_status note(skv_backend *be, int op)
{
    entry *e = &profile_of(be)->entries[op];
    double seconds = 0;

    SKV_TRY(skv_backend_mark(be, AFTER));
    SKV_TRY(skv_backend_elapsed(be, BEFORE, AFTER, &seconds));
    e->calls++;
    e->seconds += seconds;
    return SKV_OK;
}

#define X(op)                                                                                      \
    static skv_status timed_##op(skv_backend *be, const skv_##op##_args *a)                        \
    {                                                                                              \
        SKV_TRY(skv_backend_mark(be, BEFORE));                                                     \
        SKV_TRY(profile_of(be)->all->op(be, a));                                                   \
        return note(be, OP_##op);                                                                  \
    }
SKV_OPS(X)
#undef X

static int by_seconds(const void *a, const void *b)
{
    const double x = ((const entry *)a)->seconds, y = ((const entry *)b)->seconds;

    return (x < y) - (x > y);
}

static json_t *print(entry *entries)
{
    json_t *rows = json_array();
    double total = 0;

    for (int i = 0; i < N_OPS; i++)
        total += entries[i].seconds;
    qsort(entries, N_OPS, sizeof *entries, by_seconds);
    printf("operations, each timed alone\n%-18s %8s %10s %8s\n%-18s %8s %10s %8s\n", "operation",
           "calls", "time", "share", "", "", "s", "%");
    for (int i = 0; i < N_OPS && entries[i].calls > 0; i++) {
        const entry *e = &entries[i];

        printf("%-18s %8lld %10.4f %8.2f\n", e->name, (long long)e->calls, e->seconds,
               100 * e->seconds / total);
        json_array_append_new(rows, json_pack("{s:s, s:I, s:f}", "operation", e->name, "calls",
                                              (json_int_t)e->calls, "seconds", e->seconds));
    }
    return rows;
}

skv_status skv_bench_profile(json_t **out, const skv_bench *b)
{
    profile p = {.all = b->be->ops,
                 .entries = {
#define X(op) {.name = #op},
                     SKV_OPS(X)
#undef X
                 }};
    skv_bench_group g = {0};
    skv_status st;

    p.ops = *p.all;
#define X(op) p.ops.op = timed_##op;
    SKV_OPS(X)
#undef X
    b->be->ops = &p.ops;
    st = skv_bench_run(&g, b);
    b->be->ops = p.all;
    SKV_TRY(st);
    *out = print(p.entries);
    return SKV_OK;
}
