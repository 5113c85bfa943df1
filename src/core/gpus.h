/* The GPUs that are known by a short name: of --torch-gpu, and of --for, which plans a run for one
 * of them on a machine without it. */
#ifndef SKV_CORE_GPUS_H
#define SKV_CORE_GPUS_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

#define SKV_GPU_NAMES "h100, h200, a100, h100-pcie, 4090, l40s, a100-80, a100-40, 3090, 5090, b200"

typedef struct {
    const char *name;
    int multiprocessors, threads; /* threads: the most that one multiprocessor holds */
    int64_t mib;                  /* memory as CUDA counts it, less than the size on the box */
    double tflops; /* dense bf16 products with fp32 sums, as the maker states them, in 1e12/s */
} skv_gpu;

/* The row of this name, NULL: there is none. */
const skv_gpu *skv_gpu_find(const char *name);

/* The i-th row, NULL after the last. */
const skv_gpu *skv_gpu_row(int i);

/* A GPU that a run is planned for. */
typedef struct {
    char name[32];
    size_t bytes;
    double tflops; /* 0: not known */
} skv_planned_gpu;

/* A name of the table; or NAME:BYTES, any name with a memory of its own. */
SKV_MUST skv_status skv_gpu_planned(skv_planned_gpu *out, const char *text);

#endif
