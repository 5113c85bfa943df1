/* Both forms of PyTorch's files: the archive and the older stream. */
#include "fuzz.h"
#include "fuzz_entries.h"
#include "fuzz_zip.h"

#include <assert.h>

#include "io/torch_file.h"

static void run(const uint8_t *data, size_t n)
{
    skv_entries list = {0};
    skv_torch_file *file = NULL;
    const char *kind = NULL;

    if (skv_torch_file_read(&list, &file, &kind, data, n, "input", 0) == SKV_OK) {
        assert(kind);
        fuzz_check_entries(&list, data, n);
        for (size_t i = 0; i < list.n; i++)
            if (list.entry[i].record != SIZE_MAX &&
                skv_torch_file_verify(file, list.entry[i].record) != SKV_OK)
                fuzz_refused();
    } else {
        fuzz_refused();
    }
    skv_torch_file_close(file);
    skv_entries_clear(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    (void)skv_torch_file_is(data, n);
    fuzz_twice(data, n, fuzz_zip_repair, run);
    return 0;
}
