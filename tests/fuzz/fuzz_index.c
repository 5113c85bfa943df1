/* An index of shards, beside two shards: of tensors "a" and "b", and of names that JSON escapes. */
#include "fuzz.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "io/checkpoint.h"

/* A safetensors file: the length of its header, the header, and so many bytes of data. */
static void make_shard(const char *name, const char *header, size_t bytes)
{
    const uint64_t n = strlen(header); /* its first bytes are the lowest: a little-endian machine */
    char *file = calloc(1, sizeof n + n + bytes);

    assert(file);
    memcpy(file, &n, sizeof n);
    memcpy(file + sizeof n, header, n);
    (void)fuzz_file(name, file, sizeof n + n + bytes);
    free(file);
}

#define TENSOR(name, from, to)                                                                     \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[" #from "," #to "]}"

static void make_shards(void)
{
    static bool made;

    if (made)
        return;
    make_shard("1.safetensors", "{" TENSOR("a", 0, 8) "," TENSOR("b", 8, 16) "}", 16);
    make_shard("2.safetensors",
               "{" TENSOR("caf\\u00e9\\/\\ud83d\\ude42", 0, 8) "," TENSOR("\\u0061\\u002E\\\"\\\\",
                                                                          8, 16) "}",
               16);
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
