/* A group from its prompts to its results, path after path. */
#ifndef SKV_SAMPLE_SAMPLER_H
#define SKV_SAMPLE_SAMPLER_H

#include "model/t5.h"
#include "sample/result.h"

/* Takes ownership of the result. */
typedef skv_status (*skv_sink)(void *ctx, skv_result *result);

/* Encoded texts: the features of n token ids into out (n,Ct5). */
typedef struct {
    skv_status (*read)(void *ctx, const int32_t *ids, int n, float *out);
    void *ctx;
} skv_text_source;

typedef struct {
    skv_engine *engine;
    const skv_engine_setup *setup;
    const skv_rows *rows;
    skv_t5 *t5; /* NULL: texts are read */
    skv_text_source texts;
    bool with_image;                /* pictures are wanted, not bits alone */
    const char *config_digest;      /* borrowed */
    const char *const *path_digest; /* one a path */
    skv_sink sink;
    void *sink_ctx;
    const skv_probe *probe; /* NULL, or looks on while a path is computed... */
    int *seen; /* ...and then, room for a group: before a path is computed, the place in the group
                * of each of its prompts, in the order of computing; -1 behind the last */
} skv_sampler;

/* Computes group g on the paths with wanted[i]. first: the rank's first group (its seconds hold
 * warm-up). A row whose text, logits or picture are not finite fails alone: its record says so, and
 * the rows beside it are as if it were not there. */
SKV_MUST skv_status skv_sampler_group(const skv_sampler *s, int64_t g, const bool *wanted,
                                      bool first);

/* Place of a group's row in the order of computing, by `seen`; -1: it is not computed. */
int skv_sampler_place(const skv_sampler *s, int n_rows, int row);

#endif
