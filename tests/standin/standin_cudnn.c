/* cuDNN's graph interface: descriptors keep what they are given; a graph is known by its first
 * operation. Three engines are offered: the first is not deterministic, and whoever runs it is
 * stopped.
 *
 * STANDIN_REFUSE=attention,convolutions: no engine for these; STANDIN_SLOW: the same words, it
 * takes three times as long; STANDIN_WRONG=1,2: these engines compute nonsense;
 * STANDIN_CUDNN=91300: an older version, which knows no attention before 9.14. */
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cudnn_graph.h>

#define ATTRIBUTES     32
#define ATTENTION_FROM 91400
#define PLAN_BYTES     ((int64_t)1 << 20)
#define SLOW_MS        2 /* more than what is not slow */

enum { NONDETERMINISTIC = 0, ENGINES = 3 };

typedef struct {
    cudnnBackendAttributeName_t name;
    int64_t n;
    void *values;
} attribute;

typedef struct part {
    cudnnBackendDescriptorType_t type;
    attribute list[ATTRIBUTES];
    int n;
    bool finalized;
    int engine;       /* of an engine, its configuration and plan */
    const char *kind; /* of a graph and what is made from it: "attention", "convolutions" */
} part;

struct cudnnContext {
    cudaStream_t stream;
};

static void *new_object(size_t bytes)
{
    void *p = calloc(1, bytes);

    if (!p)
        standin_stop("no memory");
    return p;
}

/* ---------------------------------------------------------------------- library */

size_t cudnnGetVersion(void)
{
    return (size_t)standin_number("STANDIN_CUDNN", CUDNN_VERSION);
}

const char *cudnnGetErrorString(cudnnStatus_t status)
{
    return status == CUDNN_STATUS_NOT_SUPPORTED ? "CUDNN_STATUS_NOT_SUPPORTED"
                                                : "a status of the stand-in";
}

void cudnnGetLastErrorString(char *text, size_t bytes)
{
    snprintf(text, bytes, "said by the stand-in");
}

cudnnStatus_t cudnnCreate(cudnnHandle_t *handle)
{
    *handle = new_object(sizeof **handle);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle)
{
    free(handle);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream)
{
    handle->stream = stream;
    return CUDNN_STATUS_SUCCESS;
}

/* ------------------------------------------------------------------ descriptors */

static size_t value_bytes(cudnnBackendAttributeType_t type)
{
    switch (type) {
    case CUDNN_TYPE_BOOLEAN:
        return sizeof(bool);
    case CUDNN_TYPE_FLOAT:
    case CUDNN_TYPE_INT32:
        return sizeof(int32_t);
    case CUDNN_TYPE_DATA_TYPE:
    case CUDNN_TYPE_CONVOLUTION_MODE:
    case CUDNN_TYPE_HEUR_MODE:
    case CUDNN_TYPE_NUMERICAL_NOTE:
    case CUDNN_TYPE_POINTWISE_MODE:
    case CUDNN_TYPE_KNOB_TYPE:
        return sizeof(int);
    default:
        return sizeof(int64_t); /* pointers, descriptors, handles, integers */
    }
}

static const attribute *has(const part *d, cudnnBackendAttributeName_t name)
{
    for (int i = 0; i < d->n; i++)
        if (d->list[i].name == name)
            return &d->list[i];
    return NULL;
}

/* The descriptor that is value i of an attribute; NULL: there is none. */
static const part *named(const part *d, cudnnBackendAttributeName_t name, int i)
{
    const attribute *a = has(d, name);

    return a && i < a->n ? ((part *const *)a->values)[i] : NULL;
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                           cudnnBackendDescriptor_t *out)
{
    part *d;

    if (type == CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR && cudnnGetVersion() < ATTENTION_FROM)
        return CUDNN_STATUS_NOT_SUPPORTED;
    d = new_object(sizeof *d);
    d->type = type;
    d->engine = -1;
    *out = d;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t opaque)
{
    part *d = opaque;

    for (int i = 0; d && i < d->n; i++)
        free(d->list[i].values);
    free(d);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t opaque,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t n,
                                       const void *values)
{
    part *d = opaque;
    const size_t bytes = (size_t)n * value_bytes(type);
    attribute *a;

    if (d->finalized)
        return CUDNN_STATUS_BAD_PARAM;
    if (d->n == ATTRIBUTES)
        standin_stop("cuDNN: a descriptor of more than %d attributes", ATTRIBUTES);
    a = &d->list[d->n++];
    *a = (attribute){.name = name, .n = n, .values = new_object(bytes + 1)};
    memcpy(a->values, values, bytes);
    return CUDNN_STATUS_SUCCESS;
}

static const char *kind_of(const part *graph)
{
    const part *first = named(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, 0);

    if (first && first->type == CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR)
        return "attention";
    if (first && (first->type == CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR ||
                  first->type == CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR))
        return "convolutions";
    standin_stop("cuDNN: a graph that begins with no operation known here");
}

