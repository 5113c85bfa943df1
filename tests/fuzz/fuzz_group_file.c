#include "fuzz.h"
#include "fuzz_probe.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/h5_seal.h"
#include "run/group_file.h"

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_probe(*argc, *argv);
    return 0;
}

static void touch_texts(const char *const *text, int n)
{
    for (int i = 0; text && i < n; i++)
        fuzz_touch(text[i], strlen(text[i]));
}

static void touch(const skv_group_record *r)
{
    const size_t n = (size_t)r->n_rows;

    assert(r->n_rows > 0 && r->n_scales > 0 && r->path_name && r->config_digest && r->path_digest);
    assert(r->row && r->id && r->prompt && r->status);
    touch_texts(r->id, r->n_rows);
    touch_texts(r->prompt, r->n_rows);
    touch_texts(r->error, r->n_rows);
    touch_texts(r->phase_names, r->n_phases);
    fuzz_touch(r->row, n * sizeof *r->row);
    fuzz_touch(r->seed, n * sizeof *r->seed);
    fuzz_touch(r->status, n * sizeof *r->status);
    if (r->bits)
        fuzz_touch(r->bits, n * (size_t)r->bits_bytes);
    if (r->image)
        fuzz_touch(r->image, n * (size_t)r->height * (size_t)r->width * 3);
    if (r->bit_offset)
        fuzz_touch(r->bit_offset, ((size_t)r->n_scales + 1) * sizeof *r->bit_offset);
    if (r->cache_length)
        fuzz_touch(r->cache_length,
                   (size_t)(r->n_scales - 1) * (size_t)r->n_layers * sizeof *r->cache_length);
}

static void run(const void *data, size_t n)
{
    const skv_group_want want = {.config_digest = "", .path_digest = "", .parts = SKV_GROUP_ALL};
    skv_group_state state = SKV_GROUP_ABSENT;
    skv_group_record r;
    skv_run_name file = {.n_below = 1};
    bool looked;

    snprintf(file.path, sizeof file.path, "%s", fuzz_file("000000.h5", data, n));
    looked = skv_group_file_check(&state, &file, &want) == SKV_OK;
    if (looked)
        assert(state != SKV_GROUP_ABSENT);
    else
        fuzz_refused();
    if (skv_group_file_read(&r, &file, SKV_GROUP_ALL) == SKV_OK) {
        assert(!looked || state != SKV_GROUP_DAMAGED);
        touch(&r);
    } else {
        fuzz_refused();
    }
    skv_group_record_clear(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *copy = fuzz_copy(data, n);

    run(data, n);
    if (n > SKV_H5_LABEL_BYTES) {
        skv_h5__put_label(copy, n, "a label", NULL);
        run(copy, n);
    }
    free(copy);
    return 0;
}
