/* cuDNN's graph interface: descriptors, the engines offered for a graph, plans kept by shape.
 *
 * Which engine serves a shape comes from be->tuning, as for matrix products: choice = OFFERED ·
 * variant + the engine's place in cuDNN's list. A refused engine is not an error, the next
 * one is tried; that a plan once made does not run is one. */
#include "kernels/cuda/cudnn_plans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"

#define OFFERED     16 /* engines asked for a graph */
#define WARM_RUNS   2
#define TIMED_RUNS  3
#define BUCKETS     1024
#define TEXT_BYTES  512
#define SCRATCH     ((int64_t)SKV_CUDA_WORKSPACE)
#define N_NOTES_MAX ((int64_t)CUDNN_NUMERICAL_NOTE_TYPE_COUNT)

/* A graph and the engines that cuDNN offers for it, in cuDNN's order. */
typedef struct {
    skv_cudnn__parts parts;
    cudnnBackendDescriptor_t config[OFFERED];
    int n;
} offers;

typedef struct entry {
    struct entry *next;
    const skv_cudnn__kind *kind;
    int64_t shape[SKV_CUDNN_NUMBERS];
    int variant;
    offers offers;                 /* the plan's own: cuDNN may refer to them */
    cudnnBackendDescriptor_t plan; /* NULL: cuDNN has nothing for it */
} entry;

struct skv_cuda__networks {
    cudnnHandle_t handle;
    entry *bucket[BUCKETS];
};

static skv_status cudnn_failed(cudnnStatus_t status, const char *what)
{
    char text[TEXT_BYTES] = "";

    cudnnGetLastErrorString(text, sizeof text);
    SKV_TRY(skv_cuda__lost(what));
    return skv_fail(SKV_E_CUDA, "cuDNN %zu, %s: %s (%s)", cudnnGetVersion(), what,
                    cudnnGetErrorString(status), text);
}

/* ---------------------------------------------------------------- descriptors */

static void note(skv_cudnn__parts *p, cudnnStatus_t status, const char *what, int number)
{
    char text[TEXT_BYTES] = "";

    if (status == CUDNN_STATUS_SUCCESS)
        return;
    p->refused = true;
    cudnnGetLastErrorString(text, sizeof text);
    skv_debug("cuDNN refuses %s %d: %s (%s)", what, number, cudnnGetErrorString(status), text);
}

cudnnBackendDescriptor_t skv_cudnn__part(skv_cudnn__parts *p, cudnnBackendDescriptorType_t type)
{
    cudnnBackendDescriptor_t d = NULL;

    if (p->n == SKV_CUDNN_PARTS)
        p->refused = true;
    if (p->refused)
        return NULL;
    note(p, cudnnBackendCreateDescriptor(type, &d), "a descriptor of type", (int)type);
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
        note(p, cudnnBackendSetAttribute(d, name, type, n, values), "attribute", (int)name);
}

