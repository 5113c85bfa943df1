/* A backend: one stream of operations on one device, its memory, and its working types.
 *
 * Host code cannot tell which one runs. The CPU form works in fp32 with a fixed split of the work
 * into tiles, so no result depends on the number of threads. */
#ifndef SKV_KERNELS_BACKEND_H
#define SKV_KERNELS_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/flag.h"
#include "core/status.h"
#include "core/tensor.h"
#include "kernels/limits.h"
#include "kernels/tuning.h"

typedef struct skv_ops skv_ops; /* kernels/ops.h */

typedef struct skv_backend {
    const char *name; /* "cpu", "cuda" */
    skv_device device;
    skv_dtype act;    /* activations between operations */
    skv_dtype weight; /* matrices */
    skv_dtype kv;     /* cached keys and values */
    const skv_ops *ops;
    const skv_limits *limits; /* where it changes its way of computing */
    int64_t n_allocs;         /* backend allocations so far: a test wants 0 inside the scale loop */
    int64_t n_waits;          /* times the host waited for the device: 0 there, too */
    int64_t flops;            /* counted by the linear, attention and convolution operations */
    size_t own_bytes;     /* device memory that it took for itself when it was opened: workspace */
    skv_tuning tuning;    /* of libraries that offer several algorithms */
    const skv_flag *stop; /* NULL; or: not 0 ends loading and tuning */
    void *impl;           /* the backend's own state */
} skv_backend;

/* For what takes long beside the scale loop: SKV_E_STOPPED once *be->stop is not 0. */
SKV_MUST skv_status skv_backend_go_on(const skv_backend *be);

/* CPU backend with `n_threads` >= 1 worker threads (the caller's included). Sets OpenBLAS to one
 * thread a call. Caller destroys. */
SKV_MUST skv_status skv_backend_open_cpu(skv_backend **out, int n_threads);

/* How a GPU is used. */
typedef struct {
    int device;     /* as CUDA counts them in this process */
    skv_dtype type; /* of activations, matrices, keys and values: SKV_BF16, or SKV_F32 to check */
    bool tf32;      /* SKV_F32 only: products in TF32, operands rounded to nearest (for T5) */
    size_t shared;  /* 0; or (for checks): bytes of shared memory that a block may have at most, as
                     * on a smaller GPU */
} skv_cuda_options;

/* CUDA backend with a stream of its own. Fails with SKV_E_UNSUPPORTED in a build without CUDA.
 * Caller destroys. */
SKV_MUST skv_status skv_backend_open_cuda(skv_backend **out, const skv_cuda_options *options);

/* For plans alone: the types and sizes of the CUDA backend on a GPU of so many bytes, in any build
 * and on any machine. Nothing can be computed on it. name is copied; caller destroys. */
SKV_MUST skv_status skv_backend_open_planned(skv_backend **out, const char *name, size_t bytes,
                                             skv_dtype type);

/* GPUs that the driver shows. SKV_E_UNSUPPORTED: a build without CUDA; SKV_E_NOTFOUND: no driver;
 * SKV_E_CUDA: a driver that is too old or broken. */
SKV_MUST skv_status skv_cuda_count(int *n);

/* out = "GPU-…", the driver's name of a device (counted as CUDA does in this process): the same in
 * all processes that use it, however each of them counts. Fails as skv_cuda_count does. */
#define SKV_GPU_NAME_BYTES 48
SKV_MUST skv_status skv_cuda_identity(char out[SKV_GPU_NAME_BYTES], int device);

/* Accepts NULL. */
void skv_backend_destroy(skv_backend *be);

/* "OpenBLAS 0.3.21 Zen, 2 threads": library, kernels and device that the bytes depend on; borrowed.
 */
const char *skv_backend_describe(const skv_backend *be);

/* Device memory, SKV_ALIGN-aligned and zeroed. Free accepts NULL. */
SKV_MUST skv_status skv_backend_alloc(skv_backend *be, void *out, size_t bytes, const char *what);
void skv_backend_free(skv_backend *be, void *p);

/* Copies between host and device memory, in stream order; they return when the host's buffer may
 * be used again. */
SKV_MUST skv_status skv_backend_upload(skv_backend *be, void *dst, const void *src, size_t bytes);
SKV_MUST skv_status skv_backend_download(skv_backend *be, void *dst, const void *src, size_t bytes);

/* Waits for everything queued. */
SKV_MUST skv_status skv_backend_sync(skv_backend *be);

/* A mark (an event) notes, without waiting, when everything queued so far is done; there are
 * SKV_MARKS of them. seconds: between two marks; waits for the later one. */
#define SKV_MARKS 64
SKV_MUST skv_status skv_backend_mark(skv_backend *be, int mark);
SKV_MUST skv_status skv_backend_elapsed(skv_backend *be, int from, int to, double *seconds);

/* Operations between the two may be gathered and started together (CUDA graphs), nothing else of
 * the backend being called meanwhile. slot < SKV_CAPTURES: the same sequence of operations as last
 * time, with any arguments, is cheapest. launch always ends what capture began: it takes the status
 * of what came between and returns it if it is not SKV_OK. */
#define SKV_CAPTURES 16
SKV_MUST skv_status skv_backend_capture(skv_backend *be);
SKV_MUST skv_status skv_backend_launch(skv_backend *be, int slot, skv_status st);

/* Device memory: free now, and in all. The CPU counts the machine's. */
SKV_MUST skv_status skv_backend_memory(skv_backend *be, size_t *free_bytes, size_t *total_bytes);

#endif
