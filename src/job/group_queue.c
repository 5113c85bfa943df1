#include "job/group_queue.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/mem.h"
#include "job/next_place.h"

#define POLL_SECONDS         0.1  /* of *stop, while the rank waits for a group */
#define LOOK_SECONDS         1.0  /* between looks at what others have claimed, or ... */
#define LOOK_SECONDS_A_CLAIM 0.01 /* ... this for each claim, if it is more: ranks may be many */
#define AHEAD                0.75 /* of the last group's time: then the next one is claimed */
#define NAME_BYTES           24

struct skv_group_queue {
    skv_group_queue_setup setup;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint8_t *places;   /* (n) skv_place */
    int32_t *parts;    /* (n) left of a group that is claimed */
    uint8_t *computes; /* (n) whether a file was missing when the queue began */
    uint8_t *claimed;  /* (n) as last listed */
    /* between the rank and the thread */
    bool waiting, ending;
    double ahead_at; /* when the thread may claim the next group though nobody waits */
    double began;    /* when the last group was handed over; 0: none was */
    int64_t ready;   /* a place that is claimed, -1: none */
    bool over;       /* nothing comes any more */
    skv_status status;
    char message[1024];
};

static double min(double a, double b)
{
    return a < b ? a : b;
}

static double max(double a, double b)
{
    return a > b ? a : b;
}

static void name_of(char out[NAME_BYTES], const skv_group_queue *q, int64_t place)
{
    snprintf(out, NAME_BYTES, "%06" PRId64, q->setup.todo->group[place]);
}

static uint8_t *work_of(const skv_group_queue *q, int64_t place)
{
    return q->setup.todo->work + q->setup.todo->group[place] * q->setup.todo->n_paths;
}

static int parts_of(const skv_group_queue *q, int64_t place, uint8_t bit)
{
    const uint8_t *work = work_of(q, place);
    int n = 0;

    for (int i = 0; i < q->setup.todo->n_paths; i++)
        n += (work[i] & bit) != 0;
    return n;
}

static bool has_work(const skv_group_queue *q, int64_t place)
{
    return parts_of(q, place, SKV_WORK_COMPUTE | SKV_WORK_PNG) > 0;
}

static int64_t place_of(const skv_todo_list *todo, int64_t group)
{
    int64_t low = 0, high = todo->n;

    while (high - low > 1) {
        const int64_t middle = (low + high) / 2;

        *(todo->group[middle] <= group ? &low : &high) = middle;
    }
    return low;
}

static void mark(skv_group_queue *q, int64_t place, skv_place what)
{
    pthread_mutex_lock(&q->lock);
    q->places[place] = (uint8_t)what;
    pthread_mutex_unlock(&q->lock);
}

/* ------------------------------------------------------------------ the thread's looks */

static void note_claim(void *queue, const char *name)
{
    skv_group_queue *q = queue;
    const int64_t place = place_of(q->setup.todo, strtoll(name, NULL, 10));
    char own[NAME_BYTES];

    name_of(own, q, place);
    if (strcmp(own, name) == 0)
        q->claimed[place] = 1;
}

/* Groups of others that are done by now need not be tried one by one. Files are listed first: a
 * group that has them, and no claim later on, has its pictures too. What a list that breaks off
 * does not show is tried: each claim that is won has its files looked at. */
static void list_again(skv_group_queue *q)
{
    const skv_todo_list *todo = q->setup.todo;

    if (skv_run_news_list(todo->work, q->setup.run, q->setup.plan) != SKV_OK)
        skv_debug("%s", skv_message());
    memset(q->claimed, 0, (size_t)todo->n);
    if (skv_claims_list(q->setup.claims, note_claim, q) != SKV_OK) {
        skv_debug("%s", skv_message());
        return;
    }
    pthread_mutex_lock(&q->lock);
    for (int64_t p = 0; p < todo->n; p++)
        if (q->places[p] != SKV_PLACE_MINE && q->computes[p] && !q->claimed[p] &&
            parts_of(q, p, SKV_WORK_COMPUTE) == 0)
            q->places[p] = SKV_PLACE_DONE;
    pthread_mutex_unlock(&q->lock);
}

