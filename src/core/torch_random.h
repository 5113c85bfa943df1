/* The random numbers of torch's generator on a CUDA device, without torch: each is a function of
 * the generator's seed and offset, of how many numbers are drawn together, and of its place among
 * them. kernels/README.md, "Random numbers", has the rule. */
#ifndef SKV_CORE_TORCH_RANDOM_H
#define SKV_CORE_TORCH_RANDOM_H

#include <stdint.h>

#include "core/gpus.h"

/* torch.Generator("cuda") between two draws: manual_seed(seed), then `offset` numbers a thread. */
typedef struct {
    uint64_t seed, offset;
} skv_generator;

/* The GPU that is imitated: what decides how many threads share a draw. */
typedef struct {
    int multiprocessors, threads; /* threads: the most that one multiprocessor holds */
} skv_torch_gpu;

#define SKV_TORCH_GPU      "h100" /* the default of --torch-gpu */
#define SKV_TORCH_GPU_HELP SKV_GPU_NAMES ", or MULTIPROCESSORS:THREADS"

/* A name of the table, or two numbers with a colon, as 132:2048. */
SKV_MUST skv_status skv_torch_gpu_parse(skv_torch_gpu *out, const char *text);

/* out = the two numbers with a colon, the same text for names of the same rule. */
void skv_torch_gpu_text(char out[24], const skv_torch_gpu *gpu);

/* Threads that draw n numbers together, a multiple of 256; n >= 1. */
int64_t skv_torch_threads(const skv_torch_gpu *gpu, int64_t n);

/* What drawing n numbers adds to the generator's offset, a multiple of 4. */
uint64_t skv_torch_step(const skv_torch_gpu *gpu, int64_t n);

/* Number i of a draw by `threads` threads: uniform in (0, 1] from 2^-33 up. */
float skv_torch_uniform(const skv_generator *g, int64_t threads, int64_t i);

/* The same as an exponential number, at least 2^-24. */
float skv_torch_exponential(const skv_generator *g, int64_t threads, int64_t i);

#endif
