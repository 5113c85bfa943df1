#include "fuzz.h"

#include <assert.h>
#include <math.h>

#include "model/t5.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    skv_t5_dims d = {0};

    if (skv_t5_read_config(&d, fuzz_file("config.json", data, n)) != SKV_OK) {
        fuzz_refused();
        return 0;
    }
    assert(d.d_model > 0 && d.d_kv > 0 && d.n_heads > 0 && d.d_ff > 0 && d.n_layers > 0);
    assert(d.vocab_size > 0 && d.n_buckets > 0 && d.max_distance > 0);
    assert(isfinite(d.eps) && d.eps >= 0);
    return 0;
}
