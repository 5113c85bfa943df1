/* A folder of one file. */
#include "fuzz.h"
#include "fuzz_prompts.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    skv_prompts_source source = {0};

    (void)fuzz_file("a.txt", data, n);
    if (skv_prompts_open(&source, fuzz_folder()) == SKV_OK) {
        assert(source.form == SKV_PROMPTS_FOLDER);
        fuzz_parse_prompts(source.bytes, source.n, source.form);
    } else {
        fuzz_refused();
    }
    skv_prompts_close(&source);
    return 0;
}
