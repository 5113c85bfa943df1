/* skv bench --eval: all metrics over pairs of pictures made for it, timed by stage. */
#ifndef SKV_CLI_BENCH_EVAL_H
#define SKV_CLI_BENCH_EVAL_H

#include <stdint.h>

#include "core/status.h"

typedef struct {
    int64_t pairs;
    int side; /* of the pictures, pixels */
    const char *device;
    int threads;      /* 0: all cores */
    const char *json; /* file, NULL: none */
} skv_bench_eval_options;

/* Writes some distinct PNGs to a temporary folder under as many names as pairs are wanted,
 * evaluates them with formula weights, prints the times and removes the folder. */
SKV_MUST skv_status skv_bench_eval(const skv_bench_eval_options *o);

#endif
