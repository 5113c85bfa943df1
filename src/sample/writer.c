#include "sample/writer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/png.h"
#include "run/failed_list.h"
#include "run/picture_texts.h"

#define MAX_IN_FLIGHT 2 /* groups: one being written, one waiting */
#define MAX_THREADS   65

typedef struct item {
    skv_result *result;
    int next_row, rows_left; /* of the PNGs */
    struct item *next;
} item;

typedef struct {
    item *first, *last;
} list;

struct skv_writer {
    skv_writer_setup setup;
    pthread_mutex_t lock;
    pthread_mutex_t hdf5; /* held while a group file is written */
    pthread_cond_t changed;
    list files, pngs;
    int in_flight;
    bool ending;
    skv_status status; /* first failure */
    char message[1024];
    pthread_t threads[MAX_THREADS];
    int n_threads;
};

static void push(list *l, item *it)
{
    it->next = NULL;
    if (l->last)
        l->last->next = it;
    else
        l->first = it;
    l->last = it;
}

static item *pop(list *l)
{
    item *it = l->first;

    l->first = it->next;
    if (!l->first)
        l->last = NULL;
    return it;
}

/* Holding the lock. */
static void note(skv_writer *w, skv_status st)
{
    if (st == SKV_OK || w->status != SKV_OK)
        return;
    w->status = st;
    snprintf(w->message, sizeof w->message, "%s", skv_message());
}

/* Holding the lock, but for the call that tells of a group without failure. */
static void retire(skv_writer *w, item *it)
{
    const int64_t group = it->result->rec.group;

    skv_result_destroy(it->result);
    free(it);
    w->in_flight--;
    pthread_cond_broadcast(&w->changed);
    if (w->status != SKV_OK || !w->setup.written)
        return;
    pthread_mutex_unlock(&w->lock);
    w->setup.written(w->setup.ctx, group);
    pthread_mutex_lock(&w->lock);
}

skv_status skv_writer_png(const skv_run_place *run, const skv_group_record *rec, int i,
                          const uint8_t *image)
{
    char seed[32];
    skv_png_text text[SKV_PICTURE_TEXTS];
    const int n = skv_picture_texts(
        text, &(skv_picture_facts){.id = rec->id[i],
                                   .given_id = rec->given_id ? rec->given_id[i] : NULL,
                                   .prompt = rec->prompt_used[i],
                                   .negative = rec->negative ? rec->negative[i] : NULL,
                                   .seed = seed,
                                   .path = rec->path_name,
                                   .config = rec->config_digest,
                                   .version = rec->version});
    const size_t bytes = (size_t)rec->height * (size_t)rec->width * 3;
    skv_run_name file;
    skv_aside a;
    skv_status st;

    SKV_TRY(skv_run_name_image(&file, run, rec->path_name, rec->row[i], rec->id[i]));
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)rec->seed[i]);
    SKV_TRY(skv_run_name_make_folder(&file));
    SKV_TRY(skv_aside_create(&a, file.path, file.n_below));
    st = skv_png_write_aside(&a, image + (size_t)i * bytes, rec->width, rec->height, text, n);
    if (st == SKV_OK)
        st = skv_aside_commit_derived(&a);
    skv_aside_drop(&a);
    return st;
}

static skv_status write_file(const skv_writer *w, const skv_result *r)
{
    skv_group_record rec = r->rec;
    skv_run_name file;

    if (w->setup.only_id)
        return SKV_OK;
    if (!w->setup.store.bits) {
        rec.bits = NULL;
        rec.bit_offset = NULL;
    }
    if (!w->setup.store.image)
        rec.image = NULL;
    SKV_TRY(skv_run_name_group(&file, &w->setup.run, rec.path_name, rec.group));
    skv_failed_list_note(w->setup.run.folder, &rec);
    return skv_group_file_write(&file, &rec);
}

void skv_writer_hold(skv_writer *w)
{
    pthread_mutex_lock(&w->hdf5);
}

void skv_writer_release(skv_writer *w)
{
    pthread_mutex_unlock(&w->hdf5);
}

