/* Which layers are drafters at which scale, from their Z-scores: the lowest. */
#ifndef SKV_CALIBRATE_DRAFTER_CHOICE_H
#define SKV_CALIBRATE_DRAFTER_CHOICE_H

#include "cache/budget.h"
#include "calibrate/asi.h"

typedef enum {
    SKV_DRAFT_COUNT, /* the `count` (layer, scale) pairs of lowest Z over all scales together */
    SKV_DRAFT_GAP,   /* the pairs below the largest gap between two Z, in the lower half */
    SKV_DRAFT_LAYERS /* the same layers at every scale: those of the lowest mean Z, `count` of them
                      * or (0) those below the largest gap in the lower half */
} skv_draft_rule;

extern const char *const skv_draft_rule_names[]; /* NULL-terminated */

typedef struct {
    skv_draft_rule rule;
    int count;
    int first; /* scales first to the last one are ranked; >= 1 */
} skv_draft_choice;

/* Bit l of out->layers[si - 1]: layer l is a drafter at scale si, hence in the cut after si - 1.
 * Equal scores: the smaller scale, then the smaller layer, comes first. SKV_E_ARG: more are asked
 * for than there are. */
SKV_MUST skv_status skv_drafters_choose(skv_drafters *out, const skv_asi *asi,
                                        const skv_draft_choice *choice);

/* The first scale that is computed on a cut cache, where no layer may hold more than `base` tokens;
 * n_scales: none is. */
int skv_first_on_cut(const skv_schedule *s, int base);

/* Pairs of scales first .. n_scales - 1: in a; in both over those in either (1 where both are
 * empty). */
int skv_drafters_count(const skv_drafters *a, int first, int n_scales);
double skv_drafters_overlap(const skv_drafters *a, const skv_drafters *b, int first, int n_scales);

#endif
