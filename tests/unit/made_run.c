#include "made_run.h"

#include <stdio.h>
#include <string.h>

#define SAMPLES 4

skv_run_file made_run(void)
{
    static const char *const ids[] = {"0", "partiprompts97", "drawtext3"};
    static char texts[3][48] = {"a photo of a bench", "a photo of a dog left of a cow",
                                "a photo of two clocks"};
    static char names[MADE_RUN_ROWS][32], folder[] = "run", digest[] = "abcd";
    static char *id[MADE_RUN_ROWS], *prompt[MADE_RUN_ROWS];
    static int32_t status[MADE_RUN_ROWS];
    static skv_run_path path[] = {{.name = "full", .digest = digest, .reference = true},
                                  {.name = "scalekv-10", .digest = digest}};

    for (int i = 0; i < MADE_RUN_ROWS; i++) {
        snprintf(names[i], sizeof names[i], i % SAMPLES ? "%s-%d" : "%s", ids[i / SAMPLES],
                 i % SAMPLES);
        id[i] = names[i];
        prompt[i] = texts[i / SAMPLES];
    }
    memset(status, 0, sizeof status);
    return (skv_run_file){
        .folder = folder,
        .n = MADE_RUN_ROWS,
        .segments = {.n = 1,
                     .group_size = 1,
                     .n_prompts = MADE_RUN_ROWS / SAMPLES,
                     .n_samples = SAMPLES,
                     .n_rows = MADE_RUN_ROWS,
                     .segment = {{.n_prompts = MADE_RUN_ROWS / SAMPLES, .n_samples = SAMPLES}}},
        .id = id,
        .prompt = prompt,
        .prompt_used = prompt,
        .status = status,
        .n_paths = 2,
        .path = path};
}
