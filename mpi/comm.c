/* Chooses the form and builds what all forms share (agree, blobs) from a form's few operations.
 *
 * Easy to get wrong: a failure of one rank between two collectives (no memory for what is about to
 * arrive) must be agreed on before the next one starts, or the others wait for ever. */
#include "mpi/comm.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/log.h"
#include "core/mem.h"
#include "mpi/comm_impl.h"

static const char *process_env(const char *name)
{
    return getenv(name);
}

static skv_status open_form(skv_comm *c, const skv_comm_wish *wish)
{
    skv_launch launch;
    bool by_mpi;

    SKV_TRY(skv_comm__launch(&launch, process_env));
    by_mpi = launch.launcher == SKV_LAUNCHER_MPIRUN || launch.launcher == SKV_LAUNCHER_PMIX;
    if (launch.launcher == SKV_LAUNCHER_PMIX && launch.rank >= 0 && !skv_comm__has_mpi())
        by_mpi = false; /* srun --mpi=pmix: a step of SLURM like another */
    if (by_mpi)
        SKV_TRY(skv_comm__open_mpi(c));
    else if (launch.launcher != SKV_LAUNCHER_NONE && launch.promised > 1)
        SKV_TRY(skv_comm__open_tcp(c, &launch, wish));
    else
        SKV_TRY(skv_comm__open_self(c));
    return skv_comm__cross_check(&launch, c->size);
}

skv_status skv_comm_open(skv_comm **out, const skv_comm_wish *wish)
{
    skv_status st = SKV_OK;
    skv_comm *c = NULL;
    char host[256] = "";

    SKV_TRY(skv_alloc(&c, 1, sizeof *c, "the communicator"));
    c->wait_notice = wish->wait_notice;
    c->wait_limit = wish->wait_limit;
    if (gethostname(host, sizeof host - 1) != 0)
        memcpy(host, "unknown", sizeof "unknown");
    snprintf(c->host, sizeof c->host, "%.*s", SKV_HOST_BYTES - 1, host);
    st = open_form(c, wish);
    if (st != SKV_OK) {
        c->lost = c->size != 1; /* not all are there, or it is not known: nobody says goodbye */
        skv_comm_close(c);
        return st;
    }
    *out = c;
    return SKV_OK;
}

skv_status skv_comm__lose(skv_comm *c, skv_status st)
{
    if (!c->lost) {
        c->lost = true;
        c->what = st;
        snprintf(c->why, sizeof c->why, "%s", skv_message());
    }
    return st;
}

/* What a collective call returns: a failure of the form loses the others for good. */
static skv_status keep(skv_comm *c, skv_status st)
{
    return st == SKV_OK ? SKV_OK : skv_comm__lose(c, st);
}

/* All collective calls begin here. */
static skv_status meet(skv_comm *c)
{
    if (c->lost)
        return skv_fail(c->what, "%s", c->why);
    return keep(c, skv_comm__meet(c));
}

skv_status skv_comm_leave(skv_comm *c)
{
    const skv_status st = c->size > 1 ? meet(c) : SKV_OK;

    c->left = true;
    if (st != SKV_OK)
        skv_context("this rank is done, but cannot end together with the others");
    return st;
}