/* What an engine, its configuration or its plan takes over from what it is made of. */
static void take_over(part *d, const part *from)
{
    if (!from || !from->finalized)
        standin_stop("cuDNN: made from a descriptor that is missing or not finalized");
    d->kind = from->kind;
    if (from->engine >= 0)
        d->engine = from->engine;
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t opaque)
{
    part *d = opaque;
    const attribute *index;

    switch (d->type) {
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
        d->kind = kind_of(d);
        if (standin_lists("STANDIN_REFUSE", d->kind))
            return CUDNN_STATUS_NOT_SUPPORTED;
        break;
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
        take_over(d, named(d, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, 0));
        break;
    case CUDNN_BACKEND_ENGINE_DESCRIPTOR:
        take_over(d, named(d, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, 0));
        index = has(d, CUDNN_ATTR_ENGINE_GLOBAL_INDEX);
        d->engine = index ? (int)*(const int64_t *)index->values : -1;
        if (d->engine < 0 || d->engine >= ENGINES)
            return CUDNN_STATUS_NOT_SUPPORTED;
        break;
    case CUDNN_BACKEND_ENGINECFG_DESCRIPTOR:
        take_over(d, named(d, CUDNN_ATTR_ENGINECFG_ENGINE, 0));
        break;
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
        take_over(d, named(d, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, 0));
        break;
    default:
        break;
    }
    d->finalized = true;
    return CUDNN_STATUS_SUCCESS;
}

/* ---------------------------------------------------------------------- answers */

static int64_t offer(const part *heuristics, int64_t wanted, part **configs)
{
    int64_t n = 0;

    for (; n < wanted && n < ENGINES; n++) {
        configs[n]->engine = (int)n;
        configs[n]->kind = heuristics->kind;
        configs[n]->finalized = true;
    }
    return n;
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t const opaque,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t wanted, int64_t *n,
                                       void *values)
{
    const part *d = opaque;
    const cudnnBackendNumericalNote_t note = CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC;
    const int64_t engine = d->engine, bytes = PLAN_BYTES;
    int64_t given = 1;

    (void)type;
    switch (name) {
    case CUDNN_ATTR_ENGINEHEUR_RESULTS:
        given = offer(d, wanted, values);
        break;
    case CUDNN_ATTR_ENGINECFG_ENGINE:
        (*(part **)values)->engine = d->engine;
        (*(part **)values)->kind = d->kind;
        (*(part **)values)->finalized = true;
        break;
    case CUDNN_ATTR_ENGINECFG_KNOB_CHOICES:
        given = 0;
        break;
    case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE:
        given = d->engine == NONDETERMINISTIC;
        if (given > 0 && wanted > 0)
            memcpy(values, &note, sizeof note);
        break;
    case CUDNN_ATTR_ENGINE_GLOBAL_INDEX:
        memcpy(values, &engine, sizeof engine);
        break;
    case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
        memcpy(values, &bytes, sizeof bytes);
        break;
    default:
        standin_stop("cudnnBackendGetAttribute: attribute %d is not known here", (int)name);
    }
    if (n)
        *n = given;
    return CUDNN_STATUS_SUCCESS;
}

/* A number by value is the one pointer to the host; it comes last. */
static void check_pointers(const part *pack, bool is_attention)
{
    const attribute *data = has(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);
    const attribute *ids = has(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
    const attribute *workspace = has(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE);

    if (!pack->finalized || !data || !ids || data->n != ids->n)
        standin_stop("cuDNN: a pack of pointers that is not complete");
    for (int64_t i = 0; i < data->n - (is_attention ? 1 : 0); i++)
        standin_device_range(((void **)data->values)[i], 1, "cuDNN's data");
    if (workspace)
        standin_device_range(*(void **)workspace->values, (size_t)PLAN_BYTES, "cuDNN's workspace");
}

/* q, k, v, o of an attention; x, w, y of a convolution */
static const void *output_of(const part *pack, bool is_attention)
{
    const attribute *data = has(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS);

    return ((void **)data->values)[is_attention ? 3 : 2];
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack)
{
    const part *p = plan;
    const bool is_attention = strcmp(p->kind, "attention") == 0;

    if (!p->finalized || p->engine < 0)
        standin_stop("cuDNN: a plan that is not finalized");
    if (p->engine == NONDETERMINISTIC)
        standin_stop("cuDNN: an engine runs that gives other bits each time");
    check_pointers(pack, is_attention);
    standin_wrote(output_of(pack, is_attention), standin_lists_number("STANDIN_WRONG", p->engine));
    standin_queue(handle->stream, STANDIN_LIBRARY);
    if (standin_lists("STANDIN_SLOW", p->kind))
        standin_take(SLOW_MS);
    standin_count(p->kind, 1);
    return CUDNN_STATUS_SUCCESS;
}
