/* NCCL for one thing: a large broadcast between GPUs, at load; and for trying it out. The NCCL
 * communicator lives as long as the call, since it holds hundreds of MiB of each GPU that the run
 * wants for itself.
 *
 * NCCL is never trusted to come back: its communicator is a non-blocking one, and is polled with a
 * time limit, the stop flag, and what the other ranks say of theirs (mpi/joint.h). */
#include "mpi/spread_impl.h"

#include <cuda_runtime.h>
#include <nccl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/digest.h"
#include "core/log.h"
#include "mpi/joint.h"

#define TRIAL_SECONDS 180.0 /* for connections and a small sum, of 1,024 ranks too */
#define PAIR_SECONDS  90.0  /* for a connection of two, and a number each way, in the last round */

/* One use of NCCL. */
typedef struct {
    skv_comm *c;
    const skv_spread_plan *plan;
    skv_backend *be;
    skv_joint joint;
    ncclComm_t comm;
    cudaStream_t stream;
    void *data; /* NULL: NCCL is tried out */
    size_t bytes;
    int *partner;        /* NULL: by a sum; or by pairs: -1, or with whom it failed */
    int64_t *number;     /* on the GPU, two: what is sent, what has come */
    double start, limit; /* skv_seconds, seconds */
    bool noticed;
} use;

/* call: its text; the message has its name. */
static skv_status failed(const use *u, const char *call, ncclResult_t result)
{
    const char *more = ncclGetLastError(u->comm);

    return skv_fail(SKV_E_NCCL, "NCCL: %.*s: %s%s%s", (int)strcspn(call, "("), call,
                    ncclGetErrorString(result), more && more[0] ? ": " : "", more ? more : "");
}

