/* A folder of one file. */
#include "fuzz.h"
#include "fuzz_prompts.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    skv_prompts_form form = SKV_PROMPTS_TEXT;
    char *bytes = NULL;
    size_t n_bytes = 0;

    (void)fuzz_file("a.txt", data, n);
    if (skv_prompts_load(&bytes, &n_bytes, &form, fuzz_folder()) == SKV_OK) {
        assert(form == SKV_PROMPTS_FOLDER);
        fuzz_parse_prompts(bytes, n_bytes, form);
    } else {
        fuzz_refused();
    }
    free(bytes);
    return 0;
}
