/* DIR/calibration.h5: all that a calibration measured; src/cache/README.md has the schema. */
#ifndef SKV_CALIBRATE_CALIBRATION_FILE_H
#define SKV_CALIBRATE_CALIBRATION_FILE_H

#include "calibrate/budgets.h"

typedef struct {
    const skv_budgets_setup *setup;
    const skv_calibrated *budget; /* n_budgets of them */
    int n_budgets;
    int64_t n_queries; /* of a head at a scale; 0: all */
} skv_calibration_file;

SKV_MUST skv_status skv_calibration_write(const skv_calibration_file *f, const char *folder);

#endif
