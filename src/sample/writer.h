/* The writer: takes finished groups off the sampler's hands and puts them on disk while the next
 * ones compute. One thread writes group files (HDF5 wants one), others encode PNGs; a group's PNGs
 * come after its file, so a PNG that is missing on resume can be made from the file. */
#ifndef SKV_SAMPLE_WRITER_H
#define SKV_SAMPLE_WRITER_H

#include "run/run_place.h"
#include "sample/result.h"

typedef struct skv_writer skv_writer;

typedef struct {
    skv_run_place run; /* its groups/<path> and images/<path> exist */
    skv_store store;
    int png_threads;
    const char *only_id; /* NULL; or: no group file, and this id's PNG alone */
    /* NULL; or called by a thread when a group's file and its PNGs are on disk. */
    void (*written)(void *ctx, int64_t group);
    void *ctx;
} skv_writer_setup;

/* Borrows what setup points to. */
SKV_MUST skv_status skv_writer_create(skv_writer **out, const skv_writer_setup *setup);

/* A skv_sink (ctx: the writer). Takes ownership; waits while two groups are still being written.
 * Fails with the first failure of a thread; nothing more is written then. */
SKV_MUST skv_status skv_writer_put(void *writer, skv_result *result);

/* Between the two calls no group file is written: another thread, the caller's, may use HDF5. */
void skv_writer_hold(skv_writer *w);
void skv_writer_release(skv_writer *w);

/* Waits for everything put, ends the threads and destroys the writer in any case. */
SKV_MUST skv_status skv_writer_finish(skv_writer *w);

/* Writes one picture (run/run_place.h); texts: run/picture_texts.h. */
SKV_MUST skv_status skv_writer_png(const skv_run_place *run, const skv_group_record *rec, int i,
                                   const uint8_t *image);

#endif
