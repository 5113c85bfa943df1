/* Which device a rank computes on. */
#ifndef SKV_CLI_BACKEND_CHOICE_H
#define SKV_CLI_BACKEND_CHOICE_H

#include "kernels/backend.h"

/* device: "auto", "cpu" or "cuda". threads 0: the host's cores shared by its `local_size` ranks.
 * Says why when auto falls back to the CPU of a CUDA build. Caller destroys. */
SKV_MUST skv_status skv_backend_choose(skv_backend **out, const char *device, int threads,
                                       int local_rank, int local_size);

#endif
