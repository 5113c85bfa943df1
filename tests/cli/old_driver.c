/* libcuda.so.1 of a driver that serves CUDA 12.0 and nothing else: what the CUDA runtime asks of a
 * driver before it refuses one that is too old. */
#include <stdint.h>
#include <string.h>

enum { SUCCESS, NOT_SUPPORTED = 801 };

int cuDriverGetVersion(int *version);
int cuGetProcAddress_v2(const char *name, void **out, int version, uint64_t flags, int *status);

int cuDriverGetVersion(int *version)
{
    *version = 12000;
    return SUCCESS;
}

static int refuse(void)
{
    return NOT_SUPPORTED;
}

int cuGetProcAddress_v2(const char *name, void **out, int version, uint64_t flags, int *status)
{
    (void)version, (void)flags;
    *out = (void *)refuse;
    if (strcmp(name, "cuDriverGetVersion") == 0)
        *out = (void *)cuDriverGetVersion;
    else if (strcmp(name, "cuGetProcAddress") == 0)
        *out = (void *)cuGetProcAddress_v2;
    if (status)
        *status = 0;
    return SUCCESS;
}
