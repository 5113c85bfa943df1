#include "fuzz.h"
#include "fuzz_entries.h"

#include "io/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    skv_entries list = {0};

    if (skv_safetensors_read(&list, data, n, "input", 0) == SKV_OK)
        fuzz_check_entries(&list, data, n);
    else
        fuzz_refused();
    skv_entries_clear(&list);
    return 0;
}
