/* How the operations on cuDNN describe their graphs to the cache of plans.
 *
 * An operation is a kind (constant) and requests of it (a shape and pointers). Descriptors are
 * built in one go: the first refusal is remembered in the parts and later steps do nothing. */
#ifndef SKV_KERNELS_CUDNN_PLANS_H
#define SKV_KERNELS_CUDNN_PLANS_H

#include <cudnn_graph.h>

#include "kernels/cuda/cuda_internal.h"

#define SKV_CUDNN_PARTS    96 /* descriptors of a graph, and of an engine with its knobs */
#define SKV_CUDNN_OPS      3
#define SKV_CUDNN_DATA     5
#define SKV_CUDNN_NUMBERS  10
#define SKV_CUDNN_VARIANTS 2
#define SKV_CUDNN_BUCKETS  1024

struct skv_cuda__networks {
    cudnnHandle_t handle;
    unsigned said;                                      /* bits by kind: skv_cudnn__said */
    struct skv_cudnn__entry *bucket[SKV_CUDNN_BUCKETS]; /* cudnn_run.c: plans by shape */
};

cudnnHandle_t skv_cudnn__handle(skv_backend *be);
skv_status skv_cudnn__failed(cudnnStatus_t status, const char *what);

/* Descriptors that live as long as a plan made of them. */
typedef struct {
    cudnnBackendDescriptor_t list[SKV_CUDNN_PARTS];
    int n;
    bool refused;
    char why[256]; /* where refused */
} skv_cudnn__parts;

/* A new descriptor, owned by the parts; NULL once something was refused. */
cudnnBackendDescriptor_t skv_cudnn__part(skv_cudnn__parts *p, cudnnBackendDescriptorType_t type);
void skv_cudnn__set(skv_cudnn__parts *p, cudnnBackendDescriptor_t d,
                    cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t n,
                    const void *values);
void skv_cudnn__set_part(skv_cudnn__parts *p, cudnnBackendDescriptor_t d,
                         cudnnBackendAttributeName_t name, cudnnBackendDescriptor_t value);
void skv_cudnn__finalize(skv_cudnn__parts *p, cudnnBackendDescriptor_t d);
/* Remembers a refusal of `what`, with a number that tells which; SUCCESS is none. */
void skv_cudnn__note(skv_cudnn__parts *p, cudnnStatus_t status, const char *what, int number);
/* Destroys all descriptors and forgets a refusal; its words stay. */
void skv_cudnn__close(skv_cudnn__parts *p);

/* Strides in elements. id: 1 + its place in the request's data. is_virtual: never in memory;
 * by_value: the pointer is to host memory, read during the call. */
typedef struct {
    int64_t id;
    cudnnDataType_t type;
    int64_t dim[4], stride[4];
    bool is_virtual, by_value;
} skv_cudnn__tensor;

/* Its finalized descriptor. Pointers will be aligned to SKV_CUDNN_ALIGN bytes. */
#define SKV_CUDNN_ALIGN 16
cudnnBackendDescriptor_t skv_cudnn__tensor_part(skv_cudnn__parts *p, const skv_cudnn__tensor *t);

typedef struct skv_cudnn__kind skv_cudnn__kind;

/* Equal shapes share a plan. */
typedef struct {
    const skv_cudnn__kind *kind;
    int64_t shape[SKV_CUDNN_NUMBERS];
    void *data[SKV_CUDNN_DATA];
} skv_cudnn__request;

/* Variants are different graphs for the same result; without a measurement the first that has an
 * engine is taken. */
struct skv_cudnn__kind {
    const char *name;
    const char *what; /* for messages: "attention" */
    int number;       /* 0.., for what is said once of a kind */
    int n_key;      /* leading numbers of a shape that, with the name, are its key of be->tuning */
    int n_variants; /* <= SKV_CUDNN_VARIANTS */
    int n_measured; /* engines of a variant that are worth a measurement */
    int n_data[SKV_CUDNN_VARIANTS]; /* leading pointers of a request that the variant's graph has */
    /* Writes the graph's operations, finalized, to op (SKV_CUDNN_OPS places); returns how many. */
    int (*build)(skv_cudnn__parts *p, const int64_t *shape, int variant,
                 cudnnBackendDescriptor_t *op);
    /* Queues what the variant's graph leaves undone; may be NULL. */
    skv_status (*finish)(skv_backend *be, const skv_cudnn__request *r, int variant);
    int output; /* its place in the request's data; bf16 */
    double (*operations)(const int64_t *shape);
    /* Queues our own form of the output's first *n numbers, into the first half of the backend's
     * workspace; *n = 0: it has none for this request. */
    skv_status (*plain)(skv_backend *be, const skv_cudnn__request *r, int64_t *n);
    /* Our own kernels where they compete with cuDNN's engines: the choice that names them, and what
     * queues them. NULL: they only serve what cuDNN does not. */
    const char *rival;
    skv_status (*run_rival)(skv_backend *be, const skv_cudnn__request *r);
};

/* An engine's plan, which is one of its parts; NULL: our own kernels serve. */
typedef struct {
    skv_cudnn__parts parts;
    cudnnBackendDescriptor_t plan;
    int variant;
} skv_cudnn__plan;

/* cudnn_choice.c: makes the plan of the engine that serves a request's shape. */
skv_status skv_cudnn__choose(skv_cudnn__plan *out, skv_backend *be, const skv_cudnn__request *r);
skv_status skv_cudnn__execute(skv_backend *be, const skv_cudnn__plan *p,
                              const skv_cudnn__request *r);
/* Whether this was asked of the kind before. */
bool skv_cudnn__said(skv_backend *be, const skv_cudnn__kind *kind);

/* Queues the request; makes its plan at its shape's first use. *done = false: our own kernels are
 * to serve, and nothing was queued. Uses all of the backend's workspace. */
skv_status skv_cudnn__run(skv_backend *be, const skv_cudnn__request *r, bool *done);

#endif
