/* The CUDA backend: one stream on one GPU, its memory and its workspace.
 *
 * Uploads go through two pinned buffers in turn, so that the host may have its memory back at once;
 * only downloads, elapsed and sync wait for the device. */
#include "kernels/cuda/cuda_internal.h"

#include <assert.h>
#include <cudaTypedefs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define PINNED_BYTES ((size_t)16 << 20)
#define PIECE_BYTES  ((size_t)2 << 20) /* of a download */

/* -------------------------------------------------------------------- memory */

static skv_status cuda_alloc(skv_backend *be, void *out, size_t bytes, const char *what)
{
    const size_t size = bytes ? skv_align_up(bytes) : SKV_ALIGN;
    void *p = NULL;
    cudaError_t error = cudaMalloc(&p, size);

    if (error == cudaErrorMemoryAllocation) {
        size_t free_bytes = 0, total = 0;

        (void)cudaGetLastError();
        (void)cudaMemGetInfo(&free_bytes, &total);
        return skv_fail(SKV_E_MEM, "%s: %zu bytes wanted on GPU %d, %zu of %zu are free", what,
                        bytes, skv_cuda__of(be)->device, free_bytes, total);
    }
    SKV_CUDA(error);
    SKV_CUDA(cudaMemsetAsync(p, 0, size, skv_cuda__of(be)->stream));
    be->n_allocs++;
    memcpy(out, &p, sizeof p);
    return SKV_OK;
}

static void cuda_free(skv_backend *be, void *p)
{
    (void)be;
    (void)cudaFree(p); /* waits for what still uses it */
}

static skv_status wait(skv_backend *be)
{
    assert(!skv_cuda__of(be)->capturing);
    be->n_waits++;
    SKV_CUDA(cudaStreamSynchronize(skv_cuda__of(be)->stream));
    return SKV_OK;
}

/* One pinned buffer after the other: filled by the host while the device empties the other one. */
static skv_status cuda_upload(skv_backend *be, void *dst, const void *src, size_t bytes)
{
    skv_cuda *c = skv_cuda__of(be);

    assert(!c->capturing); /* a graph would repeat the copy from a buffer that has changed since */
    for (size_t at = 0; at < bytes; at += PINNED_BYTES) {
        const size_t n = bytes - at < PINNED_BYTES ? bytes - at : PINNED_BYTES;
        const int turn = c->turn;

        c->turn ^= 1;

        SKV_CUDA(cudaEventSynchronize(c->emptied[turn]));
        memcpy(c->pinned[turn], (const char *)src + at, n);
        SKV_CUDA(cudaMemcpyAsync((char *)dst + at, c->pinned[turn], n, cudaMemcpyHostToDevice,
                                 c->stream));
        SKV_CUDA(cudaEventRecord(c->emptied[turn], c->stream));
    }
    return SKV_OK;
}

/* Through the pinned buffers too: the host empties one while the device fills the other. */
static skv_status cuda_download(skv_backend *be, void *dst, const void *src, size_t bytes)
{
    skv_cuda *c = skv_cuda__of(be);
    size_t done = 0, filled[2] = {0, 0}, at[2] = {0, 0};

    assert(!c->capturing);
    be->n_waits++;
    for (size_t next = 0; done < bytes;) {
        const int turn = c->turn;

        if (filled[turn] > 0) {
            SKV_CUDA(cudaEventSynchronize(c->emptied[turn]));
            memcpy((char *)dst + at[turn], c->pinned[turn], filled[turn]);
            done += filled[turn];
            filled[turn] = 0;
        }
        if (next < bytes) {
            const size_t n = bytes - next < PIECE_BYTES ? bytes - next : PIECE_BYTES;

            SKV_CUDA(cudaEventSynchronize(c->emptied[turn])); /* of an upload before */
            SKV_CUDA(cudaMemcpyAsync(c->pinned[turn], (const char *)src + next, n,
                                     cudaMemcpyDeviceToHost, c->stream));
            SKV_CUDA(cudaEventRecord(c->emptied[turn], c->stream));
            at[turn] = next;
            filled[turn] = n;
            next += n;
        }
        c->turn ^= 1;
    }
    return SKV_OK;
}

