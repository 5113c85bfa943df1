/* Chooses the form and builds what all forms share (agree, blobs) from a form's few operations.
 *
 * Easy to get wrong: a failure of one rank between two collectives (no memory for what is about to
 * arrive) must be agreed on before the next one starts, or the others wait for ever. */
#include "mpi/comm.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "mpi/comm_impl.h"

#define MESSAGE_BYTES 2400 /* core cuts its messages at 2 KiB; the rest is for rank and host */

static const char *process_env(const char *name)
{
    return getenv(name);
}

static skv_status open_form(skv_comm *c)
{
    skv_launch launch;

    SKV_TRY(skv_comm__launch(&launch, process_env));
    switch (launch.launcher) {
    case SKV_LAUNCHER_MPIRUN:
    case SKV_LAUNCHER_PMIX:
        SKV_TRY(skv_comm__open_mpi(c));
        break;
    case SKV_LAUNCHER_TORCHRUN:
        if (launch.promised > 1)
            return skv_fail(SKV_E_UNSUPPORTED,
                            "torchrun-style variables (RANK, WORLD_SIZE=%lld) ask for several "
                            "ranks, which this version starts by mpirun or `srun --mpi=pmix` only",
                            (long long)launch.promised);
        SKV_TRY(skv_comm__open_self(c));
        break;
    case SKV_LAUNCHER_NONE:
        SKV_TRY(skv_comm__open_self(c));
        break;
    }
    return skv_comm__cross_check(&launch, c->size);
}

skv_status skv_comm_open(skv_comm **out)
{
    skv_status st = SKV_OK;
    skv_comm *c = NULL;

    SKV_TRY(skv_alloc(&c, 1, sizeof *c, "the communicator"));
    if (gethostname(c->host, sizeof c->host - 1) != 0)
        memcpy(c->host, "unknown", sizeof "unknown");
    SKV_TRY_GOTO(open_form(c), done);
    *out = c;
    c = NULL;
done:
    skv_comm_close(c);
    return st;
}

void skv_comm_close(skv_comm *c)
{
    if (c && c->ops && c->ops->close)
        c->ops->close(c);
    free(c);
}

int skv_comm_rank(const skv_comm *c)
{
    return c->rank;
}

int skv_comm_size(const skv_comm *c)
{
    return c->size;
}

int skv_comm_local_rank(const skv_comm *c)
{
    return c->local_rank;
}

int skv_comm_local_size(const skv_comm *c)
{
    return c->local_size;
}

const char *skv_comm_host(const skv_comm *c)
{
    return c->host;
}

const char *skv_comm_form(const skv_comm *c)
{
    return c->ops->name;
}

skv_status skv_comm_barrier(skv_comm *c)
{
    return c->size > 1 ? c->ops->barrier(c) : SKV_OK;
}

skv_status skv_comm_broadcast(skv_comm *c, void *data, size_t bytes, int root)
{
    if (root < 0 || root >= c->size)
        return skv_fail(SKV_E_ARG, "broadcast from rank %d of %d", root, c->size);
    return c->size > 1 ? c->ops->broadcast(c, data, bytes, root) : SKV_OK;
}

skv_status skv_comm_sum_i64(skv_comm *c, int64_t *values, size_t n)
{
    return c->size > 1 ? c->ops->reduce_i64(c, values, n, false) : SKV_OK;
}

skv_status skv_comm_max_i64(skv_comm *c, int64_t *values, size_t n)
{
    return c->size > 1 ? c->ops->reduce_i64(c, values, n, true) : SKV_OK;
}

static int severity(skv_status st)
{
    switch (st) {
    case SKV_OK:
        return 0;
    case SKV_E_STOPPED:
        return 1;
    case SKV_E_PEER:
        return 2;
    default:
        return 3;
    }
}

/* What the worst rank tells the others. */
typedef struct {
    int32_t status, line;
    char file[96], message[MESSAGE_BYTES];
} verdict;

