/* A cache of rewritten prompts, for a list of two. */
#include "fuzz.h"
#include "fuzz_prompts.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char list[] = "a cat\na red car\n";
    const skv_prompts_options options = {
        .rewrites = (const char *)data, .rewrites_bytes = n, .rewrites_name = "input"};
    skv_prompts_source source;
    skv_prompts *p = NULL;

    skv_prompts_open_bytes(&source, list, strlen(list), SKV_PROMPTS_TEXT);
    if (skv_prompts_parse(&p, &source, "list", &options) == SKV_OK)
        fuzz_check_prompts(p);
    else
        fuzz_refused();
    skv_prompts_destroy(p);
    return 0;
}