static skv_status cuda_mark(skv_backend *be, int mark)
{
    skv_cuda *c = skv_cuda__of(be);

    SKV_CUDA(cudaEventRecord(c->mark[mark], c->stream));
    return SKV_OK;
}

static skv_status cuda_elapsed(skv_backend *be, int from, int to, double *seconds)
{
    skv_cuda *c = skv_cuda__of(be);
    float ms = 0;

    be->n_waits++;
    SKV_CUDA(cudaEventSynchronize(c->mark[to]));
    SKV_CUDA(cudaEventElapsedTime(&ms, c->mark[from], c->mark[to]));
    *seconds = 1e-3 * (double)ms;
    return SKV_OK;
}

static skv_status cuda_memory(skv_backend *be, size_t *free_bytes, size_t *total_bytes)
{
    SKV_TRY(wait(be));
    SKV_CUDA(cudaMemGetInfo(free_bytes, total_bytes));
    return SKV_OK;
}

/* ------------------------------------------------------------------- weights */

skv_status skv_cuda__upload_as(skv_backend *be, void *dst, skv_dtype dst_type, const void *src,
                               skv_dtype src_type, size_t n, bool tf32)
{
    const size_t from = skv_dtype_bytes(src_type), to = skv_dtype_bytes(dst_type);
    const size_t step = SKV_CUDA_WORKSPACE / from;
    char *raw = skv_cuda__of(be)->workspace;

    if (src_type == dst_type && !tf32)
        return cuda_upload(be, dst, src, n * from);
    for (size_t at = 0; at < n; at += step) {
        const size_t count = n - at < step ? n - at : step;

        SKV_TRY(cuda_upload(be, raw, (const char *)src + at * from, count * from));
        SKV_TRY(skv_cuda__convert(be, (char *)dst + at * to, dst_type, raw, src_type,
                                  (int64_t)count, tf32));
    }
    return SKV_OK;
}

skv_status skv_cuda__pack_linear(skv_backend *be, skv_tensor *out, void *dst, const void *src,
                                 skv_dtype src_type, int64_t n, int64_t k)
{
    *out = SKV_TENSOR(dst, be->weight, be->device, n, k);
    if (!src)
        return SKV_OK;
    return skv_cuda__upload_as(be, dst, be->weight, src, src_type, (size_t)(n * k),
                               skv_cuda__of(be)->tf32);
}

/* (co,ci,3,3) -> (co,3,3,ci) on the host: convolutions are small. */
skv_status skv_cuda__pack_conv(skv_backend *be, skv_tensor *out, void *dst, const void *src,
                               skv_dtype src_type, int64_t co, int64_t ci)
{
    const size_t element = skv_dtype_bytes(src_type);
    const char *x = src;
    char *y = NULL;
    skv_status st;

    *out = SKV_TENSOR(dst, be->weight, be->device, co, 3, 3, ci);
    if (!src)
        return SKV_OK;
    SKV_TRY(skv_alloc(&y, (size_t)(co * ci) * 9, element, "packing a convolution"));
    for (int64_t o = 0; o < co; o++)
        for (int64_t c = 0; c < ci; c++)
            for (int64_t t = 0; t < 9; t++)
                memcpy(y + (size_t)((o * 9 + t) * ci + c) * element,
                       x + (size_t)((o * ci + c) * 9 + t) * element, element);
    st = skv_cuda__upload_as(be, dst, be->weight, y, src_type, (size_t)(co * ci) * 9, false);
    free(y);
    return st;
}

/* ------------------------------------------------------------------ lifetime */

static const char *cuda_describe(const skv_backend *be)
{
    return skv_cuda__of(be)->description;
}

