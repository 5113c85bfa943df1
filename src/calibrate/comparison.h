/* Drafters of earlier calibrations (another aspect ratio, other prompts), to be compared with. */
#ifndef SKV_CALIBRATE_COMPARISON_H
#define SKV_CALIBRATE_COMPARISON_H

#include "calibrate/drafter_choice.h"

#define SKV_MAX_COMPARED 8
#define SKV_MAX_PERCENTS 16

/* What one calibration.h5 says of the asked percents; first 0: it has no budget for that one. */
typedef struct {
    char name[160]; /* "FILE, ratio 1.333" */
    int first[SKV_MAX_PERCENTS];
    skv_drafters set[SKV_MAX_PERCENTS];
} skv_compared;

/* Reads a file that skv calibrate wrote. SKV_E_SHAPE: it is none, or of another depth or number of
 * scales. */
SKV_MUST skv_status skv_compared_read(skv_compared *out, const char *path, const skv_measures *m,
                                      const double *percent, int n);

#endif
