/* Kernels: what the program registers at its start, and each launch against the card's limits:
 * threads, grid, dynamic shared memory. Registers and static shared memory are not known here; the
 * compiler has kept them within what all cards have. */
#define _POSIX_C_SOURCE 200809L
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KERNELS       2048
#define NESTED        8          /* launches begun and not yet made */
#define PLAIN_SHARED  (48 << 10) /* bytes of a block that are not asked for */
#define BLOCK_THREADS 1024
#define BLOCK_DEPTH   64 /* threads along z */
#define GRID_SIDE     65535

typedef struct {
    const void *stub; /* the host's function of the same name */
    const char *name; /* mangled */
    cudaError_t code; /* cudaSuccess: there is some for this card */
    int allowed;      /* bytes of dynamic shared memory asked for beforehand */
} kernel;

typedef struct {
    dim3 grid, block;
    size_t shared;
    void *stream;
} launch;

static kernel kernels[KERNELS];
static int n_kernels;
static _Thread_local launch begun[NESTED];
static _Thread_local int n_begun;

/* What nvcc's code calls, besides the runtime's public functions. */
void **__cudaRegisterFatBinary(void *wrapper);
void __cudaRegisterFatBinaryEnd(void **module);
void __cudaUnregisterFatBinary(void **module);
void __cudaRegisterVar(void **module, char *host, char *device, const char *name, int external,
                       size_t bytes, int constant, int global);
void __cudaRegisterFunction(void **module, const char *stub, char *device, const char *name,
                            int threads, void *tid, void *bid, void *block, void *grid, int *warp);
unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, void *stream);
cudaError_t __cudaPopCallConfiguration(dim3 *grid, dim3 *block, size_t *shared, void *stream);
cudaError_t __cudaGetKernel(cudaKernel_t *k, const void *stub);
cudaError_t __cudaLaunchKernel(cudaKernel_t k, dim3 grid, dim3 block, void **args, size_t shared,
                               cudaStream_t stream);

/* ---------------------------------------------------------------- registration */

void **__cudaRegisterFatBinary(void *wrapper)
{
    void **module = malloc(sizeof *module);

    if (!module)
        standin_stop("no memory");
    *module = wrapper;
    return module;
}

void __cudaRegisterFatBinaryEnd(void **module)
{
    (void)module;
}

void __cudaUnregisterFatBinary(void **module)
{
    free(module);
}

void __cudaRegisterVar(void **module, char *host, char *device, const char *name, int external,
                       size_t bytes, int constant, int global)
{
    (void)module, (void)host, (void)device, (void)name;
    (void)external, (void)bytes, (void)constant, (void)global;
}

void __cudaRegisterFunction(void **module, const char *stub, char *device, const char *name,
                            int threads, void *tid, void *bid, void *block, void *grid, int *warp)
{
    (void)device, (void)threads, (void)tid, (void)bid, (void)block, (void)grid, (void)warp;
    if (n_kernels == KERNELS)
        standin_stop("more than %d kernels", KERNELS);
    kernels[n_kernels++] = (kernel){.stub = stub, .name = name, .code = standin_code(*module)};
}

static kernel *kernel_of(const void *stub)
{
    for (int i = 0; i < n_kernels; i++)
        if (kernels[i].stub == stub)
            return &kernels[i];
    standin_stop("a kernel that nobody has registered");
}

/* --------------------------------------------------------------------- launches */

static void check_block(const kernel *k, dim3 b)
{
    const unsigned long n = (unsigned long)b.x * b.y * b.z;

    if (n == 0 || n > BLOCK_THREADS || b.z > BLOCK_DEPTH)
        standin_stop("%s: a block of %u x %u x %u threads, at most %d", k->name, b.x, b.y, b.z,
                     BLOCK_THREADS);
    standin_most("largest_block", n);
}

static void check_grid(const kernel *k, dim3 g)
{
    if (g.x == 0 || g.y == 0 || g.z == 0 || g.x > INT32_MAX || g.y > GRID_SIDE || g.z > GRID_SIDE)
        standin_stop("%s: a grid of %u x %u x %u blocks", k->name, g.x, g.y, g.z);
}

