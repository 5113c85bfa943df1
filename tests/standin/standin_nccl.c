/* NCCL: a broadcast moves nothing, a sum is 0 and what is sent comes as 0, since memory has no
 * contents.
 *
 * STANDIN_NCCL=fails: a communicator cannot be made; hangs: what is begun never ends. */
#include "standin.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <nccl.h>

struct ncclComm {
    int ranks, rank;
};

ncclResult_t ncclGetVersion(int *version)
{
    *version = NCCL_VERSION_CODE;
    return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId *id)
{
    memset(id, 0, sizeof *id);
    return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t *comm, int ranks, ncclUniqueId id, int rank,
                                    ncclConfig_t *config)
{
    (void)id;
    *comm = NULL;
    if (standin_lists("STANDIN_NCCL", "fails"))
        return ncclSystemError;
    *comm = calloc(1, sizeof **comm);
    if (!*comm)
        standin_stop("no memory");
    **comm = (struct ncclComm){.ranks = ranks, .rank = rank};
    return config && config->blocking == 0 ? ncclInProgress : ncclSuccess;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t *state)
{
    (void)comm;
    *state = standin_lists("STANDIN_NCCL", "hangs") ? ncclInProgress : ncclSuccess;
    return ncclSuccess;
}

ncclResult_t ncclBroadcast(const void *from, void *to, size_t count, ncclDataType_t type, int root,
                           ncclComm_t comm, cudaStream_t stream)
{
    if (type != ncclUint8)
        standin_stop("ncclBroadcast: type %d is not known here", (int)type);
    if (comm->rank == root)
        standin_device_range(from, count, "ncclBroadcast, source");
    standin_device_range(to, count, "ncclBroadcast, destination");
    standin_queue(stream, STANDIN_LIBRARY);
    standin_count("nccl_bytes", count);
    return ncclInProgress;
}

/* The sum has no value, either: whoever looks at it finds another than it should be. */
ncclResult_t ncclAllReduce(const void *from, void *to, size_t count, ncclDataType_t type,
                           ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream)
{
    (void)op, (void)comm;
    if (type != ncclInt64)
        standin_stop("ncclAllReduce: type %d is not known here", (int)type);
    standin_device_range(from, count * sizeof(int64_t), "ncclAllReduce, source");
    standin_device_range(to, count * sizeof(int64_t), "ncclAllReduce, destination");
    standin_queue(stream, STANDIN_LIBRARY);
    return ncclInProgress;
}

ncclResult_t ncclSend(const void *from, size_t count, ncclDataType_t type, int peer,
                      ncclComm_t comm, cudaStream_t stream)
{
    if (type != ncclInt64 || peer < 0 || peer >= comm->ranks || peer == comm->rank)
        standin_stop("ncclSend: type %d to rank %d is not known here", (int)type, peer);
    standin_device_range(from, count * sizeof(int64_t), "ncclSend");
    standin_queue(stream, STANDIN_LIBRARY);
    return ncclInProgress;
}

ncclResult_t ncclRecv(void *to, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream)
{
    if (type != ncclInt64 || peer < 0 || peer >= comm->ranks || peer == comm->rank)
        standin_stop("ncclRecv: type %d from rank %d is not known here", (int)type, peer);
    standin_device_range(to, count * sizeof(int64_t), "ncclRecv");
    standin_queue(stream, STANDIN_LIBRARY);
    return ncclInProgress;
}

ncclResult_t ncclCommFinalize(ncclComm_t comm)
{
    (void)comm;
    return ncclInProgress;
}

ncclResult_t ncclCommDestroy(ncclComm_t comm)
{
    free(comm);
    return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t comm)
{
    free(comm);
    return ncclSuccess;
}

const char *ncclGetErrorString(ncclResult_t result)
{
    return result == ncclSystemError ? "unhandled system error" : "a result of the stand-in";
}

const char *ncclGetLastError(ncclComm_t comm)
{
    (void)comm;
    return "said by the stand-in";
}
