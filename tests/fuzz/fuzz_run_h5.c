/* A run's run.h5, in a folder without anything else. */
#include "fuzz.h"
#include "fuzz_probe.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "run/run_file.h"
#include "run/schema.h"

#define MAX_ROWS 64 /* of which pictures and bits are read */

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_probe(*argc, *argv);
    return 0;
}

static void read_row(const skv_run_file *run, int path, int64_t row)
{
    const skv_run_path *p = &run->path[path];
    skv_picture picture = {0};

    if (skv_run_file_picture(&picture, run, path, row) == SKV_OK)
        fuzz_touch(picture.rgb, (size_t)picture.height * (size_t)picture.width * 3);
    else
        fuzz_refused();
    free(picture.rgb);
    if (p->bits_bytes > 0) {
        uint8_t *bits = malloc((size_t)p->bits_bytes);

        if (bits && skv_run_file_bits(bits, run, path, row) == SKV_OK)
            fuzz_touch(bits, (size_t)p->bits_bytes);
        free(bits);
    }
}

static void read_all(const skv_run_file *run)
{
    assert(run->n > 0 && run->n_paths > 0 && run->segments.n_rows == run->n);
    assert(run->reference >= -1 && run->reference < run->n_paths);
    for (int64_t i = 0; i < run->n; i++) {
        fuzz_touch(run->id[i], strlen(run->id[i]));
        fuzz_touch(run->prompt[i], strlen(run->prompt[i]));
        fuzz_touch(run->error[i], strlen(run->error[i]));
    }
    for (int path = 0; path < run->n_paths; path++) {
        assert(skv_path_name_is_valid(run->path[path].name));
        for (int64_t row = 0; row < run->n && row < MAX_ROWS; row++)
            read_row(run, path, row);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    skv_run_file run;

    (void)fuzz_file("run.h5", data, n);
    if (skv_run_file_open(&run, fuzz_folder()) == SKV_OK)
        read_all(&run);
    else
        fuzz_refused();
    skv_run_file_close(&run);
    return 0;
}
