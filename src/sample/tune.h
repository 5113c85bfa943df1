/* RUN/tune.json: the algorithms that were chosen by measurement, so that a resumed run and every
 * rank compute with the same ones. */
#ifndef SKV_SAMPLE_TUNE_H
#define SKV_SAMPLE_TUNE_H

#include "sample/engine.h"

/* Computes one group of made-up text on every path, measuring every shape that the scales and the
 * decoder will meet; the choices are the backend's. setup: the engine's. */
SKV_MUST skv_status skv_tune_measure(skv_engine *e, const skv_engine_setup *setup);

/* Writes the backend's choices into RUN/tune.json, whole or not at all. */
SKV_MUST skv_status skv_tune_write(const skv_backend *be, const char *run);

/* The bytes of RUN/tune.json into *text (free()); SKV_E_NOTFOUND: there is none. */
SKV_MUST skv_status skv_tune_read(char **text, size_t *bytes, const char *run);

/* Sets the backend's choices from the bytes of such a file; `name` is for messages. Choices of
 * another device or library version are refused with SKV_E_ARG unless `other_device`. */
SKV_MUST skv_status skv_tune_parse(skv_backend *be, const char *text, size_t bytes,
                                   const char *name, bool other_device);

#endif
