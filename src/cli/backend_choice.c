#include "cli/backend_choice.h"

#include <string.h>
#include <unistd.h>

skv_status skv_backend_choose(skv_backend **out, const char *device, int threads, int local_rank,
                              int local_size)
{
    (void)local_rank;
    if (strcmp(device, "cuda") == 0)
        return skv_fail(SKV_E_ARG, "--device cuda: this is the CPU build");
    if (threads == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);

        threads = cores > local_size ? (int)(cores / local_size) : 1;
    }
    return skv_backend_open_cpu(out, threads);
}
