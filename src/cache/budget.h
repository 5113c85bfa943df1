/* ScaleKV's budget tables: how many tokens drafter and refiner layers keep after each scale.
 *
 * A table comes from a released JSON file, from the rule (src/cache/README.md: a drafter set
 * and an average determine everything), or from given rows. "Scale n" of a file counts from 1 and
 * governs what is kept *for* scale n: it applies to the cut after scale index si = n-2. */
#ifndef SKV_CACHE_BUDGET_H
#define SKV_CACHE_BUDGET_H

#include <jansson.h>
#include <stdint.h>

#include "arch/dims.h"
#include "arch/schedule.h"
#include "cache/policy.h"

/* Bit l of layers[si]: layer l is a drafter in the cut after scale si. */
typedef struct {
    uint64_t layers[SKV_MAX_SCALES];
} skv_drafters;

/* The sets of the released files: 2b has layers 0 and 23 (for scale 13 layer 0 alone), 8b has 0, 1
 * and 2; scales below 9 as scale 9. SKV_E_NOTFOUND names --drafters for any other model. */
SKV_MUST skv_status skv_drafters_known(skv_drafters *out, const skv_dims *dims);

/* The same n >= 1 layers at every scale. SKV_E_ARG: not ascending, or not layers of the model. */
SKV_MUST skv_status skv_drafters_uniform(skv_drafters *out, const skv_dims *dims, const int *layers,
                                         int n);

/* Least capacity of a refiner at this average: 200·base/650 rounded down, not below the window. */
int skv_budget_floor(int base, int window);

typedef struct {
    const skv_dims *dims;
    const skv_schedule *schedule;
    int base;  /* average tokens a layer, met exactly in every row */
    int floor; /* least Min */
    skv_drafters drafters;
} skv_budget_rule;

/* Max and Min of each row by the rule. The first row is that of the first scale after which a layer
 * exceeds base; a base no layer ever exceeds gives a table that never cuts. SKV_E_ARG when base is
 * below floor. Caller destroys. */
SKV_MUST skv_status skv_budget_build(skv_budget **out, const skv_budget_rule *rule);

/* Reads a released file. SKV_E_FORMAT names the file and the misfit: other layers, scales, or a
 * Limit that this schedule does not have. Caller destroys. */
SKV_MUST skv_status skv_budget_load(skv_budget **out, const char *path, const skv_dims *dims,
                                    const skv_schedule *schedule);

/* One row as files have it; scale counts from 1. */
typedef struct {
    int scale, limit, max, min;
} skv_budget_row;

/* The table of n >= 0 given rows (consecutive, the last for the last scale), checked as a file's;
 * `name` is used in messages. */
SKV_MUST skv_status skv_budget_from_rows(skv_budget **out, const skv_dims *dims,
                                         const skv_schedule *schedule, const skv_budget_row *rows,
                                         int n, const skv_drafters *drafters, const char *name);

SKV_MUST skv_status skv_budget_copy(skv_budget **out, const skv_budget *budget);
void skv_budget_destroy(skv_budget *budget); /* accepts NULL */

/* Refuses a table made for another depth, number of scales or schedule. */
SKV_MUST skv_status skv_budget_check(const skv_budget *budget, const skv_dims *dims,
                                     const skv_schedule *schedule, const char *name);

/* Tokens a head of `layer` may hold after the cut that follows scale si (not the last);
 * SKV_KEEP_ALL before the first row. */
int skv_budget_capacity(const skv_budget *budget, int layer, int si);

/* First si with a row; n_scales-1 when there is none. */
int skv_budget_first(const skv_budget *budget);

/* Row of the cut after si (>= first), and the number of its drafters. */
skv_budget_row skv_budget_row_at(const skv_budget *budget, int si, int *n_drafters);

/* Largest mean capacity of a row, in tokens a layer; 0 without rows. */
double skv_budget_average(const skv_budget *budget);

/* New JSON object in the released format. */
SKV_MUST skv_status skv_budget_to_json(json_t **out, const skv_budget *budget);

#endif
