#include "core/torch_random.h"

#include <math.h>
#include <stdio.h>

#include "core/gpus.h"
#include "core/rng.h"

#define BLOCK 256 /* threads of a block */
#define LANES 4   /* numbers of one Philox call */

skv_status skv_torch_gpu_parse(skv_torch_gpu *out, const char *text)
{
    const skv_gpu *known = skv_gpu_find(text);
    char colon = 0;
    int bytes = 0;

    if (known) {
        *out = (skv_torch_gpu){known->multiprocessors, known->threads};
        return SKV_OK;
    }
    if (sscanf(text, "%4d%c%5d%n", &out->multiprocessors, &colon, &out->threads, &bytes) != 3 ||
        colon != ':' || text[bytes] || out->multiprocessors < 1 || out->threads < BLOCK)
        return skv_fail(SKV_E_ARG, "--torch-gpu %s: want " SKV_TORCH_GPU_HELP ", as in 132:2048",
                        text);
    return SKV_OK;
}

void skv_torch_gpu_text(char out[24], const skv_torch_gpu *gpu)
{
    snprintf(out, 24, "%d:%d", gpu->multiprocessors, gpu->threads);
}

int64_t skv_torch_threads(const skv_torch_gpu *gpu, int64_t n)
{
    const int64_t blocks = (n + BLOCK - 1) / BLOCK;
    const int64_t most = (int64_t)gpu->multiprocessors * (gpu->threads / BLOCK);

    return BLOCK * (blocks < most ? blocks : most);
}

uint64_t skv_torch_step(const skv_torch_gpu *gpu, int64_t n)
{
    const int64_t each = LANES * skv_torch_threads(gpu, n);

    return LANES * ((uint64_t)((n - 1) / each) + 1);
}

float skv_torch_uniform(const skv_generator *g, int64_t threads, int64_t i)
{
    const uint64_t call = g->offset / LANES + (uint64_t)(i / (LANES * threads));
    const uint64_t thread = (uint64_t)(i % threads);
    const uint32_t key[2] = {(uint32_t)g->seed, (uint32_t)(g->seed >> 32)};
    const uint32_t counter[4] = {(uint32_t)call, (uint32_t)(call >> 32), (uint32_t)thread,
                                 (uint32_t)(thread >> 32)};
    uint32_t word[4];

    skv_philox(word, counter, key);
    return (float)word[i / threads % LANES] * 0x1p-32f + 0x1p-33f;
}

float skv_torch_exponential(const skv_generator *g, int64_t threads, int64_t i)
{
    const float u = skv_torch_uniform(g, threads, i);

    return u >= 1 - 0x1p-24f ? 0x1p-24f : (float)-log((double)u);
}
