/* cuDNN's graph interface: descriptors, and running a plan. That a plan once made does not run is
 * an error. */
#include "kernels/cuda/cudnn_plans.h"

#include <stdio.h>
#include <string.h>

#include "core/log.h"

#define TEXT_BYTES 512

skv_status skv_cudnn__failed(cudnnStatus_t status, const char *what)
{
    char text[TEXT_BYTES] = "";

    cudnnGetLastErrorString(text, sizeof text);
    SKV_TRY(skv_cuda__lost(what));
    return skv_fail(SKV_E_CUDA, "cuDNN %zu, %s: %s (%s)", cudnnGetVersion(), what,
                    cudnnGetErrorString(status), text);
}

size_t skv_cuda__networks_version(void)
{
    return cudnnGetVersion();
}

cudnnHandle_t skv_cudnn__handle(skv_backend *be)
{
    return skv_cuda__of(be)->networks->handle;
}

bool skv_cudnn__said(skv_backend *be, const skv_cudnn__kind *kind)
{
    unsigned *said = &skv_cuda__of(be)->networks->said, bit = 1u << kind->number;
    const bool before = *said & bit;

    *said |= bit;
    return before;
}

/* ---------------------------------------------------------------- descriptors */

void skv_cudnn__note(skv_cudnn__parts *p, cudnnStatus_t status, const char *what, int number)
{
    char text[TEXT_BYTES] = "";

    if (status == CUDNN_STATUS_SUCCESS)
        return;
    p->refused = true;
    cudnnGetLastErrorString(text, sizeof text);
    snprintf(p->why, sizeof p->why, "%s %d: %s (%.160s)", what, number, cudnnGetErrorString(status),
             text);
    skv_debug("cuDNN refuses %s", p->why);
}

cudnnBackendDescriptor_t skv_cudnn__part(skv_cudnn__parts *p, cudnnBackendDescriptorType_t type)
{
    cudnnBackendDescriptor_t d = NULL;

    if (p->n == SKV_CUDNN_PARTS) {
        p->refused = true;
        snprintf(p->why, sizeof p->why, "more than %d descriptors", SKV_CUDNN_PARTS);
    }
    if (p->refused)
        return NULL;
    skv_cudnn__note(p, cudnnBackendCreateDescriptor(type, &d), "a descriptor of type", (int)type);
    if (p->refused)
        return NULL;
    p->list[p->n++] = d;
    return d;
}

void skv_cudnn__set(skv_cudnn__parts *p, cudnnBackendDescriptor_t d,
                    cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t n,
                    const void *values)
{
    if (!p->refused)
        skv_cudnn__note(p, cudnnBackendSetAttribute(d, name, type, n, values), "attribute",
                        (int)name);
}

void skv_cudnn__set_part(skv_cudnn__parts *p, cudnnBackendDescriptor_t d,
                         cudnnBackendAttributeName_t name, cudnnBackendDescriptor_t value)
{
    skv_cudnn__set(p, d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

void skv_cudnn__finalize(skv_cudnn__parts *p, cudnnBackendDescriptor_t d)
{
    if (!p->refused)
        skv_cudnn__note(p, cudnnBackendFinalize(d), "the descriptor made as number", p->n);
}

cudnnBackendDescriptor_t skv_cudnn__tensor_part(skv_cudnn__parts *p, const skv_cudnn__tensor *t)
{
    const int64_t alignment = SKV_CUDNN_ALIGN;
    cudnnBackendDescriptor_t d = skv_cudnn__part(p, CUDNN_BACKEND_TENSOR_DESCRIPTOR);

    skv_cudnn__set(p, d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &t->id);
    skv_cudnn__set(p, d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &t->type);
    skv_cudnn__set(p, d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, t->dim);
    skv_cudnn__set(p, d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, t->stride);
    skv_cudnn__set(p, d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
    skv_cudnn__set(p, d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &t->is_virtual);
    skv_cudnn__set(p, d, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &t->by_value);
    skv_cudnn__finalize(p, d);
    return d;
}

void skv_cudnn__close(skv_cudnn__parts *p)
{
    while (p->n > 0)
        (void)cudnnBackendDestroyDescriptor(p->list[--p->n]);
    p->refused = false;
}

/* -------------------------------------------------------------------- running */

skv_status skv_cudnn__execute(skv_backend *be, const skv_cudnn__plan *p,
                              const skv_cudnn__request *r)
{
    static const int64_t ids[SKV_CUDNN_DATA] = {1, 2, 3, 4, 5};
    const int variant = p->variant;
    const int64_t n = r->kind->n_data[variant];
    skv_cuda *c = skv_cuda__of(be);
    void *workspace = c->workspace;
    cudnnBackendDescriptor_t pack = NULL;
    cudnnStatus_t s = cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack);
    skv_status st = SKV_OK;

    if (s == CUDNN_STATUS_SUCCESS)
        s = cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, n,
                                     ids);
    if (s == CUDNN_STATUS_SUCCESS)
        s = cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
                                     CUDNN_TYPE_VOID_PTR, n, r->data);
    if (s == CUDNN_STATUS_SUCCESS)
        s = cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR,
                                     1, &workspace);
    if (s == CUDNN_STATUS_SUCCESS)
        s = cudnnBackendFinalize(pack);
    if (s == CUDNN_STATUS_SUCCESS)
        s = cudnnBackendExecute(skv_cudnn__handle(be), p->plan, pack);
    if (s != CUDNN_STATUS_SUCCESS)
        st = skv_cudnn__failed(s, r->kind->name);
    if (pack)
        (void)cudnnBackendDestroyDescriptor(pack);
    SKV_TRY(st);
    SKV_TRY(skv_cuda__launched(be, r->kind->name));
    return r->kind->finish ? r->kind->finish(be, r, variant) : SKV_OK;
}
