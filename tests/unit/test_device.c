#include "test_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *test_device(void)
{
    const char *name = getenv("SKV_TEST_DEVICE");

    return name && name[0] ? name : "cpu";
}

skv_status test_backend_open(skv_backend **out, int n_threads)
{
    const char *name = test_device();
    const bool bf16 = strcmp(name, "cuda-bf16") == 0, tf32 = strcmp(name, "cuda-tf32") == 0;
    const skv_cuda_options options = {.type = bf16 ? SKV_BF16 : SKV_F32, .tf32 = tf32};
    skv_status st;

    if (strcmp(name, "cpu") == 0)
        return skv_backend_open_cpu(out, n_threads);
    if (!bf16 && !tf32 && strcmp(name, "cuda-fp32") != 0)
        return skv_fail(SKV_E_ARG, "SKV_TEST_DEVICE=%s is not known", name);
    st = skv_backend_open_cuda(out, &options);
    if (st == SKV_E_UNSUPPORTED || st == SKV_E_NOTFOUND) {
        fprintf(stderr, "skipped: %s\n", skv_message());
        exit(77);
    }
    return st;
}
