/* Inside src/job only: recall's settings. */
#ifndef SKV_JOB_RECALL_INTERNAL_H
#define SKV_JOB_RECALL_INTERNAL_H

#include "job/recall_run.h"

/* The run's settings into o->run, with what the command line gave in their place; all of its paths.
 */
SKV_MUST skv_status skv_recall__settings(skv_recall_options *o, const skv_run_json *json,
                                         const char *run);

#endif
