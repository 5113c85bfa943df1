/* A run that grows: a longer list of prompts, or more samples, are the same run continued.
 *
 * run.json's part that may change so: which lists, how many samples, and the segments
 * (run/segments.h). Its digest stays the one that the run was begun with: it is in every group
 * file. */
#ifndef SKV_RUN_RUN_GROWTH_H
#define SKV_RUN_RUN_GROWTH_H

#include <stdbool.h>

#include "core/digest.h"
#include "core/json.h"
#include "core/status.h"
#include "run/prompt_table.h"
#include "run/segments.h"

/* A run as it was begun; the same on all ranks once rank 0 has shared it. */
typedef struct {
    bool there;                                                  /* otherwise all else is zero */
    char digest[SKV_DIGEST_BYTES];                               /* of run.json */
    char prompts[SKV_DIGEST_BYTES], rewritten[SKV_DIGEST_BYTES]; /* of the lists; "": none */
    skv_segments segments;
} skv_run_begun;

/* Reads RUN/run.json, which may not be there. A file in which these facts are missing counts as not
 * there: skv_run_folder_open says what is wrong with it. *part: skv_run_growing_part of the file, a
 * new reference; NULL: not there. */
SKV_MUST skv_status skv_run_begun_read(skv_run_begun *out, json_t **part, const char *run);

/* Whether the key of run.json's common part may change as the run grows. */
bool skv_run_key_grows(const char *key);

/* A copy of what may change: of the common part, and the segments (borrowed; NULL: none). New
 * reference. */
SKV_MUST skv_status skv_run_growing_part(json_t **out, const json_t *common, json_t *segments);

/* What a run is to be now. All is borrowed. */
typedef struct {
    const char *run, *list;        /* folder; the list's name, for messages */
    bool lines;                    /* prompts are lines of the list */
    bool counts_rows;              /* a picture's random numbers depend on all rows before it */
    const skv_prompt_table *table; /* parsed; tokens are not looked at */
    const skv_prompt_facts *facts;
    bool rewrites;
    int64_t samples;
} skv_run_wish;

/* begun->segments grow to what is wished for. SKV_E_ARG where the prompts of the run are not the
 * first ones of the list, naming the first that differs; where there would be fewer prompts or
 * samples; and where the samples cannot grow. A changed list is compared with RUN/rows.h5. */
SKV_MUST skv_status skv_run_grow(skv_run_begun *begun, const skv_run_wish *wish);

#endif
