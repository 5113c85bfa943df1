#include "fuzz.h"

#include <stdlib.h>

#include "fuzz_zip.h"
#include "io/npz.h"

static void run(const uint8_t *data, size_t n)
{
    const int64_t shape[] = {3, 3};
    skv_npz *f = NULL;

    if (skv_npz_open(&f, fuzz_file("input.npz", data, n)) != SKV_OK) {
        fuzz_refused();
        return;
    }
    for (int n_dims = 1; n_dims <= 2; n_dims++) {
        double *v = NULL;

        if (skv_npz_read(&v, f, n_dims == 1 ? "mu" : "sigma", n_dims, shape) != SKV_OK)
            fuzz_refused();
        else
            fuzz_touch(v, (n_dims == 1 ? 3 : 9) * sizeof *v);
        free(v);
    }
    skv_npz_close(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_twice(data, n, fuzz_zip_repair, run);
    return 0;
}
