#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_zip.h"
#include "io/zip_file.h"

#define MOST ((size_t)1 << 20)

static void check_record(const skv_zip *zip, skv_zip_record *r, const uint8_t *data, size_t n)
{
    const uint8_t *name = (const uint8_t *)r->name;
    uint8_t *content = NULL;

    assert(name >= data && r->name_bytes > 0 && r->name_bytes <= n);
    assert((size_t)(name - data) <= n - r->name_bytes);
    assert(r->data >= data && r->stored <= n && (size_t)(r->data - data) <= n - r->stored);
    assert(r->deflated || r->bytes == r->stored);
    assert(skv_zip_find(zip, r->name, r->name_bytes) == r);
    if (!r->deflated && skv_zip_check(zip, r) != SKV_OK)
        fuzz_refused();
    if (skv_zip_read(&content, zip, r, MOST) != SKV_OK)
        fuzz_refused();
    else
        fuzz_touch(content, r->bytes);
    free(content);
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
