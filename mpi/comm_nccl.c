/* NCCL for one thing: a large broadcast between GPUs, at load. The NCCL communicator lives as long
 * as the call, since it holds hundreds of MiB of each GPU that the run wants for itself.
 *
 * NCCL cannot put two ranks on one GPU, and hangs or fails late when asked to: the GPUs' identities
 * are compared first. */
#include "mpi/comm_impl.h"

#include <cuda_runtime.h>
#include <nccl.h>
#include <stdlib.h>
#include <string.h>

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

static skv_status send_all(ncclComm_t comm, cudaStream_t stream, void *data, size_t bytes, int root)
{
    ncclResult_t state;

    TRY_NCCL(ncclBroadcast(data, data, bytes, ncclUint8, root, comm, stream));
    TRY_CUDA(cudaStreamSynchronize(stream));
    TRY_NCCL(ncclCommGetAsyncError(comm, &state));
    TRY_NCCL(state);
    return SKV_OK;
}

static skv_status meet_and_send(skv_comm *c, const invitation *with, void *data, size_t bytes,
                                int root)
{
    ncclComm_t comm = NULL;
    cudaStream_t stream = NULL;
    skv_status st;

    TRY_NCCL(ncclCommInitRank(&comm, c->size, with->id, c->rank));
    st = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) == cudaSuccess
             ? send_all(comm, stream, data, bytes, root)
             : failed("cudaStreamCreate", "no stream");
    if (stream)
        (void)cudaStreamDestroy(stream);
    if (st == SKV_OK)
        TRY_NCCL(ncclCommDestroy(comm));
    else
        (void)ncclCommAbort(comm); /* frees ranks that wait inside */
    return st;
}

skv_status skv_comm__nccl_broadcast(bool *done, skv_comm *c, skv_backend *be, void *data,
                                    size_t bytes, int root, const char **how)
{
    invitation with;

    memset(&with, 0, sizeof with);
    SKV_TRY(exchange(&with, c));
    *done = with.usable;
    *how = with.usable ? "by NCCL" : "through host memory: ranks share a GPU";
    if (!with.usable)
        return SKV_OK;
    /* work queued on this memory must end before another stream touches it */
    SKV_TRY(skv_comm_agree(c, skv_backend_sync(be)));
    return skv_comm_agree(c, meet_and_send(c, &with, data, bytes, root));
}