static void cuda_destroy(skv_backend *be)
{
    skv_cuda *c = skv_cuda__of(be);

    if (c) {
        if (c->stream)
            (void)cudaStreamSynchronize(c->stream);
        skv_cuda__graphs_destroy(c);
        skv_cuda__networks_destroy(c->networks);
        skv_cuda__matmuls_destroy(c->matmuls);
        for (int i = 0; i < 2; i++) {
            (void)cudaFreeHost(c->pinned[i]);
            if (c->emptied[i])
                (void)cudaEventDestroy(c->emptied[i]);
            if (c->timing[i])
                (void)cudaEventDestroy(c->timing[i]);
        }
        for (int i = 0; i < SKV_MARKS; i++)
            if (c->mark[i])
                (void)cudaEventDestroy(c->mark[i]);
        (void)cudaFree(c->workspace);
        if (c->stream)
            (void)cudaStreamDestroy(c->stream);
    }
    free(c);
    skv_tuning_clear(&be->tuning);
    free(be);
}

static const skv_ops cuda_ops = {
#define X(op) .op = skv_cuda_##op,
    SKV_OPS(X)
#undef X
        .alloc = cuda_alloc,
    .free = cuda_free,
    .upload = cuda_upload,
    .download = cuda_download,
    .sync = wait,
    .mark = cuda_mark,
    .elapsed = cuda_elapsed,
    .capture = skv_cuda__capture,
    .launch = skv_cuda__launch,
    .memory = cuda_memory,
    .destroy = cuda_destroy,
    .describe = cuda_describe,
    .packed_linear_bytes = skv_cuda__packed_linear_bytes,
    .packed_conv_bytes = skv_cuda__packed_conv_bytes,
    .pack_linear = skv_cuda__pack_linear,
    .pack_conv = skv_cuda__pack_conv,
};

skv_status skv_cuda_count(int *n)
{
    cudaError_t error;
    int driver = 0;

    *n = 0;
    if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0)
        return skv_fail(SKV_E_NOTFOUND, "no NVIDIA driver on this machine");
    error = cudaGetDeviceCount(n);
    (void)cudaGetLastError();
    if (error == cudaErrorNoDevice)
        *n = 0;
    else if (error == cudaErrorInsufficientDriver)
        return skv_fail(SKV_E_CUDA,
                        "the NVIDIA driver serves CUDA %d.%d, this program wants %d.%d: a newer "
                        "driver is needed",
                        driver / 1000, driver % 1000 / 10, CUDART_VERSION / 1000,
                        CUDART_VERSION % 1000 / 10);
    else
        SKV_CUDA(error);
    return SKV_OK;
}

/* The runtime's properties of a MIG instance may hold the UUID of the whole GPU; this call of the
 * driver's has the instance's. Drivers before 11.4, which know no MIG of this kind, lack it. */
static void ask_driver(cudaUUID_t *uuid, int device)
{
    PFN_cuDeviceGetUuid_v11040 get_uuid = NULL;
    enum cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
    cudaUUID_t answer;

    if (cudaGetDriverEntryPointByVersion("cuDeviceGetUuid", (void **)&get_uuid, 11040,
                                         cudaEnableDefault, &found) == cudaSuccess &&
        found == cudaDriverEntryPointSuccess && get_uuid &&
        get_uuid(&answer, device) == CUDA_SUCCESS)
        *uuid = answer;
    (void)cudaGetLastError();
}

skv_status skv_cuda_identity(char out[SKV_GPU_NAME_BYTES], int device)
{
    struct cudaDeviceProp p;
    char *at = out;

    out[0] = '\0';
    SKV_CUDA(cudaGetDeviceProperties(&p, device));
    ask_driver(&p.uuid, device);
    at += snprintf(at, SKV_GPU_NAME_BYTES, "GPU");
    for (int i = 0; i < 16; i++)
        at += snprintf(at, 4, i == 0 || i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
                       (unsigned char)p.uuid.bytes[i]);
    return SKV_OK;
}