void skv_comm_close(skv_comm *c)
{
    if (!c)
        return;
    if (!c->left && !c->lost && skv_comm_leave(c) != SKV_OK)
        skv_debug("%s", skv_message()); /* why the job ends was reported before */
    if (c->ops && c->ops->close)
        c->ops->close(c);
    free(c->hosts);
    free(c->missing);
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

bool skv_comm_is_lost(const skv_comm *c)
{
    return c->lost;
}

bool skv_comm_reports(const skv_comm *c)
{
    return c->rank == 0 || (c->lost && !c->told);
}

skv_status skv_comm_barrier(skv_comm *c)
{
    return c->size > 1 ? meet(c) : SKV_OK;
}

skv_status skv_comm_broadcast(skv_comm *c, void *data, size_t bytes, int root)
{
    if (root < 0 || root >= c->size)
        return skv_fail(SKV_E_ARG, "broadcast from rank %d of %d", root, c->size);
    if (c->size == 1)
        return SKV_OK;
    SKV_TRY(meet(c));
    return keep(c, c->ops->broadcast(c, data, bytes, root));
}

static skv_status reduce(skv_comm *c, int64_t *values, size_t n, bool is_max)
{
    if (c->size == 1)
        return SKV_OK;
    SKV_TRY(meet(c));
    return keep(c, c->ops->reduce_i64(c, values, n, is_max));
}

skv_status skv_comm_sum_i64(skv_comm *c, int64_t *values, size_t n)
{
    return reduce(c, values, n, false);
}

skv_status skv_comm_max_i64(skv_comm *c, int64_t *values, size_t n)
{
    return reduce(c, values, n, true);
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
    char file[96], message[SKV_MESSAGE_BYTES];
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

/* At rank 0: room for a size of each rank's, as blobs; the sizes stand at out[0].data. */
static skv_status alloc_sizes(skv_blob **out, int n)
{
    skv_blob *blobs = NULL;
    int64_t *size;

    SKV_TRY(skv_alloc(&blobs, (size_t)n, sizeof *blobs + sizeof *size, "sizes for all ranks"));
    size = (int64_t *)(void *)(blobs + n);
    for (int r = 0; r < n; r++)
        blobs[r] = (skv_blob){size + r, sizeof *size};
    *out = blobs;
    return SKV_OK;
}

static void copy_own(void *to, const void *from, size_t bytes)
{
    if (bytes > 0)
        memcpy(to, from, bytes);
}

/* Rank by rank: each sends when rank 0 says go. */
static skv_status collect(skv_comm *c, skv_blob *blobs, const void *data, size_t bytes)
{
    if (c->size > 1)
        SKV_TRY(meet(c));
    if (c->rank > 0) {
        SKV_TRY(keep(c, skv_comm__hear_go(c)));
        return keep(c, c->ops->send(c, data, bytes, 0));
    }
    copy_own(blobs[0].data, data, bytes);
    for (int r = 1; r < c->size; r++) {
        SKV_TRY(keep(c, c->ops->tell(c, r, SKV_WORD_GO)));
        SKV_TRY(keep(c, c->ops->recv(c, blobs[r].data, blobs[r].bytes, r)));
    }
    return SKV_OK;
}

/* The other way. */
static skv_status deal(skv_comm *c, const skv_blob *blobs, void *data, size_t bytes)
{
    if (c->size > 1)
        SKV_TRY(meet(c));
    if (c->rank > 0)
        return keep(c, c->ops->recv(c, data, bytes, 0));
    copy_own(data, blobs[0].data, bytes);
    for (int r = 1; r < c->size; r++)
        SKV_TRY(keep(c, c->ops->send(c, blobs[r].data, blobs[r].bytes, r)));
    return SKV_OK;
}

skv_status skv_comm_gather_blobs(skv_blob **out, skv_comm *c, const void *data, size_t bytes)
{
    const int64_t n = (int64_t)bytes;
    skv_blob *sizes = NULL, *blobs = NULL;
    skv_status st = SKV_OK;

    *out = NULL;
    if (c->rank == 0)
        st = alloc_sizes(&sizes, c->size);
    SKV_TRY_GOTO(skv_comm_agree(c, st), done);
    SKV_TRY_GOTO(collect(c, sizes, &n, sizeof n), done);
    if (c->rank == 0)
        st = alloc_blobs(&blobs, sizes[0].data, c->size);
    SKV_TRY_GOTO(skv_comm_agree(c, st), done);
    SKV_TRY_GOTO(collect(c, blobs, data, bytes), done);
    *out = blobs;
    blobs = NULL;
done:
    free(blobs);
    free(sizes);
    return st;
}

skv_status skv_comm_scatter_blobs(skv_blob *out, skv_comm *c, const skv_blob *all)
{
    skv_blob *sizes = NULL;
    char *block = NULL;
    skv_status st = SKV_OK;
    int64_t n = 0;

    *out = (skv_blob){0};
    if (c->rank == 0)
        st = alloc_sizes(&sizes, c->size);
    for (int r = 0; sizes && r < c->size; r++)
        *(int64_t *)sizes[r].data = (int64_t)all[r].bytes;
    SKV_TRY_GOTO(skv_comm_agree(c, st), done);
    SKV_TRY_GOTO(deal(c, sizes, &n, sizeof n), done);
    st = skv_alloc(&block, (size_t)n + 1, 1, "bytes from rank 0");
    SKV_TRY_GOTO(skv_comm_agree(c, st), done);
    SKV_TRY_GOTO(deal(c, all, block, (size_t)n), done);
    *out = (skv_blob){block, (size_t)n};
    block = NULL;
done:
    free(block);
    free(sizes);
    return st;
}

void skv_comm_abort(skv_comm *c, int code)
{
    char me[SKV_RANK_BYTES];

    if (!c || c->size == 1)
        return;
    if (!c->lost)
        (void)keep(c, skv_fail(SKV_E_PEER, "%s ends the job", skv_comm__rank_text(me, c, c->rank)));
    c->ops->end_all(c, code);
}

int skv_comm_libraries(skv_library *out)
{
    const int n = skv_comm__mpi_library(out);

    return n + skv_comm__nccl_library(out + n);
}