#define TRY_CUDA(x)                                                                                \
    do {                                                                                           \
        cudaError_t try_error = (x);                                                               \
        if (try_error != cudaSuccess)                                                              \
            return skv_fail(SKV_E_NCCL, "NCCL: %s: %s", #x, cudaGetErrorString(try_error));        \
    } while (0)

/* A call that may only have begun something. */
#define TRY_NCCL(u, x)                                                                             \
    do {                                                                                           \
        ncclResult_t try_result = (x);                                                             \
        if (try_result != ncclSuccess && try_result != ncclInProgress)                             \
            return failed(u, #x, try_result);                                                      \
    } while (0)

skv_status skv_nccl__device(int64_t *gpu, int64_t *slot)
{
    char identity[SKV_GPU_NAME_BYTES], place[64] = "";
    int device = 0;

    TRY_CUDA(cudaGetDevice(&device));
    TRY_CUDA(cudaDeviceGetPCIBusId(place, sizeof place, device));
    SKV_TRY(skv_cuda_identity(identity, device));
    *gpu = skv_digest_number(identity);
    *slot = skv_digest_number(place);
    return SKV_OK;
}

/* ------------------------------------------------------------------------- waiting */

/* Whether to go on waiting: SKV_E_PEER where another rank has failed, which says why. */
static skv_status check_wait(use *u, const char *call)
{
    const double waited = skv_seconds() - u->start;

    SKV_TRY(skv_joint__look(&u->joint, u->c));
    if (u->joint.failed)
        return skv_fail(SKV_E_PEER, "NCCL failed on another rank");
    SKV_TRY(skv_backend_go_on(u->be));
    if (u->limit > 0 && waited > u->limit)
        return skv_fail(SKV_E_NCCL, "NCCL: %s does not end within %g s", call, u->limit);
    if (!u->noticed && u->c->wait_notice > 0 && waited > u->c->wait_notice) {
        u->noticed = true;
        skv_warn("NCCL: %s has not ended for %.0f s", call, waited);
    }
    return SKV_OK;
}

/* Until NCCL has done what `call` asked of it, here and (queued) on the GPU. */
static skv_status finish(use *u, const char *call, bool queued)
{
    const struct timespec nap = {0, 1000000};

    for (;;) {
        ncclResult_t state = ncclInProgress;
        cudaError_t gpu = cudaSuccess;

        TRY_NCCL(u, ncclCommGetAsyncError(u->comm, &state));
        if (state != ncclSuccess && state != ncclInProgress)
            return failed(u, call, state);
        if (state == ncclSuccess) {
            if (queued)
                gpu = cudaStreamQuery(u->stream);
            if (gpu == cudaSuccess)
                return SKV_OK;
            (void)cudaGetLastError(); /* "not ready" must not be taken for the next launch's */
            if (gpu != cudaErrorNotReady)
                TRY_CUDA(gpu);
        }
        SKV_TRY(check_wait(u, call));
        nanosleep(&nap, NULL);
    }
}

/* ------------------------------------------------------------------------- working */

/* The number of a taker: what it gives, so that it is seen whether what NCCL moves is right. */
static skv_status prepare_numbers(use *u)
{
    const int64_t numbers[2] = {u->plan->number + 1, 0};
    void *on_gpu = NULL;

    SKV_TRY(skv_backend_alloc(u->be, &on_gpu, sizeof numbers, "numbers for NCCL"));
    u->number = on_gpu;
    SKV_TRY(skv_backend_upload(u->be, on_gpu, numbers, sizeof numbers));
    return skv_backend_sync(u->be);
}

static skv_status sum_numbers(use *u)
{
    const int64_t n = u->plan->n_takers, want = n * (n + 1) / 2;
    int64_t sum = 0;

    SKV_TRY(prepare_numbers(u));
    TRY_NCCL(u, ncclAllReduce(u->number, u->number, 1, ncclInt64, ncclSum, u->comm, u->stream));
    SKV_TRY(finish(u, "ncclAllReduce", true));
    SKV_TRY(skv_backend_download(u->be, &sum, u->number, sizeof sum));
    if (sum != want)
        return skv_fail(SKV_E_NCCL, "NCCL: a sum over %lld GPUs is %lld, want %lld", (long long)n,
                        (long long)sum, (long long)want);
    return SKV_OK;
}

/* The lower one sends first. */
static skv_status exchange_numbers(use *u, int other)
{
    int64_t got = 0;

    for (int i = 0; i < 2; i++) {
        const bool sends = (i == 0) == (u->plan->number < other);

        if (sends)
            TRY_NCCL(u, ncclSend(u->number, 1, ncclInt64, other, u->comm, u->stream));
        else
            TRY_NCCL(u, ncclRecv(u->number + 1, 1, ncclInt64, other, u->comm, u->stream));
        SKV_TRY(finish(u, sends ? "ncclSend" : "ncclRecv", true));
    }
    SKV_TRY(skv_backend_download(u->be, &got, u->number + 1, sizeof got));
    if (got != other + 1)
        return skv_fail(SKV_E_NCCL, "NCCL: a number that was sent as %d has come as %lld",
                        other + 1, (long long)got);
    return SKV_OK;
}

/* In round k those meet whose numbers have the sum k, modulo their count: each with each other one
 * once. Later rounds are more patient, from a third of the limit to all of it: who waits for one
 * that is stuck with another is in a later round, and must not be the first to give up. */
static skv_status try_pairs(use *u)
{
    const int n = u->plan->n_takers, me = u->plan->number;

    const double limit = u->limit < PAIR_SECONDS ? u->limit : PAIR_SECONDS;

    SKV_TRY(prepare_numbers(u));
    for (int k = 0; k < n; k++) {
        const int other = (k - me + n) % n;
        skv_status st;

        if (other == me)
            continue;
        u->start = skv_seconds();
        u->limit = limit * (n + 2 * k) / (3 * n);
        st = exchange_numbers(u, other);
        if (st == SKV_E_NCCL)
            *u->partner = other;
        SKV_TRY(st);
    }
    return SKV_OK;
}

static skv_status work(use *u, const ncclUniqueId *id)
{
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;

    config.blocking = 0;
    TRY_CUDA(cudaStreamCreateWithFlags(&u->stream, cudaStreamNonBlocking));
    TRY_NCCL(u, ncclCommInitRankConfig(&u->comm, u->plan->n_takers, *id, u->plan->number, &config));
    SKV_TRY(finish(u, "ncclCommInitRankConfig", false));
    if (u->data) {
        TRY_NCCL(u, ncclBroadcast(u->data, u->data, u->bytes, ncclUint8, 0, u->comm, u->stream));
        SKV_TRY(finish(u, "ncclBroadcast", true));
    } else {
        SKV_TRY(u->partner ? try_pairs(u) : sum_numbers(u));
    }
    TRY_NCCL(u, ncclCommFinalize(u->comm));
    return finish(u, "ncclCommFinalize", false);
}

/* Says how this rank's work ended, frees what NCCL holds, and waits for the others. */
static skv_status leave(use *u, bool good)
{
    const skv_status said = skv_joint__say(&u->joint, u->c, good);

    if (u->comm && good)
        (void)ncclCommDestroy(u->comm);
    else if (u->comm)
        (void)ncclCommAbort(u->comm); /* before all that would wait for the GPU */
    skv_backend_free(u->be, u->number);
    if (u->stream)
        (void)cudaStreamDestroy(u->stream);
    (void)cudaGetLastError();
    SKV_TRY(said);
    return skv_joint__end(&u->joint, u->c);
}

/* Where ranks meet, from the first taker to all. */
static skv_status share_id(ncclUniqueId *id, use *u)
{
    const bool first = u->c->rank == u->plan->first;
    const ncclResult_t result = first ? ncclGetUniqueId(id) : ncclSuccess;
    skv_status st = result == ncclSuccess ? SKV_OK : failed(u, "ncclGetUniqueId", result);

    SKV_TRY(skv_comm_agree(u->c, st));
    return skv_comm_broadcast(u->c, id, sizeof *id, u->plan->first);
}

/* Collective: everything but NCCL's own failures, which are `good` false, fails. */
static skv_status judge(bool *good, skv_comm *c, skv_status st)
{
    if (st == SKV_E_PEER)
        st = SKV_OK; /* the rank that failed says why */
    st = skv_comm_agree(c, st);
    *good = st == SKV_OK;
    return st == SKV_E_NCCL ? SKV_OK : st;
}

static skv_status run(bool *good, use *u)
{
    ncclUniqueId id;
    skv_status st, ended;

    memset(&id, 0, sizeof id);
    *good = false;
    u->start = skv_seconds();
    u->limit = u->c->wait_limit / 2;
    if (u->bytes == 0 && (u->limit <= 0 || u->limit > TRIAL_SECONDS))
        u->limit = TRIAL_SECONDS;
    st = share_id(&id, u);
    if (st != SKV_OK)
        return st == SKV_E_NCCL ? SKV_OK : st;
    skv_joint__begin(&u->joint, u->c);
    st = u->plan->number >= 0 ? work(u, &id) : SKV_OK;
    ended = leave(u, st == SKV_OK);
    if (ended != SKV_OK)
        return skv_comm__lose(u->c, ended);
    return judge(good, u->c, st);
}

skv_status skv_nccl__run(bool *good, skv_comm *c, const skv_spread_plan *p, skv_backend *be,
                         void *data, size_t bytes)
{
    return run(good, &(use){.c = c, .plan = p, .be = be, .data = data, .bytes = bytes});
}

skv_status skv_nccl__pairs(bool *good, int *partner, skv_comm *c, const skv_spread_plan *p,
                           skv_backend *be)
{
    *partner = -1;
    return run(good, &(use){.c = c, .plan = p, .be = be, .partner = partner});
}

int skv_comm__nccl_library(skv_library *out)
{
    char built[48], running[48] = "";
    int v = 0;

    snprintf(built, sizeof built, "%d.%d.%d", NCCL_MAJOR, NCCL_MINOR, NCCL_PATCH);
    if (ncclGetVersion(&v) == ncclSuccess)
        snprintf(running, sizeof running, "%d.%d.%d", v / 10000, v % 10000 / 100, v % 100);
    *out = skv_library_of("NCCL", built, running);
    return 1;
}
