/* The time of each operation, between marks (events) of the backend's one stream. Marks are read
 * some calls later, so that the device always has work queued and the host's part of a launch
 * counts only where the device waits for it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench_report.h"
#include "core/json.h"
#include "kernels/ops.h"

#define FIRST_MARK (SKV_MAX_SCALES + 1) /* those before are the pass's own */
#define PENDING    (SKV_MARKS - FIRST_MARK - 1)

enum {
#define X(op) OP_##op,
    SKV_OPS(X)
#undef X
        N_OPS
};

#define MAX_ENTRIES 512 /* operations and the shapes of the heavy ones */

typedef struct {
    char name[64];
    int64_t calls, flops;
    double seconds;
} entry;

/* First member: what be->ops points to while the profile runs. */
typedef struct {
    skv_ops ops;
    const skv_ops *all;
    entry entries[MAX_ENTRIES];
    int n;
    int64_t flops;        /* counted before the call at hand */
    int pending[PENDING]; /* entries of the calls between mark FIRST_MARK + i and the next */
    int n_pending;
} profile;

static profile *profile_of(const skv_backend *be)
{
    return (profile *)(uintptr_t)be->ops;
}

static const char *op_name(int op)
{
    static const char *const names[] = {
#define X(op) #op,
        SKV_OPS(X)
#undef X
    };

    return names[op];
}

/* "linear 65536x2048x2048": rows, outputs, inputs; "attention 4096 over 4561"; by name otherwise.
 */
static void label(char *out, size_t bytes, int op, const void *args)
{
    const skv_linear_args *l = args;
    const skv_attention_args *a = args;
    const skv_absorbed_attention_args *x = args;
    const skv_cross_attention_args *t = args;
    const skv_conv3x3_args *c = args;

    if (op == OP_linear || op == OP_linear_gelu)
        snprintf(out, bytes, "%s %lldx%lldx%lld", op_name(op),
                 (long long)(skv_tensor_count(&l->x) / l->w.shape[1]), (long long)l->w.shape[0],
                 (long long)l->w.shape[1]);
    else if (op == OP_attention)
        snprintf(out, bytes, "%s %lld over %d", op_name(op), (long long)a->q.shape[1],
                 (int)a->len[0]);
    else if (op == OP_absorbed_attention)
        snprintf(out, bytes, "%s %lld", op_name(op), (long long)x->x.shape[1]);
    else if (op == OP_cross_attention)
        snprintf(out, bytes, "%s %lld", op_name(op), (long long)t->q.shape[1]);
    else if (op == OP_conv3x3)
        snprintf(out, bytes, "%s %lldx%lld, %lld to %lld", op_name(op), (long long)c->x.shape[1],
                 (long long)c->x.shape[2], (long long)c->x.shape[3], (long long)c->y.shape[3]);
    else
        snprintf(out, bytes, "%s", op_name(op));
}

/* Adds the pending calls' times to their entries. */
static skv_status settle(skv_backend *be, profile *p)
{
    for (int i = 0; i < p->n_pending; i++) {
        double seconds = 0;

        SKV_TRY(skv_backend_elapsed(be, FIRST_MARK + i, FIRST_MARK + i + 1, &seconds));
        p->entries[p->pending[i]].seconds += seconds;
    }
    p->n_pending = 0;
    return SKV_OK;
}

static skv_status begin(skv_backend *be)
{
    profile *p = profile_of(be);

    p->flops = be->flops;
    return p->n_pending == 0 ? skv_backend_mark(be, FIRST_MARK) : SKV_OK;
}

static skv_status note(skv_backend *be, int op, const void *args)
{
    profile *p = profile_of(be);
    char name[sizeof p->entries->name];
    int i = 0;

    SKV_TRY(skv_backend_mark(be, FIRST_MARK + p->n_pending + 1));
    label(name, sizeof name, op, args);
    while (i < p->n && strcmp(p->entries[i].name, name) != 0)
        i++;
    if (i == MAX_ENTRIES)
        return skv_fail(SKV_E_UNSUPPORTED, "bench --profile: more than %d shapes", MAX_ENTRIES);
    if (i == p->n)
        memcpy(p->entries[p->n++].name, name, sizeof name);
    p->entries[i].calls++;
    p->entries[i].flops += be->flops - p->flops;
    p->pending[p->n_pending++] = i;
    return p->n_pending == PENDING ? settle(be, p) : SKV_OK;
}

#define X(op)                                                                                      \
    static skv_status timed_##op(skv_backend *be, const skv_##op##_args *a)                        \
    {                                                                                              \
        SKV_TRY(begin(be));                                                                        \
        SKV_TRY(profile_of(be)->all->op(be, a));                                                   \
        return note(be, OP_##op, a);                                                               \
    }
SKV_OPS(X)
#undef X

static int by_seconds(const void *a, const void *b)
{
    const double x = ((const entry *)a)->seconds, y = ((const entry *)b)->seconds;

    return (x < y) - (x > y);
}

/* Work is 0 where an operation counts none. */
static void print_entry(skv_json_maker *rows, const entry *e, double total)
{
    printf("%-36s %8lld %10.4f %8.2f %10.1f\n", e->name, (long long)e->calls, e->seconds,
           100 * e->seconds / total, 1e-9 * (double)e->flops / e->seconds);
    skv_json_append(rows, json_pack("{s:s, s:I, s:f, s:f}", "operation", e->name, "calls",
                                    (json_int_t)e->calls, "seconds", e->seconds, "gflop",
                                    1e-9 * (double)e->flops));
}

static json_t *print(profile *p)
{
    skv_json_maker rows = skv_json_array();
    double total = 0;

    for (int i = 0; i < p->n; i++)
        total += p->entries[i].seconds;
    qsort(p->entries, (size_t)p->n, sizeof *p->entries, by_seconds);
    printf("operations, from mark to mark\n%-36s %8s %10s %8s %10s\n%-36s %8s %10s %8s %10s\n",
           "operation", "calls", "time", "share", "rate", "", "", "s", "%", "GFLOP/s");
    for (int i = 0; i < p->n; i++)
        print_entry(&rows, &p->entries[i], total);
    return skv_json_take(&rows);
}

skv_status skv_bench_profile(json_t **out, const skv_bench *b)
{
    profile p = {.all = b->be->ops};
    skv_bench_group g = {0};
    skv_status st;

    p.ops = *p.all;
#define X(op) p.ops.op = timed_##op;
    SKV_OPS(X)
#undef X
    p.ops.capture = NULL; /* a captured operation has no time of its own */
    b->be->ops = &p.ops;
    st = skv_bench_run(&g, b);
    b->be->ops = p.all;
    SKV_TRY(st);
    SKV_TRY(settle(b->be, &p));
    *out = print(&p);
    return *out ? SKV_OK : skv_fail(SKV_E_MEM, "bench: out of memory");
}
