#include "stub_nccl.h"

#include <nccl.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernels/backend.h"

const char *stub_folder = ".";
stub_fault stub_nccl;
int stub_nccl_rank, stub_one_gpu, stub_nccl_open, stub_nccl_made;

/* What a stream has yet to do: to wait for files, and read them. */
typedef enum { NOTHING = 0, SUM = 1, TAKE = 2, HEAR = 3 } task;

struct stub_comm {
    char id[128];
    int rank, n;
    task task;
    void *to;
    size_t bytes;
    int from; /* whom it hears */
    int broken;
};

static struct stub_comm *current;

static int is_faulty(stub_fault f, int rank)
{
    return stub_nccl == f && stub_nccl_rank == rank;
}

/* ------------------------------------------------------------------------- files */

static void name_of(char out[512], const struct stub_comm *c, const char *kind, int rank)
{
    snprintf(out, 512, "%s/%s-%s-%d", stub_folder, c->id, kind, rank);
}

static void put(const struct stub_comm *c, const char *kind, const void *data, size_t bytes)
{
    char name[512], aside[600];
    FILE *f;

    name_of(name, c, kind, c->rank);
    snprintf(aside, sizeof aside, "%s.aside", name);
    f = fopen(aside, "wb");
    if (!f || fwrite(data, 1, bytes, f) != bytes || fclose(f) != 0 || rename(aside, name) != 0)
        abort();
}

static int get(const struct stub_comm *c, const char *kind, int rank, void *data, size_t bytes)
{
    char name[512];
    FILE *f;
    int whole;

    name_of(name, c, kind, rank);
    f = fopen(name, "rb");
    if (!f)
        return 0;
    whole = fread(data, 1, bytes, f) == bytes;
    fclose(f);
    return whole;
}

/* -------------------------------------------------------------------------- CUDA */

skv_status __wrap_skv_cuda_identity(char out[SKV_GPU_NAME_BYTES], int device);

skv_status __wrap_skv_cuda_identity(char out[SKV_GPU_NAME_BYTES], int device)
{
    snprintf(out, SKV_GPU_NAME_BYTES, "GPU-%d-%d", stub_one_gpu ? 0 : (int)getpid(), device);
    return SKV_OK;
}

cudaError_t cudaGetDevice(int *device)
{
    *device = 0;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char *out, int bytes, int device)
{
    snprintf(out, (size_t)bytes, "%d:%d", stub_one_gpu ? 0 : (int)getpid(), device);
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *out, unsigned flags)
{
    (void)flags;
    *out = NULL;
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t s)
{
    (void)s;
    return cudaSuccess;
}

static int sum(struct stub_comm *c)
{
    int64_t total = is_faulty(STUB_WRONG_SUM, c->rank), one;

    for (int r = 0; r < c->n; r++) {
        if (!get(c, "sum", r, &one, sizeof one))
            return 0;
        total += one;
    }
    memcpy(c->to, &total, sizeof total);
    return 1;
}

static int hear(struct stub_comm *c)
{
    const int is_neighbour = c->from == (c->rank + 1) % c->n;
    char kind[32];

    snprintf(kind, sizeof kind, "to-%d", c->rank);
    if ((is_neighbour && is_faulty(STUB_DEAF, c->rank)) ||
        !get(c, kind, c->from, c->to, sizeof(int64_t)))
        return 0;
    *(int64_t *)c->to += is_neighbour && is_faulty(STUB_WRONG_PAIR, c->rank);
    return 1;
}

cudaError_t cudaStreamQuery(cudaStream_t s)
{
    int done = 1;

    (void)s;
    if (current && current->task == SUM)
        done = sum(current);
    else if (current && current->task == TAKE)
        done = get(current, "data", 0, current->to, current->bytes);
    else if (current && current->task == HEAR)
        done = hear(current);
    if (done && current)
        current->task = NOTHING;
    return done ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaGetLastError(void)
{
    return cudaSuccess;
}

const char *cudaGetErrorString(cudaError_t e)
{
    (void)e;
    return "an error of the stub's";
}

/* -------------------------------------------------------------------------- NCCL */

ncclResult_t ncclGetVersion(int *v)
{
    *v = 0;
    return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId *id)
{
    static int n;

    snprintf(id->internal, sizeof id->internal, "%d-%d", (int)getpid(), n++);
    return stub_nccl == STUB_NO_ID ? ncclSystemError : ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t *out, int n, ncclUniqueId id, int rank,
                                    ncclConfig_t *config)
{
    struct stub_comm *c;

    if (config->blocking != 0)
        abort(); /* would be a program that may hang */
    if (is_faulty(STUB_NO_INIT, rank))
        return ncclSystemError;
    c = calloc(1, sizeof *c);
    if (!c)
        abort();
    snprintf(c->id, sizeof c->id, "%s", id.internal);
    c->rank = rank;
    c->n = n;
    if (!is_faulty(STUB_NEVER, rank))
        put(c, "here", "", 0);
    stub_nccl_open++;
    stub_nccl_made++;
    *out = current = c;
    return ncclInProgress;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t c, ncclResult_t *state)
{
    *state = c->broken ? ncclSystemError : ncclSuccess;
    for (int r = 0; r < c->n; r++)
        if (!get(c, "here", r, NULL, 0))
            *state = ncclInProgress;
    return ncclSuccess;
}

ncclResult_t ncclAllReduce(const void *send, void *recv, size_t count, ncclDataType_t type,
                           ncclRedOp_t op, ncclComm_t c, cudaStream_t s)
{
    (void)op;
    (void)s;
    if (count != 1 || type != ncclInt64)
        abort();
    put(c, "sum", send, sizeof(int64_t));
    c->to = recv;
    c->task = SUM;
    return ncclInProgress;
}

ncclResult_t ncclBroadcast(const void *send, void *recv, size_t count, ncclDataType_t type,
                           int root, ncclComm_t c, cudaStream_t s)
{
    (void)s;
    if (root != 0 || type != ncclUint8)
        abort();
    c->broken = is_faulty(STUB_LATE, c->rank);
    if (c->rank == 0) {
        put(c, "data", send, count);
        return ncclInProgress;
    }
    c->to = recv;
    c->bytes = count;
    c->task = TAKE;
    return ncclInProgress;
}

ncclResult_t ncclSend(const void *send, size_t count, ncclDataType_t type, int peer, ncclComm_t c,
                      cudaStream_t s)
{
    char kind[32];

    (void)s;
    if (count != 1 || type != ncclInt64)
        abort();
    snprintf(kind, sizeof kind, "to-%d", peer);
    put(c, kind, send, sizeof(int64_t));
    return ncclInProgress;
}

ncclResult_t ncclRecv(void *recv, size_t count, ncclDataType_t type, int peer, ncclComm_t c,
                      cudaStream_t s)
{
    (void)s;
    if (count != 1 || type != ncclInt64)
        abort();
    c->to = recv;
    c->from = peer;
    c->task = HEAR;
    return ncclInProgress;
}

ncclResult_t ncclCommFinalize(ncclComm_t c)
{
    (void)c;
    return ncclInProgress;
}

ncclResult_t ncclCommDestroy(ncclComm_t c)
{
    stub_nccl_open--;
    current = NULL;
    free(c);
    return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t c)
{
    return ncclCommDestroy(c);
}

const char *ncclGetErrorString(ncclResult_t r)
{
    (void)r;
    return "unhandled system error";
}

const char *ncclGetLastError(ncclComm_t c)
{
    (void)c;
    return "the stub's reason";
}
