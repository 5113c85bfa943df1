/* Devices, versions and errors. */
#include "standin.h"

#include <stdio.h>
#include <string.h>

static _Thread_local cudaError_t last = cudaSuccess;
static _Thread_local int current;
static bool lost;

cudaError_t standin_error(cudaError_t error)
{
    last = error;
    return error;
}

void standin_lose(void)
{
    lost = true;
}

cudaError_t standin_state(void)
{
    return lost ? standin_error(cudaErrorIllegalAddress) : cudaSuccess;
}

cudaError_t cudaGetLastError(void)
{
    const cudaError_t e = last;

    last = cudaSuccess;
    return e;
}

cudaError_t cudaPeekAtLastError(void)
{
    return last;
}

const char *cudaGetErrorName(cudaError_t error)
{
    switch (error) {
    case cudaErrorMemoryAllocation:
        return "cudaErrorMemoryAllocation";
    case cudaErrorNoKernelImageForDevice:
        return "cudaErrorNoKernelImageForDevice";
    case cudaErrorUnsupportedPtxVersion:
        return "cudaErrorUnsupportedPtxVersion";
    case cudaErrorInvalidValue:
        return "cudaErrorInvalidValue";
    case cudaErrorInvalidDevice:
        return "cudaErrorInvalidDevice";
    default:
        return "error of the stand-in";
    }
}

const char *cudaGetErrorString(cudaError_t error)
{
    switch (error) {
    case cudaErrorMemoryAllocation:
        return "out of memory";
    case cudaErrorNoKernelImageForDevice:
        return "no kernel image is available for execution on the device";
    case cudaErrorUnsupportedPtxVersion:
        return "the provided PTX was compiled with an unsupported toolchain.";
    default:
        return cudaGetErrorName(error);
    }
}

cudaError_t cudaDriverGetVersion(int *version)
{
    *version = (int)standin_number("STANDIN_DRIVER", CUDART_VERSION);
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version)
{
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *n)
{
    *n = 0;
    if (standin_number("STANDIN_DRIVER", CUDART_VERSION) / 1000 < CUDART_VERSION / 1000)
        return standin_error(cudaErrorInsufficientDriver);
    while (standin_host_gpu(*n) >= 0)
        (*n)++;
    return *n > 0 ? cudaSuccess : standin_error(cudaErrorNoDevice);
}

cudaError_t cudaSetDevice(int device)
{
    if (standin_host_gpu(device) < 0)
        return standin_error(cudaErrorInvalidDevice);
    current = device;
    return cudaSuccess;
}

cudaError_t cudaGetDevice(int *device)
{
    *device = current;
    return cudaSuccess;
}

/* The UUID and the place on the bus tell the host's GPUs apart, whatever a process calls them. */
cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int device)
{
    const standin_card *c = standin_here();
    const int gpu = standin_host_gpu(device);

    if (gpu < 0)
        return standin_error(cudaErrorInvalidDevice);
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "%s", c->name);
    memset(p->uuid.bytes, 0x5d, sizeof p->uuid.bytes);
    p->uuid.bytes[15] = (char)gpu;
    p->pciBusID = 1 + gpu;
    p->major = c->major;
    p->minor = c->minor;
    p->multiProcessorCount = c->processors;
    p->totalGlobalMem = standin_card_bytes();
    p->sharedMemPerBlock = (size_t)48 << 10;
    p->sharedMemPerBlockOptin = (size_t)c->block_shared;
    p->sharedMemPerMultiprocessor = (size_t)c->processor_shared;
    p->maxThreadsPerMultiProcessor = c->processor_threads;
    p->maxThreadsPerBlock = 1024;
    p->regsPerBlock = p->regsPerMultiprocessor = 65536;
    p->warpSize = 32;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int device)
{
    struct cudaDeviceProp p;
    const cudaError_t e = cudaGetDeviceProperties(&p, device);

    if (e != cudaSuccess)
        return e;
    switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor:
        *value = p.major;
        return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
        *value = p.minor;
        return cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
        *value = p.multiProcessorCount;
        return cudaSuccess;
    default:
        standin_stop("cudaDeviceGetAttribute: attribute %d is not known here", (int)attribute);
    }
}

/* There is no driver below; the program has another way to what it would ask. */
cudaError_t cudaGetDriverEntryPointByVersion(const char *symbol, void **function, unsigned version,
                                             unsigned long long flags,
                                             enum cudaDriverEntryPointQueryResult *found)
{
    (void)symbol, (void)version, (void)flags;
    *function = NULL;
    *found = cudaDriverEntryPointSymbolNotFound;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetPCIBusId(char *id, int bytes, int device)
{
    const int gpu = standin_host_gpu(device);

    if (gpu < 0)
        return standin_error(cudaErrorInvalidDevice);
    snprintf(id, (size_t)bytes, "0000:%02x:00.0", 1 + gpu);
    return cudaSuccess;
}
