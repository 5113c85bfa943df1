/* The tables of skv bench, and the same as JSON. */
#ifndef SKV_CLI_BENCH_REPORT_H
#define SKV_CLI_BENCH_REPORT_H

#include <jansson.h>

#include "cli/bench_measure.h"

typedef struct {
    const skv_engine_setup *setup;
    const skv_ints *text_tokens; /* as in skv_bench */
    double gemm;                 /* FLOP/s of the yardstick */
    const char *gemm_name;       /* "SGEMM" in fp32, "GEMM" */
    double first;                /* seconds of the first group */
    skv_bench_group *group;      /* the timed ones, sorted here by seconds */
    int n_groups;
    skv_bench_floor floor;
    skv_memory_plan plan;
    size_t own; /* bytes that the backend took for itself */
    /* bytes gone from the device since before the model was loaded: when all was ready, and after
     * the timed groups; -1: not known */
    int64_t loaded, taken;
} skv_bench_result;

/* Runs one group with every operation timed by itself and prints the table; *out: its rows. */
SKV_MUST skv_status skv_bench_profile(json_t **out, const skv_bench *b);

/* "8,64" */
void skv_bench_print_tokens(const skv_ints *text_tokens);

/* Prints one path's tables at one batch size; *out is a new JSON object of all that is in them. */
SKV_MUST skv_status skv_bench_report(json_t **out, skv_bench_result *r);

#endif
