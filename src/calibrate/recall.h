/* Recall: the share of the full cache's attention that falls on the tokens which a path still
 * holds. A group is computed on each path and then on the full cache, fed with the same bits every
 * time: the paths say what they keep, the full cache where its queries look. */
#ifndef SKV_CALIBRATE_RECALL_H
#define SKV_CALIBRATE_RECALL_H

#include "calibrate/observer.h"

typedef struct {
    skv_observer_setup observer;          /* of the full cache; its measures have no top sums */
    int n_paths;                          /* all whose recall is wanted */
    int token_bits;                       /* bits of a token */
    const skv_policy *const *policy;      /* (n_paths) */
    const skv_policy_state *const *state; /* (n_paths) */
} skv_recall_setup;

typedef struct skv_recall skv_recall;

/* Copies setup, not what its lists point to; destroy accepts NULL. */
SKV_MUST skv_status skv_recall_create(skv_recall **out, const skv_recall_setup *setup);
void skv_recall_destroy(skv_recall *r);

/* Begins a group, which is computed with these bits: packed, bits_bytes a row (model/bits.h).
 * row[i]: the row of the i-th prompt in the order of computing, looked at while a path is computed.
 * Borrowed. */
void skv_recall_begin(skv_recall *r, const uint8_t *bits, size_t bits_bytes, const int *row);

/* The probe for a path, 0 to n_paths - 1, whose kept tokens are noted. A path that is not watched
 * in a group counts as one that keeps everything. Always the same probe. */
const skv_probe *skv_recall_watch(skv_recall *r, int path);

/* The probe for the full cache, once all paths were watched. */
const skv_probe *skv_recall_measure(skv_recall *r);

/* Then: the shares (n_paths, scales, layers) of the i-th prompt in the order of computing, means
 * over heads, its rows (two under guidance) and the queries that were looked at. Borrowed. */
const double *skv_recall_shares(const skv_recall *r, int i);

/* Mean of a path's shares (n_scales, n_layers) over layers and over scales from the second on: the
 * first has only itself to look at. */
double skv_recall_mean(const double *share, int n_scales, int n_layers);

#endif
