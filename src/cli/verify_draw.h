/* Bits drawn anew, held against the recorded ones.
 *
 * Rounding of the logits may turn a bit where log(q1/q0) lies near the logits' difference, or where
 * that difference lies near top-p's threshold: within SKV_DRAW_MARGIN. Any other difference is an
 * error. */
#ifndef SKV_CLI_VERIFY_DRAW_H
#define SKV_CLI_VERIFY_DRAW_H

#include "model/infinity.h"
#include "sample/recording.h"

#define SKV_DRAW_MARGIN 2e-4 /* the tolerance of a logit */

/* How a recording was drawn. */
typedef struct {
    bool wanted;       /* the rest is given: bits are drawn and compared */
    bool free_run;     /* and no recorded ones are fed back, but for those within the margin */
    uint64_t seed;     /* of the recording's generator */
    skv_torch_gpu gpu; /* that it ran on */
} skv_draws;

typedef struct {
    skv_draws of;
    int64_t same[SKV_MAX_SCALES], all[SKV_MAX_SCALES]; /* bits of a scale */
    int64_t near;                                      /* that differ within the margin */
    int64_t wrong;                                     /* that differ otherwise */
} skv_drawn;

/* Adds scale si: bits as drawn, (L,bits) of 0/1, with the guided logits (L,bits,2) that they were
 * drawn by. A bit that differs within the margin becomes the recorded one; *changed: there is
 * one. */
void skv_drawn_add(skv_drawn *d, bool *changed, const skv_recording *r, int si, uint8_t *bits,
                   const float *guided);

/* Equal bits of all scales, all bits; and the share of the former. */
void skv_drawn_count(int64_t *same, int64_t *all, const skv_drawn *d);
double skv_drawn_share(const skv_drawn *d);

#endif