static void check_shared(const kernel *k, size_t bytes)
{
    const standin_card *c = standin_here();

    if (bytes > (size_t)c->block_shared)
        standin_stop("%s: %zu bytes of shared memory, a block of an %s has %d", k->name, bytes,
                     c->name, c->block_shared);
    if (bytes > PLAIN_SHARED && bytes > (size_t)k->allowed)
        standin_stop("%s: %zu bytes of shared memory, %d were asked for", k->name, bytes,
                     k->allowed);
    standin_most("largest_shared", bytes);
}

/* "matmul_plain" of "_ZN12_GLOBAL__N_...12matmul_plainI..." */
static void name_of(char *name, size_t bytes, const char *mangled)
{
    const char *at = mangled;
    long n = 0;

    while (*at) {
        char *end;

        if (*at < '0' || *at > '9') {
            at++;
            continue;
        }
        n = strtol(at, &end, 10);
        if (strncmp(end, "_GLOBAL__N_", strlen("_GLOBAL__N_")) != 0)
            break;
        at = end + n;
    }
    while (*at >= '0' && *at <= '9')
        at++;
    snprintf(name, bytes, "%.*s", (int)(n > 0 && n < 80 ? n : 80), n > 0 ? at : mangled);
}

/* Launches of a kernel, and the largest of its blocks. */
static void count_kernel(const kernel *k, dim3 block, size_t shared)
{
    char name[81], what[100];

    name_of(name, sizeof name, k->name);
    snprintf(what, sizeof what, "kernel %s", name);
    standin_count(what, 1);
    snprintf(what, sizeof what, "threads %s", name);
    standin_most(what, block.x * block.y * block.z);
    snprintf(what, sizeof what, "shared %s", name);
    standin_most(what, shared);
}

cudaError_t cudaLaunchKernel(const void *stub, dim3 grid, dim3 block, void **args, size_t shared,
                             cudaStream_t stream)
{
    const kernel *k = kernel_of(stub);

    (void)args;
    if (k->code != cudaSuccess)
        return standin_error(k->code);
    check_grid(k, grid);
    check_block(k, block);
    check_shared(k, shared);
    standin_queue(stream, STANDIN_KERNEL);
    standin_count("launches", 1);
    count_kernel(k, block, shared);
    return cudaSuccess;
}

cudaError_t __cudaGetKernel(cudaKernel_t *k, const void *stub)
{
    *k = (cudaKernel_t)(uintptr_t)stub;
    return cudaSuccess;
}

cudaError_t __cudaLaunchKernel(cudaKernel_t k, dim3 grid, dim3 block, void **args, size_t shared,
                               cudaStream_t stream)
{
    return cudaLaunchKernel(k, grid, block, args, shared, stream);
}

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, void *stream)
{
    if (n_begun == NESTED)
        standin_stop("more than %d launches begun", NESTED);
    begun[n_begun++] = (launch){.grid = grid, .block = block, .shared = shared, .stream = stream};
    return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3 *grid, dim3 *block, size_t *shared, void *stream)
{
    const launch *l = &begun[--n_begun];

    *grid = l->grid;
    *block = l->block;
    *shared = l->shared;
    *(void **)stream = l->stream;
    return cudaSuccess;
}

/* ------------------------------------------------------------------- attributes */

cudaError_t cudaFuncSetAttribute(const void *stub, enum cudaFuncAttribute attribute, int value)
{
    kernel *k = kernel_of(stub);

    if (k->code != cudaSuccess)
        return standin_error(k->code);
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 ||
        value > standin_here()->block_shared)
        return standin_error(cudaErrorInvalidValue);
    k->allowed = value;
    return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *out, const void *stub)
{
    const kernel *k = kernel_of(stub);

    if (k->code != cudaSuccess)
        return standin_error(k->code);
    memset(out, 0, sizeof *out);
    out->maxThreadsPerBlock = BLOCK_THREADS;
    return cudaSuccess;
}
