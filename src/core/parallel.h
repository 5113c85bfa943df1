/* Loops shared out over threads: a pool that sleeps between loops, and single loops whose steps may
 * fail. Threads take steps in no fixed order, so no result may depend on it. */
#ifndef SKV_CORE_PARALLEL_H
#define SKV_CORE_PARALLEL_H

#include <stdint.h>

#include "core/status.h"

typedef struct skv_pool skv_pool;

/* n_threads >= 1, the caller's included. A system that refuses a thread leaves the pool with fewer:
 * skv_pool_threads(). Destroy accepts NULL. */
SKV_MUST skv_status skv_pool_create(skv_pool **out, int n_threads);
void skv_pool_destroy(skv_pool *pool);
int skv_pool_threads(const skv_pool *pool);

/* Runs fn(ctx, i, thread) for i in [0,n); returns when all are done. thread: 0 for the caller's, up
 * to skv_pool_threads() - 1. One loop of a pool at a time, and none inside another. */
void skv_pool_run(skv_pool *pool, int64_t n, void (*fn)(void *ctx, int64_t i, int thread),
                  void *ctx);

/* Runs fn(ctx, i) for i in [0,n) on up to n_threads threads, the caller's included. After a failure
 * no further i is begun; of those that failed the lowest is returned, with its message. */
SKV_MUST skv_status skv_parallel(int n_threads, int64_t n, skv_status (*fn)(void *ctx, int64_t i),
                                 void *ctx);

#endif
