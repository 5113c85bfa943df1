/* A loop shared out over threads, for work on the host that has no backend: pixels and files. */
#ifndef SKV_CORE_PARALLEL_H
#define SKV_CORE_PARALLEL_H

#include <stdint.h>

#include "core/status.h"

/* Runs fn(ctx, i) for i in [0,n) on up to n_threads threads, the caller's included. After a failure
 * no further i is begun; of those that failed the lowest is returned, with its message. */
SKV_MUST skv_status skv_parallel(int n_threads, int64_t n, skv_status (*fn)(void *ctx, int64_t i),
                                 void *ctx);

#endif
