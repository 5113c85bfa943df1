/* An index of shards, beside two shards of tensors "a" and "b". */
#include "fuzz.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "io/checkpoint.h"

static void make_shards(void)
{
    static bool made;
    char *data = NULL;
    size_t n = 0;
    skv_status st;

    if (made)
        return;
    st = skv_file_read(&data, &n, SKV_TEST_DATA "/tiny_t5_bad/ok.safetensors", 4096);
    assert(st == SKV_OK);
    (void)fuzz_file("1.safetensors", data, n);
    free(data);
    st = skv_file_read(&data, &n, SKV_TEST_DATA "/tiny_t5_bad/ok_escaped_names.safetensors", 4096);
    assert(st == SKV_OK);
    (void)fuzz_file("2.safetensors", data, n);
    free(data);
    made = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    skv_checkpoint *ck = NULL;

    make_shards();
    if (skv_checkpoint_open(&ck, fuzz_file("model.safetensors.index.json", data, n)) != SKV_OK) {
        fuzz_refused();
        return 0;
    }
    assert(skv_checkpoint_count(ck) > 0);
    for (size_t i = 0; i < skv_checkpoint_count(ck); i++) {
        const skv_entry *e = skv_checkpoint_at(ck, i);

        assert(i == 0 || strcmp(skv_checkpoint_at(ck, i - 1)->name, e->name) < 0);
        fuzz_touch(e->data, e->bytes);
    }
    skv_checkpoint_close(ck);
    return 0;
}
