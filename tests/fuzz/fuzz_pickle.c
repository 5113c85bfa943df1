#include "fuzz.h"

#include <assert.h>

#include "io/pickle.h"

#define MAX_VALUES 2000 /* a value may be in many places: the walk would not end */

static void walk(const skv_pickle_value *v, int *left)
{
    assert(v);
    if ((*left)-- <= 0)
        return;
    if (v->text)
        fuzz_touch(v->text, v->bytes);
    for (size_t i = 0; i<v->n && * left> 0; i++)
        walk(v->item[i], left);
    if (v->type == SKV_PICKLE_DICT)
        assert(v->n % 2 == 0);
    if (v->type == SKV_PICKLE_STORAGE)
        assert(v->key && v->text && v->integer >= 0);
    if (v->type == SKV_PICKLE_NAME || v->type == SKV_PICKLE_OPAQUE) {
        assert(v->key && v->key->type == SKV_PICKLE_TEXT && v->text);
        fuzz_touch(v->key->text, v->key->bytes);
    }
    if (v->type == SKV_PICKLE_TENSOR) {
        const skv_pickle_tensor *t = v->tensor;

        assert(t && t->storage && t->storage->type == SKV_PICKLE_STORAGE);
        assert(t->ndim >= 0 && t->ndim <= SKV_PICKLE_DIMS && t->offset >= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    skv_pickle *p = NULL;
    const skv_pickle_value *root = NULL;
    const skv_pickle_value *const *storage;
    size_t used = 0, n_storages = 0;
    int left = MAX_VALUES;

    if (skv_pickle_run(&p, &root, &used, data, n, "input") != SKV_OK) {
        fuzz_refused();
        return 0;
    }
    assert(used > 0 && used <= n);
    walk(root, &left);
    storage = skv_pickle_storages(p, &n_storages);
    for (size_t i = 0; i < n_storages; i++)
        assert(storage[i]->type == SKV_PICKLE_STORAGE);
    skv_pickle_destroy(p);
    return 0;
}
