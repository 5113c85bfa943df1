/* The page of a calibration: FOLDER/calibration.html from FOLDER/calibration.h5. */
#ifndef SKV_EVAL_CALIBRATION_PAGE_H
#define SKV_EVAL_CALIBRATION_PAGE_H

#include "core/status.h"

SKV_MUST skv_status skv_calibration_page(const char *folder);

#endif
