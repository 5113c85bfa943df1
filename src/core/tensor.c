#include "core/tensor.h"

#include <assert.h>
#include <stdio.h>

skv_tensor skv_tensor_view(void *data, skv_dtype dtype, skv_device device, int ndim,
                           const int64_t *shape)
{
    skv_tensor t = {.data = data, .dtype = dtype, .device = device, .ndim = ndim};
    int64_t stride = 1;

    assert(ndim >= 1 && ndim <= SKV_MAX_DIMS);
    for (int i = ndim - 1; i >= 0; i--) {
        t.shape[i] = shape[i];
        t.stride[i] = stride;
        stride *= shape[i];
    }
    return t;
}

skv_status skv_arena_tensor(skv_tensor *out, skv_arena *a, skv_dtype dtype, skv_device device,
                            int ndim, const int64_t *shape)
{
    size_t bytes = skv_dtype_bytes(dtype);
    void *data = NULL;

    for (int i = 0; i < ndim; i++)
        if (shape[i] < 0 || !skv_mul_size(&bytes, bytes, (size_t)shape[i]))
            return skv_fail(SKV_E_MEM, "arena %s: a tensor of too many bytes", a->name);
    SKV_TRY(skv_arena_take(&data, a, bytes));
    *out = skv_tensor_view(data, dtype, device, ndim, shape);
    return SKV_OK;
}

int64_t skv_tensor_count(const skv_tensor *t)
{
    int64_t n = 1;

    for (int i = 0; i < t->ndim; i++)
        n *= t->shape[i];
    return n;
}

size_t skv_tensor_bytes(const skv_tensor *t)
{
    return (size_t)skv_tensor_count(t) * skv_dtype_bytes(t->dtype);
}

bool skv_tensor_contiguous(const skv_tensor *t)
{
    int64_t stride = 1;

    for (int i = t->ndim - 1; i >= 0; i--) {
        if (t->shape[i] != 1 && t->stride[i] != stride)
            return false;
        stride *= t->shape[i];
    }
    return true;
}

skv_tensor skv_tensor_rows(const skv_tensor *t, int64_t first, int64_t n)
{
    skv_tensor r = *t;

    assert(first >= 0 && n >= 0 && first + n <= t->shape[0]);
    r.data = (char *)t->data + (size_t)(first * t->stride[0]) * skv_dtype_bytes(t->dtype);
    r.shape[0] = n;
    return r;
}

skv_tensor skv_tensor_at(const skv_tensor *t, int64_t i)
{
    skv_tensor r = skv_tensor_rows(t, i, 1);

    assert(t->ndim >= 2);
    r.ndim--;
    for (int d = 0; d < r.ndim; d++) {
        r.shape[d] = t->shape[d + 1];
        r.stride[d] = t->stride[d + 1];
    }
    return r;
}

skv_tensor skv_tensor_reshape(const skv_tensor *t, int ndim, const int64_t *shape)
{
    skv_tensor r = skv_tensor_view(t->data, t->dtype, t->device, ndim, shape);

    assert(skv_tensor_contiguous(t) && skv_tensor_count(t) == skv_tensor_count(&r));
    return r;
}

const char *skv_tensor_describe(char *buf, size_t bytes, const skv_tensor *t)
{
    size_t used = 0;

    for (int i = 0; i < t->ndim && used < bytes; i++)
        used += (size_t)snprintf(buf + used, bytes - used, "%s%lld", i ? "," : "(",
                                 (long long)t->shape[i]);
    if (used < bytes)
        snprintf(buf + used, bytes - used, ") %s", skv_dtype_name(t->dtype));
    return buf;
}