void skv_cudnn__set_part(skv_cudnn__parts *p, cudnnBackendDescriptor_t d,
                         cudnnBackendAttributeName_t name, cudnnBackendDescriptor_t value)
{
    skv_cudnn__set(p, d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

void skv_cudnn__finalize(skv_cudnn__parts *p, cudnnBackendDescriptor_t d)
{
    if (!p->refused)
        note(p, cudnnBackendFinalize(d), "the descriptor made as number", p->n);
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

static void close_parts(skv_cudnn__parts *p)
{
    while (p->n > 0)
        (void)cudnnBackendDestroyDescriptor(p->list[--p->n]);
    p->refused = false;
}

/* --------------------------------------------------------------------- engines */

static void close_offers(offers *o)
{
    close_parts(&o->parts);
    o->n = 0;
}

/* The graph of a variant and its engines, none if cuDNN refuses it. */
static void open_offers(offers *o, cudnnHandle_t handle, const skv_cudnn__request *r, int variant)
{
    const cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
    skv_cudnn__parts *p = &o->parts;
    cudnnBackendDescriptor_t op[SKV_CUDNN_OPS], graph, heuristics;
    int64_t found = 0;
    int n_ops;

    *o = (offers){.n = 0};
    n_ops = r->kind->build(p, r->shape, variant, op);
    graph = skv_cudnn__part(p, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    skv_cudnn__set(p, graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle);
    skv_cudnn__set(p, graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, n_ops,
                   op);
    skv_cudnn__finalize(p, graph);
    heuristics = skv_cudnn__part(p, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    skv_cudnn__set_part(p, heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    skv_cudnn__set(p, heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    skv_cudnn__finalize(p, heuristics);
    for (int i = 0; i < OFFERED; i++)
        o->config[i] = skv_cudnn__part(p, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    if (!p->refused)
        note(p,
             cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                      CUDNN_TYPE_BACKEND_DESCRIPTOR, OFFERED, &found, o->config),
             "to offer engines, mode", (int)mode);
    if (!p->refused)
        o->n = found < OFFERED ? (int)found : OFFERED;
}

/* False also where cuDNN gives no answer. */
static bool same_every_run(cudnnBackendDescriptor_t config)
{
    cudnnBackendNumericalNote_t notes[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    cudnnBackendDescriptor_t engine;
    skv_cudnn__parts p = {.n = 0};
    int64_t n = 0;
    bool same;

    engine = skv_cudnn__part(&p, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    if (!p.refused)
        note(&p,
             cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE,
                                      CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n, &engine),
             "to name an engine", 0);
    if (!p.refused)
        note(&p,
             cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                      CUDNN_TYPE_NUMERICAL_NOTE, N_NOTES_MAX, &n, notes),
             "an engine's numerical notes", 0);
    same = !p.refused;
    for (int64_t i = 0; same && i < n && i < N_NOTES_MAX; i++)
        same = notes[i] != CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
    close_parts(&p);
    return same;
}

/* The finalized plan of an engine; NULL: refused, too large for the workspace, or not the same in
 * every run. */
static cudnnBackendDescriptor_t plan_of(cudnnHandle_t handle, cudnnBackendDescriptor_t config)
{
    skv_cudnn__parts p = {.n = 0};
    cudnnBackendDescriptor_t plan;
    int64_t bytes = 0, n = 0;

    if (!same_every_run(config))
        return NULL;
    plan = skv_cudnn__part(&p, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    skv_cudnn__set(&p, plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle);
    skv_cudnn__set_part(&p, plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
    skv_cudnn__finalize(&p, plan);
    if (!p.refused)
        note(&p,
             cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                      CUDNN_TYPE_INT64, 1, &n, &bytes),
             "a plan's workspace", 0);
    if (!p.refused && bytes <= SCRATCH)
        return plan;
    close_parts(&p);
    return NULL;
}

static skv_status execute(skv_backend *be, cudnnBackendDescriptor_t plan,
                          const skv_cudnn__request *r, int variant)
{
    static const int64_t ids[SKV_CUDNN_DATA] = {1, 2, 3, 4, 5};
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
        s = cudnnBackendExecute(c->networks->handle, plan, pack);
    if (s != CUDNN_STATUS_SUCCESS)
        st = cudnn_failed(s, r->kind->name);
    if (pack)
        (void)cudnnBackendDestroyDescriptor(pack);
    SKV_TRY(st);
    SKV_TRY(skv_cuda__launched(be, r->kind->name));
    return r->kind->finish ? r->kind->finish(be, r, variant) : SKV_OK;
}

/* -------------------------------------------------------------------- choosing */

/* Best of a few runs, milliseconds; a negative number: it does not run. */
static skv_status time_one(float *best, skv_backend *be, cudnnBackendDescriptor_t plan,
                           const skv_cudnn__request *r, int variant)
{
    skv_cuda *c = skv_cuda__of(be);

    *best = -1;
    for (int i = 0; i < WARM_RUNS + TIMED_RUNS; i++) {
        float ms = 0;

        SKV_CUDA(cudaEventRecord(c->timing[0], c->stream));
        if (execute(be, plan, r, variant) != SKV_OK) {
            *best = -1;
            return SKV_OK;
        }
        SKV_CUDA(cudaEventRecord(c->timing[1], c->stream));
        SKV_CUDA(cudaEventSynchronize(c->timing[1]));
        SKV_CUDA(cudaEventElapsedTime(&ms, c->timing[0], c->timing[1]));
        if (i >= WARM_RUNS && (*best < 0 || ms < *best))
            *best = ms;
    }
    return SKV_OK;
}

/* Measures the engines of one variant: *choice is the fastest of those and of what *least has. */
static skv_status measure(int *choice, float *least, skv_backend *be, const skv_cudnn__request *r,
                          int variant)
{
    const cudnnHandle_t handle = skv_cuda__of(be)->networks->handle;
    skv_status st = SKV_OK;
    offers o;

    open_offers(&o, handle, r, variant);
    for (int i = 0, taken = 0; i < o.n && taken < r->kind->n_measured; i++) {
        cudnnBackendDescriptor_t plan = plan_of(handle, o.config[i]);
        float ms = -1;

        if (!plan)
            continue;
        taken++;
        st = skv_backend_go_on(be);
        if (st == SKV_OK)
            st = time_one(&ms, be, plan, r, variant);
        (void)cudnnBackendDestroyDescriptor(plan);
        if (st != SKV_OK)
            goto done;
        skv_debug("cuDNN: %s, variant %d, engine %d of %d: %.4f ms", r->kind->name, variant, i, o.n,
                  (double)ms);
        if (ms >= 0 && (*choice < 0 || ms < *least)) {
            *least = ms;
            *choice = OFFERED * variant + i;
        }
    }
done:
    close_offers(&o);
    return st;
}

/* The plan of the first acceptable engine among [from, to) of a variant, if there is one. */
static bool take(entry *e, cudnnHandle_t handle, const skv_cudnn__request *r, int variant, int from,
                 int to)
{
    open_offers(&e->offers, handle, r, variant);
    for (int i = from; i < to && i < e->offers.n; i++) {
        e->plan = plan_of(handle, e->offers.config[i]);
        if (e->plan) {
            e->variant = variant;
            return true;
        }
    }
    close_offers(&e->offers);
    return false;
}

static bool take_choice(entry *e, cudnnHandle_t handle, const skv_cudnn__request *r, int choice)
{
    const int variant = choice / OFFERED, i = choice % OFFERED;

    return choice >= 0 && variant < r->kind->n_variants && take(e, handle, r, variant, i, i + 1);
}

/* "conv 4 64 64 512 512" */
static void make_key(char *key, size_t bytes, const skv_cudnn__request *r)
{
    size_t used = 0;

    snprintf(key, bytes, "%s", r->kind->name);
    for (int i = 0; i < r->kind->n_key; i++) {
        used += strlen(key + used);
        snprintf(key + used, bytes - used, " %lld", (long long)r->shape[i]);
    }
}

/* The table's engine; measured when measuring; else the first. */
static skv_status choose(entry *e, skv_backend *be, const skv_cudnn__request *r)
{
    const cudnnHandle_t handle = skv_cuda__of(be)->networks->handle;
    char key[SKV_TUNING_KEY];
    float least = 0;
    int choice = -1;

    make_key(key, sizeof key, r);
    if (take_choice(e, handle, r, skv_tuning_find(&be->tuning, key)))
        return SKV_OK;
    if (be->tuning.measuring) {
        skv_debug("cuDNN: measuring %s", key);
        for (int v = 0; v < r->kind->n_variants; v++)
            SKV_TRY(measure(&choice, &least, be, r, v));
        if (choice >= 0)
            SKV_TRY(skv_tuning_set(&be->tuning, key, choice));
        if (take_choice(e, handle, r, choice))
            return SKV_OK;
    }
    for (int v = 0; v < r->kind->n_variants; v++)
        if (take(e, handle, r, v, 0, OFFERED))
            return SKV_OK;
    skv_debug("cuDNN has no engine for %s", key);
    return SKV_OK;
}

/* ------------------------------------------------------------------- the cache */

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
        st = cudnn_failed(s, "opening the library");
        skv_cuda__networks_destroy(n);
    }
    return st;
}

static void destroy(entry *e)
{
    if (e->plan)
        (void)cudnnBackendDestroyDescriptor(e->plan);
    close_offers(&e->offers);
    free(e);
}

size_t skv_cuda__networks_version(void)
{
    return cudnnGetVersion();
}

void skv_cuda__networks_destroy(skv_cuda__networks *n)
{
    if (!n)
        return;
    for (int i = 0; i < BUCKETS; i++)
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
    return (unsigned)(mixed >> 40) % BUCKETS;
}

static skv_status make(entry **out, skv_backend *be, const skv_cudnn__request *r)
{
    entry *e = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&e, 1, sizeof *e, "cuDNN plan"));
    e->kind = r->kind;
    memcpy(e->shape, r->shape, sizeof e->shape);
    st = choose(e, be, r);
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
    if (!e->plan)
        return SKV_OK;
    *done = true;
    return execute(be, e->plan, r, e->variant);
}
