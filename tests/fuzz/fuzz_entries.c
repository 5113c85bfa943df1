#include "fuzz_entries.h"

#include <assert.h>
#include <string.h>

#include "fuzz.h"

void fuzz_check_entries(const skv_entries *list, const uint8_t *data, size_t n)
{
    for (size_t i = 0; i < list->n; i++) {
        const skv_entry *e = &list->entry[i];
        size_t numel = 0;

        assert(e->name && e->dtype_name && e->ndim >= 0);
        if (!e->supported)
            continue;
        assert(e->ndim <= SKV_ENTRY_DIMS && skv_entries_numel(&numel, e->ndim, e->shape));
        assert(e->bytes == numel * skv_dtype_bytes(e->dtype));
        if (e->bytes == 0)
            continue;
        assert((const uint8_t *)e->data >= data && e->bytes <= n);
        assert((size_t)((const uint8_t *)e->data - data) <= n - e->bytes);
    }
}
