/* The CPU backend: fp32 everywhere, host memory, a pool of threads that sleeps between operations.
 */
#include "kernels/cpu/address_space.h"
#include "kernels/cpu/cpu_internal.h"

#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/mem.h"
#include "core/parallel.h"

typedef struct {
    skv_pool *threads;
    char *scratch; /* SKV_CPU_SCRATCH for each thread, the caller's first, and a shared one */
    int n_threads; /* with the caller's */
    double mark[SKV_MARKS];
    char description[128];
} cpu;

/* ------------------------------------------------------------------- threads */

/* An operation's loop over tiles. */
typedef struct {
    void (*fn)(void *ctx, int64_t i, void *scratch);
    void *ctx;
    char *scratch;
} loop;

static void take_tile(void *ctx, int64_t i, int thread)
{
    const loop *l = ctx;

    l->fn(l->ctx, i, l->scratch + (size_t)thread * SKV_CPU_SCRATCH);
}

void skv_cpu__parallel(skv_backend *be, int64_t n, void (*fn)(void *ctx, int64_t i, void *scratch),
                       void *ctx)
{
    cpu *c = be->impl;
    loop l = {fn, ctx, c->scratch};

    skv_pool_run(c->threads, n, take_tile, &l);
}

void *skv_cpu__shared(skv_backend *be)
{
    cpu *c = be->impl;

    return c->scratch + (size_t)c->n_threads * SKV_CPU_SCRATCH;
}

/* -------------------------------------------------------------------- memory */

static skv_status cpu_alloc(skv_backend *be, void *out, size_t bytes, const char *what)
{
    void *p = NULL;

    if (posix_memalign(&p, SKV_ALIGN, bytes ? skv_align_up(bytes) : SKV_ALIGN) != 0)
        return skv_fail(SKV_E_MEM, "%s: out of memory for %zu bytes", what, bytes);
    memset(p, 0, bytes);
    be->n_allocs++;
    memcpy(out, &p, sizeof p);
    return SKV_OK;
}

static void cpu_free(skv_backend *be, void *p)
{
    (void)be;
    free(p);
}

static skv_status cpu_move(skv_backend *be, void *dst, const void *src, size_t bytes)
{
    (void)be;
    if (bytes > 0)
        memcpy(dst, src, bytes);
    return SKV_OK;
}

static skv_status cpu_sync(skv_backend *be)
{
    (void)be;
    return SKV_OK;
}

static skv_status cpu_mark(skv_backend *be, int mark)
{
    ((cpu *)be->impl)->mark[mark] = skv_seconds();
    return SKV_OK;
}

static skv_status cpu_elapsed(skv_backend *be, int from, int to, double *seconds)
{
    const cpu *c = be->impl;

    *seconds = c->mark[to] - c->mark[from];
    return SKV_OK;
}

/* Bytes left of a limited address space; SIZE_MAX: it is not limited. */
static size_t address_space(size_t *limit, int n_threads)
{
    size_t used;

    skv_address_space_read(limit, &used);
    return skv_address_space_left(*limit, used, (int)sysconf(_SC_NPROCESSORS_ONLN), n_threads);
}

static skv_status cpu_memory(skv_backend *be, size_t *free_bytes, size_t *total_bytes)
{
    const long page = sysconf(_SC_PAGESIZE), all = sysconf(_SC_PHYS_PAGES);
    size_t limit, left;

    if (page <= 0 || all <= 0)
        return skv_fail(SKV_E_UNSUPPORTED, "this system does not say how much memory it has");
    *free_bytes = *total_bytes = (size_t)page * (size_t)all;
    left = address_space(&limit, ((const cpu *)be->impl)->n_threads);
    if (left < *free_bytes)
        *free_bytes = left;
    return SKV_OK;
}

/* Before OpenBLAS is asked for anything: it would not come back. */
static skv_status check_address_space(int n_threads)
{
    const size_t want = ((size_t)n_threads + 1) * SKV_CPU_SCRATCH;
    size_t limit;

    if (address_space(&limit, n_threads) >= want)
        return SKV_OK;
    return skv_fail(SKV_E_MEM,
                    "the address space is limited to %zu MiB (ulimit -v): too little for "
                    "OpenBLAS, which reserves %zu MiB for each core and each of %d threads",
                    limit >> 20, SKV_BLAS_BUFFER >> 20, n_threads);
}

static const char *cpu_describe(const skv_backend *be)
{
    return ((const cpu *)be->impl)->description;
}

static void cpu_destroy(skv_backend *be)
{
    cpu *c = be->impl;

    skv_pool_destroy(c->threads);
    free(c->scratch);
    free(c);
    skv_tuning_clear(&be->tuning);
    free(be);
}

static const skv_ops cpu_ops = {
#define X(op) .op = skv_cpu_##op,
    SKV_OPS(X)
#undef X
        .alloc = cpu_alloc,
    .free = cpu_free,
    .upload = cpu_move,
    .download = cpu_move,
    .sync = cpu_sync,
    .mark = cpu_mark,
    .elapsed = cpu_elapsed,
    .memory = cpu_memory,
    .destroy = cpu_destroy,
    .describe = cpu_describe,
    .packed_linear_bytes = skv_cpu__packed_linear_bytes,
    .packed_conv_bytes = skv_cpu__packed_conv_bytes,
    .pack_linear = skv_cpu__pack_linear,
    .pack_conv = skv_cpu__pack_conv,
};

skv_status skv_backend_open_cpu(skv_backend **out, int n_threads)
{
    skv_status st;
    skv_backend *be = NULL;
    cpu *c = NULL;
    char version[32] = "?";

    if (n_threads < 1 || n_threads > 1024)
        return skv_fail(SKV_E_ARG, "%d threads: want 1 to 1024", n_threads);
    SKV_TRY(check_address_space(n_threads));
    SKV_TRY(skv_alloc(&be, 1, sizeof *be, "backend"));
    st = skv_alloc(&c, 1, sizeof *c, "backend");
    if (st != SKV_OK) {
        free(be);
        return st;
    }
    *be = (skv_backend){
        .name = "cpu", .device = SKV_HOST, .ops = &cpu_ops, .limits = &skv_limits_cpu, .impl = c};
    c->n_threads = n_threads;
    openblas_set_num_threads(1);
    /* without the number of threads: results do not depend on it */
    sscanf(openblas_get_config(), "OpenBLAS %31s", version);
    snprintf(c->description, sizeof c->description, "CPU, OpenBLAS %s, kernels for %.40s", version,
             openblas_get_corename());
    SKV_TRY_GOTO(cpu_alloc(be, &c->scratch, ((size_t)n_threads + 1) * SKV_CPU_SCRATCH, "scratch"),
                 done);
    SKV_TRY_GOTO(skv_pool_create(&c->threads, n_threads), done);
    if (skv_pool_threads(c->threads) < n_threads)
        SKV_TRY_GOTO(skv_fail(SKV_E_MEM, "cannot start thread %d of %d",
                              skv_pool_threads(c->threads) + 1, n_threads),
                     done);
    be->n_allocs = 0; /* the callers' own count */
    *out = be;
    be = NULL;
done:
    skv_backend_destroy(be);
    return st;
}
