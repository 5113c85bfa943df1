/* The segments of a run: what it was begun with, and each time that it grew by prompts or by
 * samples. A segment's rows and groups come after those of the segments before it, so they keep
 * their numbers whatever is added later. No group lies in two segments. */
#ifndef SKV_RUN_SEGMENTS_H
#define SKV_RUN_SEGMENTS_H

#include <stdint.h>

#include "core/json.h"
#include "core/status.h"

#define SKV_MAX_SEGMENTS  256
#define SKV_RUN_MAX_GROUP 1024       /* rows of a group */
#define SKV_SEGMENTS      "segments" /* key of run.json, attribute of run.h5 */

/* Of each of these prompts these samples: prompt by prompt, a prompt's samples one after another.
 */
typedef struct {
    int64_t prompt, n_prompts; /* [prompt, prompt + n_prompts) */
    int64_t sample, n_samples;
    int64_t row, group; /* the first */
} skv_segment;

typedef struct {
    int n;
    int64_t group_size, n_prompts, n_samples; /* of the run */
    int64_t n_rows, n_groups;
    skv_segment segment[SKV_MAX_SEGMENTS];
} skv_segments;

/* No rows yet. */
skv_segments skv_segments_none(int64_t group_size);

/* Appends what is new where a run has this many prompts, and this many samples of each: nothing, a
 * segment of prompts, a segment of samples, or one of each in this order. SKV_E_ARG where there
 * would be fewer of either, too many segments or too many rows. */
SKV_MUST skv_status skv_segments_grow(skv_segments *s, int64_t n_prompts, int64_t n_samples);

/* A list of {"prompts", "samples"}: how many a run had after each segment. */
json_t *skv_segments_json(const skv_segments *s); /* new reference, NULL: no memory */

/* From such a list; of groups of group_size. SKV_E_FORMAT naming `name` where it is none. */
SKV_MUST skv_status skv_segments_read(skv_segments *out, const json_t *list, int64_t group_size,
                                      const char *name);

/* Those of a run, by its run.json: one where it has no list. SKV_E_FORMAT naming `name` where what
 * it says of samples and groups is impossible. */
SKV_MUST skv_status skv_segments_of_run(skv_segments *out, const json_t *root, const char *name);

int64_t skv_segments_row(const skv_segments *s, int64_t prompt, int64_t sample);
void skv_segments_of_row(const skv_segments *s, int64_t row, int64_t *prompt, int64_t *sample);

/* Rows of group g: *first, *n. */
void skv_segments_group(const skv_segments *s, int64_t g, int64_t *first, int *n);
int64_t skv_segments_group_of(const skv_segments *s, int64_t row);

#endif