/* A claim that was won may be of a group that another has just finished, or of which one that died
 * has made the files: then its pictures are left to be looked at. */
static skv_status try_place(skv_group_queue *q, int64_t place)
{
    const int n_computed = parts_of(q, place, SKV_WORK_COMPUTE);
    char name[NAME_BYTES];
    bool won = false;

    name_of(name, q, place);
    SKV_TRY(skv_claims_take(&won, q->setup.claims, name));
    mark(q, place, won ? SKV_PLACE_MINE : SKV_PLACE_TAKEN);
    if (!won)
        return SKV_OK;
    SKV_TRY(skv_run_news_group(work_of(q, place), q->setup.run, q->setup.plan,
                               q->setup.todo->group[place]));
    if (parts_of(q, place, SKV_WORK_COMPUTE) < n_computed)
        list_again(q);
    if (has_work(q, place))
        return SKV_OK;
    skv_claims_drop(q->setup.claims, name);
    mark(q, place, SKV_PLACE_DONE);
    return SKV_OK;
}

/* *place: claimed; -1: nothing is free. */
static skv_status find(skv_group_queue *q, int64_t *place)
{
    const skv_todo_list *todo = q->setup.todo;

    for (;;) {
        pthread_mutex_lock(&q->lock);
        *place = skv_next_place(q->places, todo->share, q->setup.rank, todo->size);
        pthread_mutex_unlock(&q->lock);
        if (*place < 0)
            return SKV_OK;
        SKV_TRY(try_place(q, *place));
        if (q->places[*place] == SKV_PLACE_MINE)
            return SKV_OK;
    }
}

/* Groups that others had: done by now, or to be tried again. The number of the latter. */
static int64_t look_at_taken(skv_group_queue *q)
{
    int64_t n = 0;

    list_again(q);
    for (int64_t p = 0; p < q->setup.todo->n; p++)
        if (q->places[p] == SKV_PLACE_TAKEN) {
            mark(q, p, SKV_PLACE_LEFT);
            n++;
        }
    return n;
}

/* ------------------------------------------------------------------------- the thread */

/* Holding the lock. */
static void sleep_until(skv_group_queue *q, double when)
{
    const double left = when - skv_seconds();
    struct timespec t;
    double whole;

    clock_gettime(CLOCK_MONOTONIC, &t);
    whole = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec + (left > 0 ? left : 0);
    t.tv_sec = (time_t)whole;
    t.tv_nsec = (long)(1e9 * (whole - (double)t.tv_sec));
    pthread_cond_timedwait(&q->changed, &q->lock, &t);
}

/* Holding the lock: waits until it is time to look for a group, or (false) until the end. */
static bool wait_for_time(skv_group_queue *q, double not_before)
{
    while (!q->ending && !q->over) {
        const double now = skv_seconds();
        const double start = q->waiting ? not_before : max(not_before, q->ahead_at);

        if (q->waiting && *q->setup.stop) {
            q->over = true;
            pthread_cond_broadcast(&q->changed);
        } else if (q->ready >= 0 || (!q->waiting && q->ahead_at == 0)) {
            pthread_cond_wait(&q->changed, &q->lock);
        } else if (now >= start) {
            return true;
        } else {
            sleep_until(q, q->waiting ? min(start, now + POLL_SECONDS) : start);
        }
    }
    return false;
}

