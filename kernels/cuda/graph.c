/* Operations gathered in a CUDA graph and launched at once: between kernels of a graph the device
 * loses about a microsecond less, and the host has less to do.
 *
 * Texts, seeds and places in the cache are arguments of the kernels, so the operations are
 * captured anew each time and laid over the slot's graph of the last time. Only another sequence of
 * kernels needs a new one, for which the driver takes memory, about 3 MiB a scale of the 2B. */
#include "kernels/cuda/cuda_internal.h"

/* No capture while candidates are timed, or a failing launch is searched for, one by one. */
skv_status skv_cuda__capture(skv_backend *be)
{
    skv_cuda *c = skv_cuda__of(be);

    if (be->tuning.measuring || c->drain)
        return SKV_OK;
    /* relaxed: a library may still load a kernel at its first use */
    SKV_CUDA(cudaStreamBeginCapture(c->stream, cudaStreamCaptureModeRelaxed));
    c->capturing = true;
    return SKV_OK;
}

static skv_status launch(skv_cuda *c, int slot, cudaGraph_t graph)
{
    cudaGraphExec_t *exec = &c->graph[slot];
    cudaGraphExecUpdateResultInfo info;

    if (!*exec || cudaGraphExecUpdate(*exec, graph, &info) != cudaSuccess) {
        (void)cudaGetLastError();
        if (*exec)
            SKV_CUDA(cudaGraphExecDestroy(*exec)); /* once it has run */
        *exec = NULL;
        SKV_CUDA(cudaGraphInstantiate(exec, graph, 0));
    }
    SKV_CUDA(cudaGraphLaunch(*exec, c->stream));
    return SKV_OK;
}

skv_status skv_cuda__launch(skv_backend *be, int slot, skv_status st)
{
    skv_cuda *c = skv_cuda__of(be);
    cudaGraph_t graph = NULL;
    cudaError_t error;

    if (!c->capturing)
        return st;
    c->capturing = false;
    error = cudaStreamEndCapture(c->stream, &graph);
    if (st != SKV_OK)
        (void)cudaGetLastError(); /* of the capture, which the failed operation may have broken */
    else if (error != cudaSuccess)
        st = skv_cuda__failed(error, "cudaStreamEndCapture", __FILE__, __LINE__);
    else
        st = launch(c, slot, graph);
    if (graph)
        (void)cudaGraphDestroy(graph);
    return st;
}

void skv_cuda__graphs_destroy(skv_cuda *c)
{
    for (int i = 0; i < SKV_CAPTURES; i++)
        if (c->graph[i])
            (void)cudaGraphExecDestroy(c->graph[i]);
}
