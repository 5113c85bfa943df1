#include "cache/kv_dtype.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *name, *help;
    skv_dtype type;
} types[SKV_KV_N_DTYPES] = {
    [SKV_KV_WORK] = {"work", "as computed: fp32 on a CPU, bf16 on a GPU", SKV_F32},
    [SKV_KV_FP8] = {"fp8", "E4M3: 4 bits of exponent, 3 of mantissa", SKV_E4M3},
    [SKV_KV_INT8] = {"int8", "equal steps, from -127 to 127", SKV_I8},
};

const char *skv_kv_dtype_name(skv_kv_dtype t)
{
    assert(t < SKV_KV_N_DTYPES);
    return types[t].name;
}

const char *skv_kv_dtype_help(skv_kv_dtype t)
{
    assert(t < SKV_KV_N_DTYPES);
    return types[t].help;
}

skv_status skv_kv_dtype_find(skv_kv_dtype *out, const char *name)
{
    for (int t = 0; t < SKV_KV_N_DTYPES; t++)
        if (strcmp(types[t].name, name) == 0) {
            *out = (skv_kv_dtype)t;
            return SKV_OK;
        }
    return skv_fail(SKV_E_ARG, "kv_dtype \"%s\" is not known: want work, fp8 or int8", name);
}

skv_dtype skv_kv_dtype_of(skv_kv_dtype t, skv_dtype work)
{
    return t == SKV_KV_WORK ? work : types[t].type;
}
