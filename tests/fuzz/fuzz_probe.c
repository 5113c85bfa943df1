#include "fuzz_probe.h"

#include <stdlib.h>
#include <string.h>

#include "io/h5.h"
#include "io/h5_probe.h"
#include "io/h5_probe_serve.h"

void fuzz_probe(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], SKV_H5_PROBE_COMMAND) == 0)
        _Exit(skv_h5_probe_serve());
    if (skv_h5_init() != SKV_OK || skv_h5_probe_start() != SKV_OK)
        abort();
    skv_h5_probe_require();
    atexit(skv_h5_probe_stop);
}
