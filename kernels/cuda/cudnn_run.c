/* cuDNN's plans, kept by shape. */
#include "kernels/cuda/cudnn_plans.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

typedef struct skv_cudnn__entry {
    struct skv_cudnn__entry *next;
    const skv_cudnn__kind *kind;
    int64_t shape[SKV_CUDNN_NUMBERS];
    skv_cudnn__plan plan;
} entry;

static skv_status create(skv_cuda *c)
{
    skv_cuda__networks *n = NULL;
    cudnnStatus_t s;
    skv_status st = SKV_OK;

    SKV_TRY(skv_alloc(&n, 1, sizeof *n, "cuDNN plans"));
    s = cudnnCreate(&n->handle);
    if (s == CUDNN_STATUS_SUCCESS)
        s = cudnnSetStream(n->handle, c->stream);
    if (s == CUDNN_STATUS_SUCCESS) {
        c->networks = n;
    } else {
        st = skv_cudnn__failed(s, "opening the library");
        skv_cuda__networks_destroy(n);
    }
    return st;
}

static void destroy(entry *e)
{
    skv_cudnn__close(&e->plan.parts);
    free(e);
}

void skv_cuda__networks_destroy(skv_cuda__networks *n)
{
    if (!n)
        return;
    for (int i = 0; i < SKV_CUDNN_BUCKETS; i++)
        while (n->bucket[i]) {
            entry *e = n->bucket[i];

            n->bucket[i] = e->next;
            destroy(e);
        }
    if (n->handle)
        (void)cudnnDestroy(n->handle);
    free(n);
}

static unsigned bucket_of(const int64_t *shape)
{
    uint64_t mixed = 0;

    for (int i = 0; i < SKV_CUDNN_NUMBERS; i++)
        mixed = (mixed ^ (uint64_t)shape[i]) * 0x9E3779B97F4A7C15u;
    return (unsigned)(mixed >> 40) % SKV_CUDNN_BUCKETS;
}

static skv_status make(entry **out, skv_backend *be, const skv_cudnn__request *r)
{
    entry *e = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&e, 1, sizeof *e, "cuDNN plan"));
    e->kind = r->kind;
    memcpy(e->shape, r->shape, sizeof e->shape);
    st = skv_cudnn__choose(&e->plan, be, r);
    if (st != SKV_OK) {
        destroy(e);
        return st;
    }
    (void)cudaGetLastError(); /* cuDNN tries things out and may leave an error that is not ours */
    *out = e;
    return SKV_OK;
}

skv_status skv_cudnn__run(skv_backend *be, const skv_cudnn__request *r, bool *done)
{
    skv_cuda *c = skv_cuda__of(be);
    entry **place, *e;

    *done = false;
    if (!c->networks)
        SKV_TRY(create(c));
    place = &c->networks->bucket[bucket_of(r->shape)];
    e = *place;
    while (e && (e->kind != r->kind || memcmp(e->shape, r->shape, sizeof e->shape) != 0))
        e = e->next;
    if (!e) {
        SKV_TRY(make(&e, be, r));
        e->next = *place;
        *place = e;
    }
    if (!e->plan.plan)
        return SKV_OK;
    *done = true;
    return skv_cudnn__execute(be, &e->plan, r);
}