/* Group files, one after another; then the group waits for its PNGs. */
static void *file_thread(void *arg)
{
    skv_writer *w = arg;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        item *it;
        skv_status st;

        while (!w->files.first && !w->ending)
            pthread_cond_wait(&w->changed, &w->lock);
        if (!w->files.first)
            break;
        it = pop(&w->files);
        st = w->status;
        pthread_mutex_unlock(&w->lock);
        if (st == SKV_OK) {
            skv_writer_hold(w);
            st = write_file(w, it->result);
            skv_writer_release(w);
        }
        pthread_mutex_lock(&w->lock);
        note(w, st);
        if (st == SKV_OK && w->setup.store.png && it->result->image && it->rows_left > 0) {
            push(&w->pngs, it);
            pthread_cond_broadcast(&w->changed);
        } else {
            retire(w, it);
        }
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static bool wants_png(const skv_writer *w, const skv_group_record *rec, int i)
{
    return rec->status[i] == SKV_OK &&
           (!w->setup.only_id || strcmp(w->setup.only_id, rec->id[i]) == 0);
}

/* Rows of the first waiting group; the last row to finish retires it. */
static void *png_thread(void *arg)
{
    skv_writer *w = arg;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        skv_status st = SKV_OK;
        item *it;
        int row;

        while (!w->pngs.first && !(w->ending && w->in_flight == 0))
            pthread_cond_wait(&w->changed, &w->lock);
        if (!w->pngs.first)
            break;
        it = w->pngs.first;
        row = it->next_row++;
        if (it->next_row == it->result->rec.n_rows)
            pop(&w->pngs);
        pthread_mutex_unlock(&w->lock);
        if (wants_png(w, &it->result->rec, row))
            st = skv_writer_png(&w->setup.run, &it->result->rec, row, it->result->image);
        pthread_mutex_lock(&w->lock);
        note(w, st);
        if (--it->rows_left == 0)
            retire(w, it);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void end_threads(skv_writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->ending = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < w->n_threads; i++)
        pthread_join(w->threads[i], NULL);
    pthread_mutex_destroy(&w->lock);
    pthread_mutex_destroy(&w->hdf5);
    pthread_cond_destroy(&w->changed);
}

skv_status skv_writer_create(skv_writer **out, const skv_writer_setup *setup)
{
    skv_writer *w = NULL;

    SKV_TRY(skv_alloc(&w, 1, sizeof *w, "writer"));
    w->setup = *setup;
    pthread_mutex_init(&w->lock, NULL);
    pthread_mutex_init(&w->hdf5, NULL);
    pthread_cond_init(&w->changed, NULL);
    for (int i = 0; i < 1 + setup->png_threads && i < MAX_THREADS; i++) {
        if (pthread_create(&w->threads[i], NULL, i == 0 ? file_thread : png_thread, w) != 0) {
            end_threads(w);
            free(w);
            return skv_fail(SKV_E_MEM, "cannot start a writer thread");
        }
        w->n_threads++;
    }
    *out = w;
    return SKV_OK;
}

/* Holding the lock: makes the threads' first failure the caller's. */
static skv_status failure(const skv_writer *w)
{
    return w->status == SKV_OK ? SKV_OK : skv_fail(w->status, "%s", w->message);
}

skv_status skv_writer_put(void *writer, skv_result *result)
{
    skv_writer *w = writer;
    skv_status st;
    item *it = NULL;

    st = skv_alloc(&it, 1, sizeof *it, "writer");
    if (st != SKV_OK) {
        skv_result_destroy(result);
        return st;
    }
    it->result = result;
    it->rows_left = result->rec.n_rows;
    pthread_mutex_lock(&w->lock);
    while (w->in_flight >= MAX_IN_FLIGHT && w->status == SKV_OK)
        pthread_cond_wait(&w->changed, &w->lock);
    w->in_flight++;
    st = failure(w);
    if (st == SKV_OK) {
        push(&w->files, it);
        pthread_cond_broadcast(&w->changed);
    } else {
        retire(w, it);
    }
    pthread_mutex_unlock(&w->lock);
    return st;
}

skv_status skv_writer_finish(skv_writer *w)
{
    skv_status st;

    end_threads(w);
    st = failure(w);
    free(w);
    return st;
}
