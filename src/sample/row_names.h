/* Whether all rows of a run have names of their own: that of a prompt's sample j is "<id>-<j>",
 * which may be another prompt's id. */
#ifndef SKV_SAMPLE_ROW_NAMES_H
#define SKV_SAMPLE_ROW_NAMES_H

#include "sample/rows.h"

/* SKV_E_ARG naming two prompts of which rows would have one name. Reads the ids of all prompts
 * where there are several samples of each. */
SKV_MUST skv_status skv_rows_check_names(const skv_rows *rows);

#endif
