/* Easy to get wrong: the thread must stay able to end the process whatever the others wait for, so
 * it shares no lock with them but its own. */
#include "job/watcher.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/clock.h"
#include "core/mem.h"
#include "job/stop.h"

#define TICK_NS      100000000L /* how soon a signal is passed on */
#define LOOK_TICKS   10         /* how often files are looked for */
#define TERM_SECONDS 25

struct skv_watcher {
    skv_watcher_setup setup;
    skv_stop_words words;
    pthread_t thread;
    pthread_mutex_t lock; /* of `ended` and `by` */
    pthread_cond_t end;
    bool ended;
    char by[SKV_STOP_TEXT_BYTES]; /* another rank that heard of the stop first, or "" */
    /* the thread's own */
    bool told;
    skv_stop_reason heard; /* last, and since when */
    double since;
    int ticks;
};

static double soft_limit(double seconds)
{
    const double margin = 0.05 * seconds < 30 ? 0.05 * seconds : 30;

    return seconds - margin;
}

static bool is_killed_now(const skv_watcher *w, skv_stop_reason why)
{
    return w->setup.hurried && (why == SKV_STOP_TERM || why == SKV_STOP_INT);
}

static bool is_out_of_time(const skv_watcher *w, skv_stop_reason why)
{
    return (why == SKV_STOP_TERM && skv_seconds() - w->since > TERM_SECONDS) ||
           (w->setup.seconds > 0 && skv_stop_clock() > w->setup.seconds);
}

static void leave(skv_watcher *w)
{
    char why[SKV_STOP_TEXT_BYTES];

    skv_watcher_why(w, why);
    if (w->setup.last_words)
        w->setup.last_words(w->setup.ctx, why);
    skv_stop_leave();
}

static void listen_for_others(skv_watcher *w)
{
    char by[SKV_STOP_TEXT_BYTES];
    skv_stop_reason why;

    if (!skv_stop_words_hear(&w->words, &why, by))
        return;
    pthread_mutex_lock(&w->lock);
    memcpy(w->by, by, sizeof w->by);
    pthread_mutex_unlock(&w->lock);
    skv_stop_ask(why);
}

static void tick(skv_watcher *w)
{
    skv_stop_reason why = skv_stop_why();

    if (why == SKV_STOP_NONE && w->setup.seconds > 0 &&
        skv_stop_clock() > soft_limit(w->setup.seconds))
        skv_stop_ask(SKV_STOP_HOURS);
    if (why == SKV_STOP_NONE && w->ticks++ % LOOK_TICKS == 0) {
        listen_for_others(w);
        if (w->setup.each_second)
            w->setup.each_second(w->setup.ctx);
    }
    why = skv_stop_why();
    if (why == SKV_STOP_NONE)
        return;
    if (w->heard != why)
        w->since = skv_seconds();
    w->heard = why;
    if (is_killed_now(w, why))
        leave(w);
    if (!w->told && w->by[0] == '\0')
        skv_stop_words_tell(&w->words, why, w->setup.who);
    w->told = true;
    if (is_out_of_time(w, why))
        leave(w);
}

/* Waits a tick; false: the watcher is to end. */
static bool wait_a_tick(skv_watcher *w)
{
    struct timespec until;
    bool go_on;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += TICK_NS;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&w->lock);
    while (!w->ended && pthread_cond_timedwait(&w->end, &w->lock, &until) == 0)
        ;
    go_on = !w->ended;
    pthread_mutex_unlock(&w->lock);
    return go_on;
}

static void *watch(void *watcher)
{
    skv_watcher *w = watcher;

    do
        tick(w);
    while (wait_a_tick(w));
    return NULL;
}

static void release(skv_watcher *w)
{
    skv_stop_words_close(&w->words);
    pthread_cond_destroy(&w->end);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static int make_waiting(skv_watcher *w)
{
    pthread_condattr_t monotonic;
    int failed = pthread_mutex_init(&w->lock, NULL);

    if (failed)
        return failed;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    failed = pthread_cond_init(&w->end, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (failed)
        pthread_mutex_destroy(&w->lock);
    return failed;
}

skv_status skv_watcher_start(skv_watcher **out, const skv_watcher_setup *setup)
{
    skv_watcher *w = NULL;
    int failed;
    skv_status st;

    SKV_TRY(skv_alloc(&w, 1, sizeof *w, "the watcher"));
    w->setup = *setup;
    failed = make_waiting(w);
    if (failed) {
        free(w);
        return skv_fail(SKV_E_MEM, "cannot watch for a stop: %s", strerror(failed));
    }
    st = skv_stop_words_open(&w->words, setup->run, setup->job);
    if (st != SKV_OK) {
        release(w);
        return st;
    }
    failed = pthread_create(&w->thread, NULL, watch, w);
    if (failed) {
        release(w);
        return skv_fail(SKV_E_MEM, "cannot start a thread that watches for a stop: %s",
                        strerror(failed));
    }
    *out = w;
    return SKV_OK;
}

void skv_watcher_why(skv_watcher *w, char out[SKV_STOP_TEXT_BYTES])
{
    const skv_stop_reason why = skv_stop_why();
    const bool by_signal = why >= SKV_STOP_TERM && why <= SKV_STOP_USR2;
    const char *who;

    pthread_mutex_lock(&w->lock);
    who = !by_signal ? "" : w->by[0] ? w->by : w->setup.who;
    snprintf(out, SKV_STOP_TEXT_BYTES, "%s%s%.120s", skv_stop_name(why), who[0] ? " at " : "", who);
    pthread_mutex_unlock(&w->lock);
}

void skv_watcher_end(skv_watcher *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->ended = true;
    pthread_cond_signal(&w->end);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    if (w->setup.first)
        skv_stop_words_forget(&w->words);
    release(w);
}
