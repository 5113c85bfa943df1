#include "kernels/cpu/address_space.h"

#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

size_t skv_address_space_left(size_t limit, size_t used, int cores, int threads)
{
    const size_t taken = used + ((size_t)cores + (size_t)threads) * SKV_BLAS_BUFFER;

    if (limit == SIZE_MAX)
        return SIZE_MAX;
    return limit > taken ? limit - taken : 0;
}

void skv_address_space_read(size_t *limit, size_t *used)
{
    const long page = sysconf(_SC_PAGESIZE);
    unsigned long pages = 0;
    struct rlimit r;
    FILE *f;

    *limit = SIZE_MAX;
    *used = 0;
    if (getrlimit(RLIMIT_AS, &r) != 0 || r.rlim_cur == RLIM_INFINITY || page <= 0)
        return;
    *limit = (size_t)r.rlim_cur;
    f = fopen("/proc/self/statm", "r");
    if (!f)
        return;
    if (fscanf(f, "%lu", &pages) == 1)
        *used = pages * (size_t)page;
    fclose(f);
}
