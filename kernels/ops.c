/* Every operation: check once, then the backend's table. No arithmetic here. */
#include "kernels/ops.h"

#include "kernels/check.h"

#define X(op)                                                                                      \
    skv_status skv_##op(skv_backend *be, const skv_##op##_args *a)                                 \
    {                                                                                              \
        SKV_TRY(skv_check__##op(be, a));                                                           \
        return be->ops->op(be, a);                                                                 \
    }
SKV_OPS(X)
#undef X

skv_status skv_pack_linear(skv_backend *be, skv_tensor *out, void *dst, const void *src,
                           skv_dtype src_type, int64_t n, int64_t k)
{
    return be->ops->pack_linear(be, out, dst, src, src_type, n, k);
}

skv_status skv_pack_conv(skv_backend *be, skv_tensor *out, void *dst, const void *src,
                         skv_dtype src_type, int64_t co, int64_t ci)
{
    return be->ops->pack_conv(be, out, dst, src, src_type, co, ci);
}

void skv_backend_destroy(skv_backend *be)
{
    if (be)
        be->ops->destroy(be);
}

skv_status skv_backend_go_on(const skv_backend *be)
{
    if (be->stop && *be->stop)
        return skv_fail(SKV_E_STOPPED, "stopped while weights were loaded or algorithms measured");
    return SKV_OK;
}

const char *skv_backend_describe(const skv_backend *be)
{
    return be->ops->describe(be);
}

skv_status skv_backend_alloc(skv_backend *be, void *out, size_t bytes, const char *what)
{
    return be->ops->alloc(be, out, bytes, what);
}

void skv_backend_free(skv_backend *be, void *p)
{
    if (be && p)
        be->ops->free(be, p);
}

skv_status skv_backend_upload(skv_backend *be, void *dst, const void *src, size_t bytes)
{
    return be->ops->upload(be, dst, src, bytes);
}

skv_status skv_backend_download(skv_backend *be, void *dst, const void *src, size_t bytes)
{
    return be->ops->download(be, dst, src, bytes);
}

skv_status skv_backend_sync(skv_backend *be)
{
    return be->ops->sync(be);
}

skv_status skv_backend_mark(skv_backend *be, int mark)
{
    return be->ops->mark(be, mark);
}

skv_status skv_backend_elapsed(skv_backend *be, int from, int to, double *seconds)
{
    return be->ops->elapsed(be, from, to, seconds);
}

skv_status skv_backend_capture(skv_backend *be)
{
    return be->ops->capture ? be->ops->capture(be) : SKV_OK;
}

skv_status skv_backend_launch(skv_backend *be, int slot, skv_status st)
{
    return be->ops->launch ? be->ops->launch(be, slot, st) : st;
}

skv_status skv_backend_memory(skv_backend *be, size_t *free_bytes, size_t *total_bytes)
{
    return be->ops->memory(be, free_bytes, total_bytes);
}
