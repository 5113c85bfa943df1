/* RUN/README.txt: ten lines for whoever finds the folder. */
#ifndef SKV_RUN_RUN_README_H
#define SKV_RUN_RUN_README_H

#include "core/status.h"

/* Writes it, unless something of this name is there: people may have added to it. */
SKV_MUST skv_status skv_run_readme_write(const char *run);

#endif
