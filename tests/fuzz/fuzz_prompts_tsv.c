#include "fuzz.h"
#include "fuzz_prompts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_parse_prompts((const char *)data, n, SKV_PROMPTS_TSV);
    return 0;
}
