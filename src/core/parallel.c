#include "core/parallel.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"

struct skv_pool {
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    pthread_t *threads; /* without the caller's */
    int n_started;
    uint64_t round; /* of loops: a thread works when it has not seen this one */
    int busy;       /* threads that have not finished the round */
    bool ending;
    void (*fn)(void *ctx, int64_t i, int thread);
    void *ctx;
    int64_t next, n;
};

typedef struct {
    skv_pool *pool;
    int thread;
} start_argument;

static void take_steps(skv_pool *p, int thread)
{
    for (;;) {
        const int64_t i = __atomic_fetch_add(&p->next, 1, __ATOMIC_RELAXED);

        if (i >= p->n)
            return;
        p->fn(p->ctx, i, thread);
    }
}

static void *worker(void *arg)
{
    const start_argument a = *(start_argument *)arg;
    skv_pool *p = a.pool;
    uint64_t seen = 0;

    free(arg);
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->round == seen && !p->ending)
            pthread_cond_wait(&p->work, &p->lock);
        if (p->ending)
            break;
        seen = p->round;
        pthread_mutex_unlock(&p->lock);
        take_steps(p, a.thread);
        pthread_mutex_lock(&p->lock);
        if (--p->busy == 0)
            pthread_cond_signal(&p->idle);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static bool start(skv_pool *p)
{
    start_argument *a = malloc(sizeof *a);

    if (!a)
        return false;
    *a = (start_argument){p, p->n_started + 1};
    if (pthread_create(&p->threads[p->n_started], NULL, worker, a) != 0) {
        free(a);
        return false;
    }
    p->n_started++;
    return true;
}

skv_status skv_pool_create(skv_pool **out, int n_threads)
{
    skv_status st = SKV_OK;
    skv_pool *p = NULL;

    SKV_TRY(skv_alloc(&p, 1, sizeof *p, "threads"));
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->work, NULL);
    pthread_cond_init(&p->idle, NULL);
    SKV_TRY_GOTO(skv_alloc(&p->threads, (size_t)n_threads, sizeof *p->threads, "threads"), done);
    while (p->n_started < n_threads - 1 && start(p))
        continue;
    *out = p;
    p = NULL;
done:
    skv_pool_destroy(p);
    return st;
}

void skv_pool_destroy(skv_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->n_started; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->idle);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool->threads);
    free(pool);
}

int skv_pool_threads(const skv_pool *pool)
{
    return pool->n_started + 1;
}

void skv_pool_run(skv_pool *pool, int64_t n, void (*fn)(void *ctx, int64_t i, int thread),
                  void *ctx)
{
    pool->fn = fn;
    pool->ctx = ctx;
    pool->n = n;
    pool->next = 0;
    if (n <= 1 || pool->n_started == 0) {
        take_steps(pool, 0);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->busy = pool->n_started;
    pool->round++;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    take_steps(pool, 0);
    pthread_mutex_lock(&pool->lock);
    while (pool->busy > 0)
        pthread_cond_wait(&pool->idle, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

/* ------------------------------------------------------- loops whose steps may fail */

typedef struct {
    pthread_mutex_t lock;
    int64_t failed_at; /* the lowest, n: none */
    skv_status status;
    char message[2048]; /* messages belong to threads: a worker's is carried over */
    skv_status (*fn)(void *ctx, int64_t i);
    void *ctx;
} loop;

static void try_step(void *ctx, int64_t i, int thread)
{
    loop *l = ctx;
    bool late;
    skv_status st;

    (void)thread;
    pthread_mutex_lock(&l->lock);
    late = i > l->failed_at;
    pthread_mutex_unlock(&l->lock);
    if (late)
        return;
    st = l->fn(l->ctx, i);
    if (st == SKV_OK)
        return;
    pthread_mutex_lock(&l->lock);
    if (i < l->failed_at) {
        l->failed_at = i;
        l->status = st;
        snprintf(l->message, sizeof l->message, "%s", skv_message());
    }
    pthread_mutex_unlock(&l->lock);
}

skv_status skv_parallel(int n_threads, int64_t n, skv_status (*fn)(void *ctx, int64_t i), void *ctx)
{
    loop l = {.failed_at = n, .fn = fn, .ctx = ctx};
    skv_pool *pool = NULL;

    n_threads = n_threads < n ? n_threads : (int)n;
    SKV_TRY(skv_pool_create(&pool, n_threads > 1 ? n_threads : 1));
    pthread_mutex_init(&l.lock, NULL);
    skv_pool_run(pool, n, try_step, &l);
    skv_pool_destroy(pool);
    pthread_mutex_destroy(&l.lock);
    return l.failed_at < n ? skv_fail(l.status, "%s", l.message) : SKV_OK;
}
