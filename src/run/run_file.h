/* A finished run as eval, report and export read it: RUN/run.h5, and the PNGs of a run whose
 * pictures are not in it; run.json, where there is one, says which folders these are in.
 *
 * Everything is checked when it is opened or read: a run.h5 that is cut, of another version or
 * points at missing group files gives one sentence. Rows keep the order of the run. */
#ifndef SKV_RUN_RUN_FILE_H
#define SKV_RUN_RUN_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/json.h"
#include "core/status.h"
#include "io/h5.h"
#include "io/picture_file.h"
#include "run/run_place.h"
#include "run/segments.h"

typedef struct {
    const char *name;
    bool reference;
    char *settings;         /* JSON text: policy, budget, options */
    char *device;           /* what computed it */
    char *digest;           /* of everything that the path's pictures depend on */
    bool in_h5;             /* pictures are in run.h5; otherwise PNGs, if any */
    int64_t bits_bytes;     /* of a row; 0: no bits were stored */
    int n_scales, n_layers; /* S and l of the cache tables */
    int64_t *scale_offset;  /* (S+1) first bit of each scale, NULL without bits */
} skv_run_path;

typedef struct {
    char *folder;
    skv_run_place place; /* of its pictures */
    skv_h5 *h5;
    json_t *config; /* run.json's common part: model, resolution, cfg, samples, ... */
    json_t *starts; /* run/starts.h; NULL: of an earlier version */
    char *config_digest, *version;
    int64_t n;             /* rows */
    int64_t n_missing;     /* of these: with status SKV_ROW_MISSING */
    char *partial;         /* what it lacks, "3 of 5 rows; path full lacks 2"; NULL: nothing */
    skv_segments segments; /* whose rows are whose; groups are not counted */
    char **id, **prompt, **prompt_used, **error; /* (n) each */
    char **given_id, **negative;       /* (n) each, "" for none; NULL: of an earlier version */
    int32_t *sample, *tokens, *status; /* (n); status 0: done */
    uint64_t *seed;                    /* (n) */
    uint8_t *truncated;                /* (n) */
    int n_paths, reference;            /* reference: index of the reference path, -1 none */
    skv_run_path *path;                /* in the order of the run */
    char **names;                      /* what the paths' names point into */
} skv_run_file;

/* Opens RUN/run.h5. SKV_E_NOTFOUND (naming skv gather) when there is none, or when it lacks rows
 * that RUN/run.json or the file itself speaks of; SKV_E_FORMAT otherwise. Cleared with
 * skv_run_file_close, also after a failure. */
SKV_MUST skv_status skv_run_file_open(skv_run_file *out, const char *folder);

/* The same of one that may be partial: made by skv gather --partial, or before the run
 * grew or got more paths. */
SKV_MUST skv_status skv_run_file_open_partial(skv_run_file *out, const char *folder);
void skv_run_file_close(skv_run_file *run);

/* The row of a prompt's sample. */
static inline int64_t skv_run_file_row(const skv_run_file *run, int64_t prompt, int sample)
{
    return skv_segments_row(&run->segments, prompt, sample);
}

/* *path = the index of the path of this name; SKV_E_ARG names those that exist. */
SKV_MUST skv_status skv_run_file_find(int *path, const skv_run_file *run, const char *name);

/* A picture (free() its rgb). From run.h5, else from its PNG (run/run_place.h);
 * SKV_E_NOTFOUND naming both when there is neither. */
SKV_MUST skv_status skv_run_file_picture(skv_picture *out, const skv_run_file *run, int path,
                                         int64_t row);

/* The packed bits of a row: bits has room for path.bits_bytes (> 0). */
SKV_MUST skv_status skv_run_file_bits(uint8_t *bits, const skv_run_file *run, int path,
                                      int64_t row);

#endif