static int64_t number_of(const char *variable)
{
    const char *v = getenv(variable);

    return v ? strtoll(v, NULL, 10) : 0;
}

static skv_status describe(skv_cuda *c, const skv_cuda_options *o)
{
    struct cudaDeviceProp p;
    int driver = 0;

    SKV_CUDA(cudaGetDeviceProperties(&p, o->device));
    c->sm = 10 * p.major + p.minor;
    c->shared = p.sharedMemPerBlockOptin;
    if (o->shared > 0 && o->shared < c->shared)
        c->shared = o->shared;
    c->processors = p.multiProcessorCount;
    SKV_TRY(skv_cuda__check_gpu(&p, o->device));
    SKV_CUDA(cudaDriverGetVersion(&driver));
    snprintf(c->description, sizeof c->description,
             "%.64s (%d.%d, %d multiprocessors), driver for CUDA %d.%d, cuBLASLt %zu, cuDNN %zu, "
             "%s%s",
             p.name, p.major, p.minor, c->processors, driver / 1000, driver % 1000 / 10,
             skv_cuda__matmuls_version(), skv_cuda__networks_version(), skv_dtype_name(o->type),
             o->tf32 ? " (TF32 products)" : "");
    return SKV_OK;
}

static skv_status take_resources(skv_cuda *c)
{
    SKV_CUDA(cudaStreamCreateWithFlags(&c->stream, cudaStreamNonBlocking));
    SKV_CUDA(cudaMalloc((void **)&c->workspace, SKV_CUDA_WORKSPACE));
    for (int i = 0; i < 2; i++) {
        SKV_CUDA(cudaMallocHost((void **)&c->pinned[i], PINNED_BYTES));
        SKV_CUDA(cudaEventCreateWithFlags(&c->emptied[i], cudaEventDisableTiming));
    }
    for (int i = 0; i < SKV_MARKS; i++)
        SKV_CUDA(cudaEventCreate(&c->mark[i]));
    for (int i = 0; i < 2; i++)
        SKV_CUDA(cudaEventCreate(&c->timing[i]));
    return skv_cuda__matmuls_create(&c->matmuls);
}

skv_status skv_backend_open_cuda(skv_backend **out, const skv_cuda_options *options)
{
    skv_status st;
    skv_backend *be = NULL;
    skv_cuda *c = NULL;
    int n = 0;

    if (options->type != SKV_BF16 && options->type != SKV_F32)
        return skv_fail(SKV_E_ARG, "GPU %d: it computes in bf16 or fp32, not in %s",
                        options->device, skv_dtype_name(options->type));
    SKV_TRY(skv_cuda_count(&n));
    if (options->device < 0 || options->device >= n)
        return skv_fail(SKV_E_ARG, "GPU %d: the driver shows %d", options->device, n);
    SKV_TRY(skv_alloc(&be, 1, sizeof *be, "backend"));
    *be = (skv_backend){.name = "cuda",
                        .device = SKV_CUDA_DEVICE,
                        .act = options->type,
                        .weight = options->type,
                        .kv = options->type,
                        .own_bytes = SKV_CUDA_WORKSPACE,
                        .limits = &skv_limits_cuda,
                        .ops = &cuda_ops};
    SKV_TRY_GOTO(skv_alloc(&c, 1, sizeof *c, "backend"), done);
    be->impl = c;
    c->device = options->device;
    c->tf32 = options->tf32;
    c->drain = number_of("SKV_SYNC") == 1;
    c->fault = number_of("SKV_FAULT_LAUNCH");
    if (cudaSetDevice(c->device) != cudaSuccess)
        SKV_TRY_GOTO(skv_cuda__failed(cudaGetLastError(), "cudaSetDevice", __FILE__, __LINE__),
                     done);
    SKV_TRY_GOTO(describe(c, options), done);
    SKV_TRY_GOTO(take_resources(c), done);
    *out = be;
    be = NULL;
done:
    if (be)
        cuda_destroy(be);
    return st;
}
