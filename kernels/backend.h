/* A backend: one stream of operations on one device, its memory, and its working types.
 *
 * Host code cannot tell which one runs. The CPU form works in fp32 with a fixed split of the work
 * into tiles, so no result depends on the number of threads. */
#ifndef SKV_KERNELS_BACKEND_H
#define SKV_KERNELS_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "core/tensor.h"

typedef struct skv_ops skv_ops; /* kernels/ops.h */

typedef struct skv_backend {
    const char *name; /* "cpu", "cuda" */
    skv_device device;
    skv_dtype act;    /* activations between operations */
    skv_dtype weight; /* matrices */
    skv_dtype kv;     /* cached keys and values */
    const skv_ops *ops;
    int64_t n_allocs; /* backend allocations so far: a test wants 0 inside the scale loop */
    int64_t flops;    /* counted by the linear, attention and convolution operations */
    void *impl;       /* the backend's own state */
} skv_backend;

/* CPU backend with `n_threads` >= 1 worker threads (the caller's included). Sets OpenBLAS to one
 * thread a call. Caller destroys. */
SKV_MUST skv_status skv_backend_open_cpu(skv_backend **out, int n_threads);

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

#endif
