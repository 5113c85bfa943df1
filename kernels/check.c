/* What every check is made of: one tensor against what an operation wants, one number against its
 * range. Messages give the operation, the argument, what was wanted and what was given. */
#include "kernels/check.h"

#include <stdio.h>

static bool strides_fit(const skv_tensor *t, int allowed)
{
    int64_t dense = 1;

    for (int i = t->ndim - 1; i >= 0; i--) {
        const bool is_free = (allowed == SKV_FREE_ALL && i < t->ndim - 1) ||
                             (allowed == SKV_FREE_FIRST && i == 0) ||
                             (allowed == SKV_FREE_TWO && i < 2);

        if (!is_free && t->shape[i] != 1 && t->stride[i] != dense)
            return false;
        dense *= t->shape[i];
    }
    return true;
}

static void describe_types(char *out, size_t bytes, unsigned types)
{
    size_t used = 0;

    out[0] = '\0';
    for (int t = SKV_F32; t <= SKV_I8; t++)
        if ((types & (1u << t)) && used < bytes)
            used += (size_t)snprintf(out + used, bytes - used, "%s%s", used ? " or " : "",
                                     skv_dtype_name((skv_dtype)t));
}

static skv_status refuse(const skv_wanted *w, const char *why)
{
    char have[96], types[48];
    char shape[96] = "";
    size_t used = 0;

    for (int i = 0; i < w->ndim && used < sizeof shape; i++) {
        if (w->shape[i] < 0)
            used += (size_t)snprintf(shape + used, sizeof shape - used, i ? ",any" : "any");
        else
            used += (size_t)snprintf(shape + used, sizeof shape - used, i ? ",%lld" : "%lld",
                                     (long long)w->shape[i]);
    }
    describe_types(types, sizeof types, w->types);
    return skv_fail(SKV_E_SHAPE, "%s: %s%s: want (%s) %s, given %s", w->op, w->arg, why, shape,
                    types, skv_tensor_describe(have, sizeof have, w->t));
}

skv_status skv_check__tensor(const skv_backend *be, const skv_wanted *w)
{
    const skv_tensor *t = w->t;

    if (t->ndim != w->ndim || !(w->types & (1u << t->dtype)))
        return refuse(w, "");
    for (int i = 0; i < t->ndim; i++)
        if (w->shape[i] >= 0 && t->shape[i] != w->shape[i])
            return refuse(w, "");
    if (!strides_fit(t, w->free_strides))
        return refuse(w, " has gaps");
    if (t->device != be->device)
        return refuse(w, " is on another device");
    if (!t->data && skv_tensor_count(t) > 0)
        return refuse(w, " has no data");
    return SKV_OK;
}

skv_status skv_check__range(const char *op, const char *what, int64_t value, int64_t low,
                            int64_t high)
{
    if (value >= low && value <= high)
        return SKV_OK;
    return skv_fail(SKV_E_SHAPE, "%s: %s is %lld, want %lld to %lld", op, what, (long long)value,
                    (long long)low, (long long)high);
}
