/* A cache of rewritten prompts, for a list of two. */
#include "fuzz.h"
#include "fuzz_prompts.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char list[] = "a cat\na red car\n";
    skv_prompts *p = NULL;

    if (skv_prompts_parse(&p, list, strlen(list), SKV_PROMPTS_TEXT, "list", NULL) != SKV_OK)
        abort();
    if (skv_prompts_rewrite(p, (const char *)data, n, "input") != SKV_OK)
        fuzz_refused();
    fuzz_check_prompts(p);
    skv_prompts_destroy(p);
    return 0;
}
