#include "fuzz.h"

#include <assert.h>

#include "run/run_json.h"
#include "run/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    skv_run_json r;

    (void)fuzz_file("run.json", data, n);
    if (skv_run_json_read(&r, fuzz_folder()) == SKV_OK) {
        const char *name;
        json_t *value;

        assert(1 <= r.n_groups && r.n_groups <= r.n_rows && r.digest);
        assert(json_object_size(r.paths) > 0);
        json_object_foreach(r.paths, name, value)
            assert(skv_path_name_is_valid(name) && json_is_object(value));
    } else {
        fuzz_refused();
    }
    skv_run_json_clear(&r);
    return 0;
}
