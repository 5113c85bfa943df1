/* Device memory: addresses that nothing on the host may touch, counted against the card's bytes. */
#define _DEFAULT_SOURCE
#include "standin.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CONTEXT_BYTES ((size_t)450 << 20) /* what the context of a process was seen to take */
#define BLOCKS        8192
#define RIGHT         0
#define WRONG         0x3f /* bytes of numbers of 0.75 */

typedef struct {
    char *at;
    size_t bytes;
} block;

static block blocks[BLOCKS];
static int n_blocks;
static size_t held;
static struct {
    const char *from, *to;
} wrong; /* what a library has computed wrongly; empty: nothing */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static size_t left(void)
{
    const size_t total = standin_card_bytes(), taken = held + CONTEXT_BYTES;

    return taken < total ? total - taken : 0;
}

static cudaError_t take(void **p, size_t bytes)
{
    void *at = MAP_FAILED;

    if (bytes <= left())
        at = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return cudaErrorMemoryAllocation;
    if (n_blocks == BLOCKS)
        standin_stop("more than %d allocations at a time", BLOCKS);
    blocks[n_blocks++] = (block){.at = at, .bytes = bytes};
    held += bytes;
    *p = at;
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **p, size_t bytes)
{
    cudaError_t e;

    if (standin_capturing())
        standin_stop("cudaMalloc while a graph is captured");
    pthread_mutex_lock(&lock);
    e = take(p, bytes);
    pthread_mutex_unlock(&lock);
    if (e != cudaSuccess)
        return standin_error(e);
    standin_count("allocations", 1);
    standin_most("peak_bytes", held);
    return cudaSuccess;
}

/* Index of the block with [p, p + bytes), -1: there is none. */
static int find(const void *p, size_t bytes)
{
    for (int i = n_blocks - 1; i >= 0; i--) {
        const char *from = blocks[i].at;

        if ((const char *)p >= from && (const char *)p < from + blocks[i].bytes)
            return bytes <= (size_t)(from + blocks[i].bytes - (const char *)p) ? i : -1;
    }
    return -1;
}

cudaError_t cudaFree(void *p)
{
    int i;

    if (!p)
        return standin_state();
    if (standin_capturing())
        standin_stop("cudaFree while a graph is captured");
    pthread_mutex_lock(&lock);
    i = find(p, 0);
    if (i < 0 || blocks[i].at != p)
        standin_stop("cudaFree of what cudaMalloc did not give, or of what is freed");
    munmap(blocks[i].at, blocks[i].bytes);
    held -= blocks[i].bytes;
    blocks[i] = blocks[--n_blocks];
    pthread_mutex_unlock(&lock);
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *free_bytes, size_t *total)
{
    *total = standin_card_bytes();
    *free_bytes = left();
    return cudaSuccess;
}

cudaError_t cudaMallocHost(void **p, size_t bytes)
{
    *p = malloc(bytes);
    return *p ? cudaSuccess : standin_error(cudaErrorMemoryAllocation);
}

cudaError_t cudaFreeHost(void *p)
{
    free(p);
    return cudaSuccess;
}

void standin_device_range(const void *p, size_t bytes, const char *who)
{
    bool inside;

    pthread_mutex_lock(&lock);
    inside = find(p, bytes) >= 0;
    pthread_mutex_unlock(&lock);
    if (!inside)
        standin_stop("%s: %zu bytes at %p are not inside one allocation of the GPU", who, bytes, p);
}

void standin_wrote(const void *p, bool is_wrong)
{
    int i;

    pthread_mutex_lock(&lock);
    i = find(p, 0);
    if (is_wrong) {
        wrong.from = p;
        wrong.to = blocks[i].at + blocks[i].bytes;
    } else if (blocks[i].at + blocks[i].bytes == wrong.to) {
        wrong.from = wrong.to = NULL;
    }
    pthread_mutex_unlock(&lock);
}

static void check_host(const void *p, size_t bytes)
{
    if (!p || find(p, 0) >= 0)
        standin_stop("cudaMemcpyAsync: %zu bytes at %p are not host memory", bytes, p);
}

cudaError_t cudaMemcpyAsync(void *dst, const void *src, size_t bytes, enum cudaMemcpyKind kind,
                            cudaStream_t stream)
{
    if (bytes == 0)
        return cudaSuccess;
    if (kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToHost)
        standin_not_captured(stream, "a copy between host and GPU");
    if (kind == cudaMemcpyHostToDevice)
        check_host(src, bytes);
    else
        standin_device_range(src, bytes, "cudaMemcpyAsync, source");
    if (kind == cudaMemcpyDeviceToHost) {
        check_host(dst, bytes);
        memset(dst, src >= (const void *)wrong.from && src < (const void *)wrong.to ? WRONG : RIGHT,
               bytes);
    } else {
        standin_device_range(dst, bytes, "cudaMemcpyAsync, destination");
    }
    standin_queue(stream, STANDIN_COPY);
    return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void *p, int value, size_t bytes, cudaStream_t stream)
{
    (void)value;
    if (bytes > 0)
        standin_device_range(p, bytes, "cudaMemsetAsync");
    standin_queue(stream, STANDIN_SET);
    return cudaSuccess;
}
