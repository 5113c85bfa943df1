/* Seconds that a run will take, before it runs. */
#ifndef SKV_SAMPLE_ESTIMATE_H
#define SKV_SAMPLE_ESTIMATE_H

#include "sample/engine.h"

/* The GPU that was measured, and its bf16 products in 1e12/s: others are estimated by theirs. */
#define SKV_ESTIMATE_GPU    "h200"
#define SKV_ESTIMATE_TFLOPS 989.0

/* *seconds for one group of setup->max_prompts rows on one path, on an H200 in bf16. Within 2 % of
 * what was measured there (src/sample/README.md, Seconds); scores of policies are not counted. */
SKV_MUST skv_status skv_estimate_group(double *seconds, const skv_engine_setup *setup,
                                       const skv_path *path);

#endif