static void *keeper(void *queue)
{
    skv_group_queue *q = queue;
    double not_before = 0;

    pthread_mutex_lock(&q->lock);
    while (wait_for_time(q, not_before)) {
        int64_t place = -1, n_taken = 0;
        skv_status st;

        pthread_mutex_unlock(&q->lock);
        st = find(q, &place);
        if (st == SKV_OK && place < 0)
            n_taken = look_at_taken(q);
        pthread_mutex_lock(&q->lock);
        if (st != SKV_OK) {
            q->status = st;
            snprintf(q->message, sizeof q->message, "%s", skv_message());
        } else if (place >= 0) {
            q->parts[place] = 1 + parts_of(q, place, SKV_WORK_COMPUTE);
            q->ready = place;
        }
        q->over = st != SKV_OK || (place < 0 && n_taken == 0);
        if (place < 0)
            not_before = skv_seconds() + max(LOOK_SECONDS, LOOK_SECONDS_A_CLAIM * (double)n_taken);
        pthread_cond_broadcast(&q->changed);
    }
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

/* --------------------------------------------------------------------------- the rank */

static void discard(skv_group_queue *q)
{
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    free(q->places);
    free(q->parts);
    free(q->computes);
    free(q->claimed);
    free(q);
}

skv_status skv_group_queue_create(skv_group_queue **out, const skv_group_queue_setup *setup)
{
    const size_t n = (size_t)setup->todo->n;
    pthread_condattr_t monotonic;
    skv_group_queue *q = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&q, 1, sizeof *q, "group queue"));
    q->setup = *setup;
    q->ready = -1;
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&q->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    st = skv_alloc(&q->places, n, sizeof *q->places, "group queue");
    if (st == SKV_OK)
        st = skv_alloc(&q->parts, n, sizeof *q->parts, "group queue");
    if (st == SKV_OK)
        st = skv_alloc(&q->computes, n, sizeof *q->computes, "group queue");
    if (st == SKV_OK)
        st = skv_alloc(&q->claimed, n, sizeof *q->claimed, "group queue");
    for (int64_t p = 0; p < setup->todo->n && st == SKV_OK; p++)
        q->computes[p] = parts_of(q, p, SKV_WORK_COMPUTE) > 0;
    if (st == SKV_OK && pthread_create(&q->thread, NULL, keeper, q) != 0)
        st = skv_fail(SKV_E_MEM, "cannot start the thread of the group queue");
    if (st == SKV_OK)
        *out = q;
    else
        discard(q);
    return st;
}

void skv_group_queue_destroy(skv_group_queue *q)
{
    char name[NAME_BYTES];

    if (!q)
        return;
    pthread_mutex_lock(&q->lock);
    q->ending = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    pthread_join(q->thread, NULL);
    for (int64_t p = 0; p < q->setup.todo->n; p++)
        if (q->places[p] == SKV_PLACE_MINE) {
            name_of(name, q, p);
            skv_claims_drop(q->setup.claims, name);
        }
    discard(q);
}

skv_status skv_group_queue_next(skv_group_queue *q, int64_t *group, uint8_t *work)
{
    int64_t given_up = -1;
    char name[NAME_BYTES];
    skv_status st = SKV_OK;
    double now, took;

    pthread_mutex_lock(&q->lock);
    took = q->began > 0 ? skv_seconds() - q->began : 0;
    q->waiting = true;
    pthread_cond_broadcast(&q->changed);
    while (q->ready < 0 && !q->over)
        pthread_cond_wait(&q->changed, &q->lock);
    q->waiting = false;
    *group = -1;
    if (q->ready >= 0 && *q->setup.stop) {
        given_up = q->ready;
        q->places[given_up] = SKV_PLACE_LEFT;
    } else if (q->ready >= 0) {
        *group = q->setup.todo->group[q->ready];
        memcpy(work, work_of(q, q->ready), (size_t)q->setup.todo->n_paths);
    }
    q->ready = -1;
    now = skv_seconds();
    q->began = now;
    q->ahead_at = took > 0 ? now + AHEAD * took : 0;
    pthread_cond_broadcast(&q->changed);
    if (q->status != SKV_OK)
        st = skv_fail(q->status, "%s", q->message);
    pthread_mutex_unlock(&q->lock);
    if (given_up >= 0) {
        name_of(name, q, given_up);
        skv_claims_drop(q->setup.claims, name);
    }
    return st;
}

void skv_group_queue_finish_part(skv_group_queue *q, int64_t group)
{
    const int64_t place = place_of(q->setup.todo, group);
    char name[NAME_BYTES];
    bool finished;

    pthread_mutex_lock(&q->lock);
    finished = --q->parts[place] == 0;
    pthread_mutex_unlock(&q->lock);
    if (!finished)
        return;
    name_of(name, q, place);
    skv_claims_drop(q->setup.claims, name);
    mark(q, place, SKV_PLACE_DONE);
}
