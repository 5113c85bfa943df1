#include "core/parallel.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"

typedef struct {
    pthread_mutex_t lock;
    int64_t next, n, failed_at; /* failed_at: n, nothing failed */
    skv_status status;
    char message[2048]; /* messages belong to threads: a worker's is carried over */
    skv_status (*fn)(void *ctx, int64_t i);
    void *ctx;
} loop;

static void *work(void *arg)
{
    loop *l = arg;

    for (;;) {
        int64_t i;
        skv_status st;

        pthread_mutex_lock(&l->lock);
        i = l->failed_at < l->n ? l->n : l->next++;
        pthread_mutex_unlock(&l->lock);
        if (i >= l->n)
            return NULL;
        st = l->fn(l->ctx, i);
        if (st == SKV_OK)
            continue;
        pthread_mutex_lock(&l->lock);
        if (i < l->failed_at) {
            l->failed_at = i;
            l->status = st;
            snprintf(l->message, sizeof l->message, "%s", skv_message());
        }
        pthread_mutex_unlock(&l->lock);
    }
}

skv_status skv_parallel(int n_threads, int64_t n, skv_status (*fn)(void *ctx, int64_t i), void *ctx)
{
    loop l = {.n = n, .failed_at = n, .fn = fn, .ctx = ctx};
    pthread_t *thread = NULL;
    int n_started = 0;

    if (n_threads > n)
        n_threads = (int)n;
    if (n_threads > 1)
        SKV_TRY(skv_alloc(&thread, (size_t)n_threads, sizeof *thread, "threads"));
    pthread_mutex_init(&l.lock, NULL);
    while (n_started < n_threads - 1 &&
           pthread_create(&thread[n_started], NULL, work, &l) == 0) /* fewer threads do as well */
        n_started++;
    work(&l);
    for (int i = 0; i < n_started; i++)
        pthread_join(thread[i], NULL);
    pthread_mutex_destroy(&l.lock);
    free(thread);
    return l.failed_at < n ? skv_fail(l.status, "%s", l.message) : SKV_OK;
}
