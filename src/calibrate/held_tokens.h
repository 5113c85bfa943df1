/* Which tokens each head of a cut path holds after every cut: a bit a token, in the order of the
 * sequence of all scales. The full cache's attention is then added up over these tokens. */
#ifndef SKV_CALIBRATE_HELD_TOKENS_H
#define SKV_CALIBRATE_HELD_TOKENS_H

#include <stddef.h>
#include <stdint.h>

#include "arch/schedule.h"
#include "core/status.h"

typedef struct skv_held skv_held;

/* For groups of at most max_rows rows (two a prompt under guidance); begun. Destroy accepts NULL.
 */
SKV_MUST skv_status skv_held_create(skv_held **out, const skv_schedule *schedule, int layers,
                                    int heads, int max_rows);
void skv_held_destroy(skv_held *h);

/* Begins a group: nothing has been cut. */
void skv_held_begin(skv_held *h);

/* A layer's cut after scale si, in ascending order of the scales; where none is told, nothing was
 * lost. position (n_rows,Σ n) host: ascending places in the cache as it was before the cut, row by
 * row, head by head, n[head] of them. SKV_E_SHAPE: positions that are not in the cache. */
SKV_MUST skv_status skv_held_cut(skv_held *h, int layer, int si, int n_rows,
                                 const int32_t *position, const int32_t *n);

/* Once all cuts of a group have been told. */
void skv_held_end(skv_held *h);

/* Σ of column over the tokens that a head holds while scale si attends: those of earlier scales
 * that the cuts have left, and the map of si. column: one number for each token up to that map. */
double skv_held_sum(const skv_held *h, int layer, int si, int row, int head, const double *column);

#endif
