/* The algorithms that were chosen by measurement, as JSON: {"version": 3, "devices": {"<the
 * backend's description>": {"<key>": "<choice>"}}} (kernels/tuning.h). RUN/tune.json has those that
 * a run computes with, so that a resumed run and every rank compute with the same ones. */
#ifndef SKV_SAMPLE_TUNE_H
#define SKV_SAMPLE_TUNE_H

#include "sample/engine.h"

/* Computes one group of made-up text on every path, measuring every shape that the scales and the
 * decoder will meet and that has no choice yet; the choices are the backend's. setup: the engine's.
 */
SKV_MUST skv_status skv_tune_measure(skv_engine *e, const skv_engine_setup *setup);

typedef enum {
    SKV_TUNE_NONE,   /* there are no choices at all */
    SKV_TUNE_OTHERS, /* there are, but only of other devices */
    SKV_TUNE_FOUND   /* there are some of this device */
} skv_tune_found;

/* Adds the choices that such a text has for the backend's device to the backend's; `name` is for
 * messages. */
SKV_MUST skv_status skv_tune_parse(skv_tune_found *found, skv_backend *be, const char *text,
                                   size_t bytes, const char *name);
/* The same with RUN/tune.json, which may be missing. */
SKV_MUST skv_status skv_tune_read(skv_tune_found *found, skv_backend *be, const char *run);

/* *text: the backend's choices (free()). For other runs: those measured by this process, but not
 * that a library has nothing, which may be this host's fault, and is soon found out again. */
SKV_MUST skv_status skv_tune_print(char **text, const skv_backend *be, bool for_others);

/* Puts the backend's choices into RUN/tune.json, in place of others of its device; those of other
 * devices stay. Whole or not at all; one process at a time. */
SKV_MUST skv_status skv_tune_keep(const skv_backend *be, const char *run);

#endif
