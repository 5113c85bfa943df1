/* Streams, events and graphs. A graph is known by the kinds of its nodes: one of another sequence
 * cannot be laid over an instance of it. */
#include "standin.h"

#include <stdlib.h>

#define HASH_SEED  14695981039346656037u
#define HASH_PRIME 1099511628211u

typedef struct {
    uint64_t kinds; /* hash of the sequence */
    uint64_t nodes;
} sequence;

struct CUstream_st {
    bool capturing;
    sequence captured;
};
struct CUevent_st {
    bool recorded, timed;
    uint64_t ms;
};
struct CUgraph_st {
    sequence is;
};
struct CUgraphExec_st {
    sequence is;
};

static int n_capturing;
static uint64_t spent; /* milliseconds, by what was queued */

static void *new_object(size_t bytes)
{
    void *p = calloc(1, bytes);

    if (!p)
        standin_stop("no memory");
    return p;
}

bool standin_capturing(void)
{
    return n_capturing > 0;
}

void standin_not_captured(cudaStream_t stream, const char *call)
{
    if (stream && stream->capturing)
        standin_stop("%s while the stream is captured", call);
}

void standin_queue(cudaStream_t stream, standin_work work)
{
    if (!stream)
        standin_stop("work in the default stream");
    standin_take(1);
    if (!stream->capturing)
        return;
    stream->captured.kinds = (stream->captured.kinds ^ (uint64_t)work) * HASH_PRIME;
    stream->captured.nodes++;
}

void standin_take(uint64_t ms)
{
    spent += ms;
}

/* --------------------------------------------------------------------- streams */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned flags)
{
    (void)flags;
    *stream = new_object(sizeof **stream);
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream)
{
    free(stream);
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream)
{
    standin_not_captured(stream, "cudaStreamSynchronize");
    return standin_state();
}

cudaError_t cudaStreamQuery(cudaStream_t stream)
{
    standin_not_captured(stream, "cudaStreamQuery");
    return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize(void)
{
    if (standin_capturing())
        standin_stop("cudaDeviceSynchronize while a graph is captured");
    return cudaSuccess;
}

/* ---------------------------------------------------------------------- events */

cudaError_t cudaEventCreate(cudaEvent_t *event)
{
    *event = new_object(sizeof **event);
    (*event)->timed = true;
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned flags)
{
    *event = new_object(sizeof **event);
    (*event)->timed = !(flags & cudaEventDisableTiming);
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event)
{
    free(event);
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream)
{
    standin_not_captured(stream, "cudaEventRecord");
    event->recorded = true;
    event->ms = spent;
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event)
{
    (void)event; /* one that was never recorded counts as done */
    if (standin_capturing())
        standin_stop("cudaEventSynchronize while a graph is captured");
    return standin_state();
}

cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t from, cudaEvent_t to)
{
    if (!from->recorded || !to->recorded || !from->timed || !to->timed)
        return standin_error(cudaErrorInvalidResourceHandle);
    *ms = to->ms > from->ms ? (float)(to->ms - from->ms) : 1;
    return cudaSuccess;
}

/* ---------------------------------------------------------------------- graphs */

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode)
{
    (void)mode;
    standin_not_captured(stream, "cudaStreamBeginCapture");
    stream->capturing = true;
    stream->captured = (sequence){.kinds = HASH_SEED};
    n_capturing++;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph)
{
    if (!stream->capturing)
        return standin_error(cudaErrorIllegalState);
    stream->capturing = false;
    n_capturing--;
    *graph = new_object(sizeof **graph);
    (*graph)->is = stream->captured;
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph)
{
    free(graph);
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long flags)
{
    (void)flags;
    *exec = new_object(sizeof **exec);
    (*exec)->is = graph->is;
    standin_count("graphs", 1);
    return cudaSuccess;
}

cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t graph,
                                cudaGraphExecUpdateResultInfo *info)
{
    (void)info;
    if (exec->is.kinds != graph->is.kinds || exec->is.nodes != graph->is.nodes)
        return standin_error(cudaErrorGraphExecUpdateFailure);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream)
{
    standin_not_captured(stream, "cudaGraphLaunch");
    (void)exec;
    standin_count("graph_launches", 1);
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec)
{
    free(exec);
    return cudaSuccess;
}
