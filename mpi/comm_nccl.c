/* NCCL for one thing: a large broadcast between GPUs, at load. The NCCL communicator lives as long
 * as the call, since it holds hundreds of MiB of each GPU that the run wants for itself.
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

/* One use of NCCL. */
typedef struct {
    skv_comm *c;
    const skv_spread_plan *plan;
    skv_backend *be;
    skv_joint joint;
    ncclComm_t comm;
    cudaStream_t stream;
    void *number;        /* on the GPU: what is summed */
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

/* Every taker gives its number and one: whether what NCCL moves arrives, and is right. */
static skv_status sum_numbers(use *u)
{
    const int64_t n = u->plan->n_takers, want = n * (n + 1) / 2;
    int64_t sum = u->plan->number + 1;

    SKV_TRY(skv_backend_alloc(u->be, &u->number, sizeof sum, "a number for NCCL"));
    SKV_TRY(skv_backend_upload(u->be, u->number, &sum, sizeof sum));
    SKV_TRY(skv_backend_sync(u->be));
    TRY_NCCL(u, ncclAllReduce(u->number, u->number, 1, ncclInt64, ncclSum, u->comm, u->stream));
    SKV_TRY(finish(u, "ncclAllReduce", true));
    SKV_TRY(skv_backend_download(u->be, &sum, u->number, sizeof sum));
    if (sum != want)
        return skv_fail(SKV_E_NCCL, "NCCL: a sum over %lld GPUs is %lld, want %lld", (long long)n,
                        (long long)sum, (long long)want);
    return SKV_OK;
}

static skv_status work(use *u, const ncclUniqueId *id, void *data, size_t bytes)
{
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;

    config.blocking = 0;
    TRY_CUDA(cudaStreamCreateWithFlags(&u->stream, cudaStreamNonBlocking));
    TRY_NCCL(u, ncclCommInitRankConfig(&u->comm, u->plan->n_takers, *id, u->plan->number, &config));
    SKV_TRY(finish(u, "ncclCommInitRankConfig", false));
    if (data) {
        TRY_NCCL(u, ncclBroadcast(data, data, bytes, ncclUint8, 0, u->comm, u->stream));
        SKV_TRY(finish(u, "ncclBroadcast", true));
    } else {
        SKV_TRY(sum_numbers(u));
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

skv_status skv_nccl__run(bool *good, skv_comm *c, const skv_spread_plan *p, skv_backend *be,
                         void *data, size_t bytes)
{
    use u = {.c = c, .plan = p, .be = be, .start = skv_seconds(), .limit = c->wait_limit / 2};
    ncclUniqueId id;
    skv_status st, ended;

    memset(&id, 0, sizeof id);
    *good = false;
    if (!data && bytes == 0 && (u.limit <= 0 || u.limit > TRIAL_SECONDS))
        u.limit = TRIAL_SECONDS;
    st = share_id(&id, &u);
    if (st != SKV_OK)
        return st == SKV_E_NCCL ? SKV_OK : st;
    skv_joint__begin(&u.joint, c);
    st = p->number >= 0 ? work(&u, &id, data, bytes) : SKV_OK;
    ended = leave(&u, st == SKV_OK);
    if (ended != SKV_OK)
        return skv_comm__lose(c, ended);
    return judge(good, c, st);
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
