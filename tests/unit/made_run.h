/* A run in memory, as the readers of evaluators' results see it: three prompts of four samples
 * each, ids 0, partiprompts97 and drawtext3, paths full and scalekv-10. data/scores has its
 * results. */
#ifndef SKV_TESTS_MADE_RUN_H
#define SKV_TESTS_MADE_RUN_H

#include "run/run_file.h"

#define MADE_RUN_ROWS 12

/* Of static memory: not to be closed. Rows may be marked as failed by way of *status. */
skv_run_file made_run(void);

#endif
