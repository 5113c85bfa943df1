/* The cards, and the environment. Memory: what is left of the nominal size as CUDA reports it;
 * figures of the multiprocessors: by compute capability, CUDA C++ Programming Guide. */
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIB 1024

static const standin_card cards[] = {
    /* word, name, capability, processors, MiB, shared memory: block, processor, threads */
    {"a100-40", "NVIDIA A100-SXM4-40GB", 8, 0, 108, 40335, 163 * KIB, 164 * KIB, 2048},
    {"a100", "NVIDIA A100-SXM4-80GB", 8, 0, 108, 81050, 163 * KIB, 164 * KIB, 2048},
    {"3090", "NVIDIA GeForce RTX 3090", 8, 6, 82, 24259, 99 * KIB, 100 * KIB, 1536},
    {"4090", "NVIDIA GeForce RTX 4090", 8, 9, 128, 24217, 99 * KIB, 100 * KIB, 1536},
    {"l40s", "NVIDIA L40S", 8, 9, 142, 45465, 99 * KIB, 100 * KIB, 1536},
    {"h100", "NVIDIA H100 80GB HBM3", 9, 0, 132, 80998, 227 * KIB, 228 * KIB, 2048},
    {"h200", "NVIDIA H200", 9, 0, 132, 143073, 227 * KIB, 228 * KIB, 2048},
    {"b200", "NVIDIA B200", 10, 0, 148, 182630, 227 * KIB, 228 * KIB, 2048},
    {"5090", "NVIDIA GeForce RTX 5090", 12, 0, 170, 32112, 99 * KIB, 100 * KIB, 1536},
    {"v100", "Tesla V100-SXM2-16GB", 7, 0, 80, 16151, 96 * KIB, 96 * KIB, 2048},
};

const standin_card *standin_here(void)
{
    const char *word = getenv("STANDIN_CARD");

    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++)
        if (strcmp(cards[i].word, word ? word : "h100") == 0)
            return &cards[i];
    standin_stop("STANDIN_CARD: there is no card %s", word);
}

size_t standin_card_bytes(void)
{
    return (size_t)standin_number("STANDIN_MIB", standin_here()->mib) << 20;
}

long standin_number(const char *variable, long otherwise)
{
    const char *v = getenv(variable);

    return v && *v ? strtol(v, NULL, 10) : otherwise;
}

bool standin_lists(const char *variable, const char *word)
{
    const char *at = getenv(variable);
    const size_t n = strlen(word);

    while (at && *at) {
        if (strncmp(at, word, n) == 0 && (at[n] == ',' || at[n] == '\0'))
            return true;
        at = strchr(at, ',');
        at = at ? at + 1 : NULL;
    }
    return false;
}

bool standin_lists_number(const char *variable, long number)
{
    char word[24];

    snprintf(word, sizeof word, "%ld", number);
    return standin_lists(variable, word);
}

int standin_host_gpu(int device)
{
    const int there = (int)standin_number("STANDIN_GPUS", 1);
    const char *at = getenv("CUDA_VISIBLE_DEVICES");

    if (!at)
        return device >= 0 && device < there ? device : -1;
    for (int seen = 0;; seen++) {
        char *end;
        const long gpu = strtol(at, &end, 10);

        if (end == at || gpu < 0 || gpu >= there) /* as CUDA: an unknown one ends the list */
            return -1;
        if (seen == device)
            return (int)gpu;
        if (*end != ',')
            return -1;
        at = end + 1;
    }
}
