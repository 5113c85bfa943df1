/* How far a drafter set depends on how it was measured: overlaps (pairs in both over pairs in
 * either) with the set itself. */
#ifndef SKV_CALIBRATE_STABILITY_H
#define SKV_CALIBRATE_STABILITY_H

#include "calibrate/drafter_choice.h"

#define SKV_RESAMPLES  200 /* of the prompts, with replacement */
#define SKV_SIZE_STEPS 16

typedef struct {
    int first, n_scales;
    skv_asi asi;
    skv_drafters set;
    double same, overlap; /* of resamples: the share with exactly this set; mean overlap */
    double chosen[SKV_MAX_SCALES][SKV_MAX_DEPTH]; /* share of resamples that have the pair */
    int n_sizes, size[SKV_SIZE_STEPS];            /* 1, 2, 4, ... prompts, and all */
    double by_size[SKV_SIZE_STEPS];               /* mean overlap of resamples of so many */
    double by_top[SKV_STATS_TOPS];                /* by K' */
    double uncond, both; /* by the rows looked at; -1: without guidance there is one kind */
    double seeds;        /* mean over samples of one seed each; -1: there is one a prompt */
} skv_stability;

typedef struct {
    const skv_calibration *calibration;
    int64_t samples; /* pictures of a prompt: row = prompt·samples + sample */
    uint64_t seed;   /* of the resamples */
    skv_asi_choice asi;
    skv_draft_choice draft;
} skv_stability_setup;

/* The set, and how stable it is. */
SKV_MUST skv_status skv_stability_find(skv_stability *out, const skv_stability_setup *setup);

/* "0.93 over 200 resamples of the prompts (86 % the same set), ..." into buf. */
void skv_stability_say(char *buf, size_t bytes, const skv_stability *s, const skv_measures *m);

#endif
