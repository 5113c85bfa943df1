/* The Attention Selectivity Index of layers at scales (ScaleKV, equations 2 and 3):
 *
 *   ASI = CAR·HTK,  Z = (ASI - mean over layers)/(deviation over layers + 1e-6)
 *
 * CAR and HTK are means over heads, queries and pictures; the deviation is the population's. Scale
 * 0 has no history and no ASI. */
#ifndef SKV_CALIBRATE_ASI_H
#define SKV_CALIBRATE_ASI_H

#include "calibrate/measures.h"

/* Which rows of a picture are looked at. */
typedef enum { SKV_ROWS_COND, SKV_ROWS_UNCOND, SKV_ROWS_BOTH } skv_which_rows;

typedef enum {
    SKV_INDEX_ASI,          /* CAR·HTK */
    SKV_INDEX_RENORMALISED, /* CAR·(share of HTK in the query's mass on the history) */
    SKV_INDEX_HTK           /* HTK alone */
} skv_index;

extern const char *const skv_index_names[]; /* by skv_index, NULL-terminated */

typedef struct {
    skv_which_rows rows;
    skv_index index;
    int top; /* which of the top sums */
} skv_asi_choice;

typedef struct {
    int layers, scales;
    double value[SKV_MAX_SCALES][SKV_MAX_DEPTH], z[SKV_MAX_SCALES][SKV_MAX_DEPTH]; /* [0]: 0 */
} skv_asi;

/* z of one scale from its values. */
void skv_asi_score(double *z, const double *value, int layers);

/* Of brief figures: one picture's, or means over several. Rows of both kinds need kinds 2. */
void skv_asi_make(skv_asi *out, const skv_measures *m, const double *brief,
                  const skv_asi_choice *choice);

/* The mean of brief figures over the n pictures that `place` lists, in that order; NULL: over all
 * of c (n is c->n). out: room for skv_briefs. */
void skv_brief_mean(double *out, const skv_calibration *c, const int64_t *place, int64_t n);

#endif