static void verdict_fill(verdict *v, const skv_comm *c, skv_status st)
{
    char *colon;

    memset(v, 0, sizeof *v);
    v->status = st;
    snprintf(v->file, sizeof v->file, "%s", skv_origin());
    colon = strrchr(v->file, ':');
    if (colon) {
        v->line = (int32_t)strtol(colon + 1, NULL, 10);
        *colon = '\0';
    }
    if (c->rank > 0)
        snprintf(v->message, sizeof v->message, "rank %d (%s): %s", c->rank, c->host,
                 skv_message());
    else
        snprintf(v->message, sizeof v->message, "%s", skv_message());
}

skv_status skv_comm_agree(skv_comm *c, skv_status st)
{
    int64_t worst = (int64_t)severity(st) * c->size + (c->size - 1 - c->rank);
    int root;
    verdict v;

    if (c->size == 1)
        return st;
    SKV_TRY(skv_comm_max_i64(c, &worst, 1));
    if (worst < c->size)
        return SKV_OK;
    root = c->size - 1 - (int)(worst % c->size);
    memset(&v, 0, sizeof v);
    if (root == c->rank)
        verdict_fill(&v, c, st);
    SKV_TRY(skv_comm_broadcast(c, &v, sizeof v, root));
    return skv_fail_at((skv_status)v.status, v.file, (int)v.line, "%s", v.message);
}

skv_status skv_comm_broadcast_blob(skv_comm *c, void **data, size_t *bytes, int root)
{
    skv_status st = SKV_OK;
    uint64_t n = c->rank == root ? *bytes : 0;
    char *block = NULL;

    SKV_TRY(skv_comm_broadcast(c, &n, sizeof n, root));
    if (c->size == 1)
        return SKV_OK;
    if (c->rank != root)
        st = skv_alloc(&block, (size_t)n + 1, 1, "a block broadcast by another rank");
    SKV_TRY_GOTO(skv_comm_agree(c, st), done);
    SKV_TRY_GOTO(skv_comm_broadcast(c, c->rank == root ? *data : block, (size_t)n, root), done);
    if (c->rank != root) {
        *data = block;
        *bytes = (size_t)n;
        block = NULL;
    }
done:
    free(block);
    return st;
}

/* One block: the array of blobs, then each blob's bytes and its zero. */
static skv_status alloc_blobs(skv_blob **out, const int64_t *sizes, int n)
{
    size_t total = (size_t)n * sizeof **out;
    skv_blob *blobs = NULL;
    char *at;

    for (int r = 0; r < n; r++)
        if (!skv_add_size(&total, total, (size_t)sizes[r]) || !skv_add_size(&total, total, 1))
            return skv_fail(SKV_E_MEM, "the bytes gathered from %d ranks overflow a size", n);
    SKV_TRY(skv_alloc(&blobs, total, 1, "what all ranks send to rank 0"));
    at = (char *)(blobs + n);
    for (int r = 0; r < n; r++) {
        blobs[r] = (skv_blob){at, (size_t)sizes[r]};
        at += sizes[r] + 1;
    }
    *out = blobs;
    return SKV_OK;
}

skv_status skv_comm_gather_blobs(skv_blob **out, skv_comm *c, const void *data, size_t bytes)
{
    skv_status st = SKV_OK;
    int64_t *sizes = NULL;
    skv_blob *blobs = NULL;

    *out = NULL;
    st = skv_alloc(&sizes, (size_t)c->size, sizeof *sizes, "sizes to gather");
    SKV_TRY_GOTO(skv_comm_agree(c, st), done);
    sizes[c->rank] = (int64_t)bytes;
    SKV_TRY_GOTO(skv_comm_sum_i64(c, sizes, (size_t)c->size), done);
    if (c->rank == 0)
        st = alloc_blobs(&blobs, sizes, c->size);
    SKV_TRY_GOTO(skv_comm_agree(c, st), done);
    if (c->rank > 0) {
        SKV_TRY_GOTO(c->ops->send(c, data, bytes, 0), done);
        goto done;
    }
    if (bytes > 0)
        memcpy(blobs[0].data, data, bytes);
    for (int r = 1; r < c->size; r++)
        SKV_TRY_GOTO(c->ops->recv(c, blobs[r].data, blobs[r].bytes, r), done);
    *out = blobs;
    blobs = NULL;
done:
    free(blobs);
    free(sizes);
    return st;
}

void skv_comm_abort(skv_comm *c, int code)
{
    if (c && c->size > 1)
        c->ops->end_all(c, code);
}
