/* NCCL for one thing: a large broadcast between GPUs, at load. The NCCL communicator lives as long
 * as the call, since it holds hundreds of MiB of each GPU that the run wants for itself.
 *
 * NCCL cannot put two ranks on one GPU, and hangs or fails late when asked to: the GPUs' identities
 * are compared first. */
#include "mpi/comm_impl.h"

#include <cuda_runtime.h>
#include <nccl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct {
    bool usable; /* everyone has a GPU of its own */
    ncclUniqueId id;
} invitation;

static skv_status failed(const char *call, const char *why)
{
    return skv_fail(SKV_E_NCCL, "NCCL: %s: %s", call, why);
}

#define TRY_CUDA(x)                                                                                \
    do {                                                                                           \
        cudaError_t try_error = (x);                                                               \
        if (try_error != cudaSuccess)                                                              \
            return failed(#x, cudaGetErrorString(try_error));                                      \
    } while (0)

#define TRY_NCCL(x)                                                                                \
    do {                                                                                           \
        ncclResult_t try_result = (x);                                                             \
        if (try_result != ncclSuccess)                                                             \
            return failed(#x, ncclGetErrorString(try_result));                                     \
    } while (0)

static skv_status gpu_identity(cudaUUID_t *uuid)
{
    struct cudaDeviceProp properties;
    int device = 0;

    TRY_CUDA(cudaGetDevice(&device));
    TRY_CUDA(cudaGetDeviceProperties(&properties, device));
    *uuid = properties.uuid;
    return SKV_OK;
}

/* Rank 0: usable unless two ranks have one GPU. */
static skv_status invite(invitation *out, const skv_blob *uuid, int size)
{
    out->usable = true;
    for (int a = 0; a < size; a++)
        for (int b = 0; b < a; b++)
            if (memcmp(uuid[a].data, uuid[b].data, sizeof(cudaUUID_t)) == 0)
                out->usable = false;
    if (out->usable)
        TRY_NCCL(ncclGetUniqueId(&out->id));
    return SKV_OK;
}

static skv_status exchange(invitation *out, skv_comm *c)
{
    cudaUUID_t uuid = {{0}};
    skv_blob *all = NULL;
    skv_status st = gpu_identity(&uuid);

    SKV_TRY(skv_comm_agree(c, st));
    SKV_TRY(skv_comm_gather_blobs(&all, c, &uuid, sizeof uuid));
    if (c->rank == 0)
        st = invite(out, all, c->size);
    free(all);
    SKV_TRY(skv_comm_agree(c, st));
    return skv_comm_broadcast(c, out, sizeof *out, 0);
}

/* Until NCCL has done what was asked of it, here and (stream NULL: nothing there) on the GPU. */
static skv_status finish(skv_comm *c, ncclComm_t comm, cudaStream_t stream)
{
    const struct timespec nap = {0, 1000000};
    skv_wait w;

    skv_comm__wait_begin(&w, c, SKV_WAIT_UNKNOWN);
    for (;;) {
        ncclResult_t state = ncclInProgress;
        cudaError_t gpu = cudaSuccess;

        TRY_NCCL(ncclCommGetAsyncError(comm, &state));
        if (state != ncclInProgress) {
            TRY_NCCL(state);
            if (stream)
                gpu = cudaStreamQuery(stream);
            if (gpu == cudaSuccess)
                return SKV_OK;
            (void)cudaGetLastError(); /* "not ready" must not be taken for the next launch's */
            if (gpu != cudaErrorNotReady)
                TRY_CUDA(gpu);
        }
        SKV_TRY(skv_comm__wait_check(&w, c));
        nanosleep(&nap, NULL);
    }
}

/* A call that only begins something. */
#define BEGIN_NCCL(x)                                                                              \
    do {                                                                                           \
        ncclResult_t begin_result = (x);                                                           \
        if (begin_result != ncclInProgress)                                                        \
            TRY_NCCL(begin_result);                                                                \
    } while (0)

static skv_status send_all(skv_comm *c, ncclComm_t comm, cudaStream_t stream, void *data,
                           size_t bytes, int root)
{
    SKV_TRY(finish(c, comm, NULL)); /* its creation */
    BEGIN_NCCL(ncclBroadcast(data, data, bytes, ncclUint8, root, comm, stream));
    SKV_TRY(finish(c, comm, stream));
    BEGIN_NCCL(ncclCommFinalize(comm));
    return finish(c, comm, NULL);
}

static skv_status meet_and_send(skv_comm *c, const invitation *with, void *data, size_t bytes,
                                int root)
{
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    ncclComm_t comm = NULL;
    cudaStream_t stream = NULL;
    skv_status st;

    config.blocking = 0; /* a rank that is gone would keep the others inside a call for ever */
    BEGIN_NCCL(ncclCommInitRankConfig(&comm, c->size, with->id, c->rank, &config));
    st = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess
             ? send_all(c, comm, stream, data, bytes, root)
             : failed("cudaStreamCreate", "no stream");
    if (st == SKV_OK)
        TRY_NCCL(ncclCommDestroy(comm));
    else
        (void)ncclCommAbort(comm); /* frees ranks that wait inside */
    if (stream)
        (void)cudaStreamDestroy(stream);
    return st;
}

skv_status skv_comm__nccl_broadcast(bool *done, skv_comm *c, skv_backend *be, void *data,
                                    size_t bytes, int root, const char **how)
{
    invitation with;
    skv_status st;

    memset(&with, 0, sizeof with);
    SKV_TRY(exchange(&with, c));
    *done = with.usable;
    *how = with.usable ? "by NCCL" : "through host memory: ranks share a GPU";
    if (!with.usable)
        return SKV_OK;
    /* work queued on this memory must end before another stream touches it */
    SKV_TRY(skv_comm_agree(c, skv_backend_sync(be)));
    st = meet_and_send(c, &with, data, bytes, root);
    if (st == SKV_E_PEER)
        return skv_comm__lose(c, st); /* who did not come here will not come to agree, either */
    return skv_comm_agree(c, st);
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
