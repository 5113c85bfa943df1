#include "core/gpus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* MiB: an H200's was read from the card; the others' are of the same order below their nominal
 * size (kernels/README.md, Memory by GPU). */
static const skv_gpu gpus[] = {
    /* name, multiprocessors, threads, MiB, TFLOP/s */
    {"h100", 132, 2048, 80998, 989},    {"h200", 132, 2048, 143073, 989},
    {"a100", 108, 2048, 81050, 312},    {"h100-pcie", 114, 2048, 80998, 756},
    {"4090", 128, 1536, 24217, 165},    {"l40s", 142, 1536, 45465, 362},
    {"a100-80", 108, 2048, 81050, 312}, {"a100-40", 108, 2048, 40335, 312},
    {"3090", 82, 1536, 24259, 71},      {"5090", 170, 1536, 32112, 209},
    {"b200", 148, 2048, 182630, 2250},
};

const skv_gpu *skv_gpu_find(const char *name)
{
    for (size_t i = 0; i < sizeof gpus / sizeof *gpus; i++)
        if (strcmp(gpus[i].name, name) == 0)
            return &gpus[i];
    return NULL;
}

const skv_gpu *skv_gpu_row(int i)
{
    return i < (int)(sizeof gpus / sizeof *gpus) ? &gpus[i] : NULL;
}

static skv_status refuse(const char *text)
{
    return skv_fail(SKV_E_ARG, "--for %s: want " SKV_GPU_NAMES ", or NAME:BYTES, as in h200:%lld",
                    text, (long long)70 << 30);
}

skv_status skv_gpu_planned(skv_planned_gpu *out, const char *text)
{
    const size_t n = strcspn(text, ":");
    const skv_gpu *known;
    unsigned long long bytes = 0;
    char *end = NULL;

    *out = (skv_planned_gpu){0};
    if (n == 0 || n >= sizeof out->name)
        return refuse(text);
    memcpy(out->name, text, n);
    known = skv_gpu_find(out->name);
    if (known) {
        out->bytes = (size_t)known->mib << 20;
        out->tflops = known->tflops;
    }
    if (!text[n])
        return known ? SKV_OK : refuse(text);
    errno = 0;
    if (text[n + 1] >= '0' && text[n + 1] <= '9')
        bytes = strtoull(text + n + 1, &end, 10);
    if (!end || *end || errno || bytes == 0 || bytes > (unsigned long long)1 << 50)
        return refuse(text);
    out->bytes = (size_t)bytes;
    return SKV_OK;
}
