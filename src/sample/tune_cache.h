/* What was measured for one run, kept for all: a folder of this user that runs share.
 *
 *   <cache>/tune/<digest of the device>/<digest of the content>.json   choices (sample/tune.h)
 *   <cache>/tune/<digest of the device>/<process>.trying               the candidate it tries now
 *
 * <cache> is core/cache_folder.h's. A device is what the backend describes (GPU, driver, libraries,
 * type) and the form of the choices. A file is written once, under a name that is its content's, so
 * any number of runs may write at any time and nothing is lost; what a folder says is all of its
 * files together. A process that ends while it tries a candidate leaves its note: that candidate is
 * left out from then on. */
#ifndef SKV_SAMPLE_TUNE_CACHE_H
#define SKV_SAMPLE_TUNE_CACHE_H

#include "kernels/backend.h"

typedef struct skv_tune_cache skv_tune_cache;

/* *out: the folder for a device (free()), whether it is there or not; NULL: the environment names
 * none. */
SKV_MUST skv_status skv_tune_cache_folder(char **out, const char *device);

/* Adds the folder's choices to the backend's, and notes from now on what is tried. What cannot be
 * read, or is damaged, costs a warning and is measured again. */
SKV_MUST skv_status skv_tune_cache_open(skv_tune_cache **out, skv_backend *be);

/* Keeps what was measured since, and takes the note away, unless the GPU was lost. st: how the
 * measuring ended; returned. Accepts NULL. */
skv_status skv_tune_cache_close(skv_tune_cache *c, skv_status st);

/* The folder; NULL: there is none. Borrowed. */
const char *skv_tune_cache_path(const skv_tune_cache *c);

/* Files with choices in such a folder; 0 where it is missing. */
int skv_tune_cache_count(const char *folder);

#endif
