#include "fuzz.h"

#include <assert.h>
#include <string.h>

#include "fuzz_zip.h"
#include "io/stored_zip.h"

static void check_record(const skv_zip *zip, skv_zip_record *r, const uint8_t *data, size_t n)
{
    const uint8_t *name = (const uint8_t *)r->name;

    assert(name >= data && r->name_bytes > 0 && r->name_bytes <= n);
    assert((size_t)(name - data) <= n - r->name_bytes);
    assert(r->data >= data && r->bytes <= n && (size_t)(r->data - data) <= n - r->bytes);
    assert(skv_zip_find(zip, r->name, r->name_bytes) == r);
    if (skv_zip_check(zip, r) != SKV_OK)
        fuzz_refused();
}

static void run(const uint8_t *data, size_t n)
{
    skv_zip zip = {0};

    if (skv_zip_open(&zip, data, n, "input") != SKV_OK) {
        fuzz_refused();
        return;
    }
    for (size_t i = 0; i < zip.n; i++)
        check_record(&zip, &zip.records[i], data, n);
    skv_zip_close(&zip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_twice(data, n, fuzz_zip_repair, run);
    return 0;
}
