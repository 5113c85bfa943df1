/* cuBLASLt: descriptors, candidates and products, each checked against the others and against the
 * memory that it reads and writes.
 *
 * STANDIN_REFUSE=products: nothing is offered; STANDIN_FAIL=products: the heuristic fails;
 * STANDIN_WRONG=900,902: these algorithms compute nonsense. */
#include "standin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cublasLt.h>

#define OFFERED   3
#define ALGORITHM 0x5d000000u /* first word of an algorithm of ours */
#define SETTINGS  9           /* CUBLASLT_ALGO_CONFIG_ID to ..._CLUSTER_SHAPE_ID */

typedef struct {
    cudaDataType_t type;
    uint64_t rows, columns;
    int64_t column, batches, step; /* elements from one column, one matrix, to the next */
} layout;

typedef struct {
    cublasComputeType_t compute;
    int32_t trans_a, trans_b;
    uint32_t epilogue;
    const void *bias;
    int64_t bias_step;
} product;

typedef struct {
    uint64_t workspace;
    uint32_t schemes, alignment;
} preference;

/* What is inside cublasLtMatmulAlgo_t. */
typedef struct {
    uint32_t magic, setting[SETTINGS], unused[6];
} algorithm;

_Static_assert(sizeof(algorithm) == sizeof(cublasLtMatmulAlgo_t), "an algorithm is 64 bytes");

static void *new_object(size_t bytes)
{
    void *p = calloc(1, bytes);

    if (!p)
        standin_stop("no memory");
    return p;
}

/* ------------------------------------------------------------------ descriptors */

cublasStatus_t cublasLtCreate(cublasLtHandle_t *handle)
{
    *handle = new_object(1);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle)
{
    free(handle);
    return CUBLAS_STATUS_SUCCESS;
}

size_t cublasLtGetVersion(void)
{
    return (size_t)standin_number("STANDIN_CUBLASLT", CUBLAS_VERSION);
}

const char *cublasLtGetStatusString(cublasStatus_t status)
{
    return status == CUBLAS_STATUS_NOT_SUPPORTED    ? "CUBLAS_STATUS_NOT_SUPPORTED"
           : status == CUBLAS_STATUS_INTERNAL_ERROR ? "CUBLAS_STATUS_INTERNAL_ERROR"
                                                    : "a status of the stand-in";
}

cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t *out, cudaDataType type,
                                          uint64_t rows, uint64_t columns, int64_t column)
{
    layout *l = new_object(sizeof *l);

    *l = (layout){.type = type, .rows = rows, .columns = columns, .column = column, .batches = 1};
    *out = (cublasLtMatrixLayout_t)l;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l)
{
    free(l);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t opaque,
                                                cublasLtMatrixLayoutAttribute_t attribute,
                                                const void *value, size_t bytes)
{
    layout *l = (layout *)opaque;

    if (attribute == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT && bytes == sizeof(int32_t))
        l->batches = *(const int32_t *)value;
    else if (attribute == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET && bytes == sizeof l->step)
        l->step = *(const int64_t *)value;
    else
        standin_stop("cublasLtMatrixLayoutSetAttribute: %d, %zu bytes", (int)attribute, bytes);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t *out, cublasComputeType_t compute,
                                        cudaDataType_t scale)
{
    product *p = new_object(sizeof *p);

    (void)scale;
    p->compute = compute;
    p->epilogue = CUBLASLT_EPILOGUE_DEFAULT;
    *out = (cublasLtMatmulDesc_t)p;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t p)
{
    free(p);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t opaque,
                                              cublasLtMatmulDescAttributes_t attribute,
                                              const void *value, size_t bytes)
{
    product *p = (product *)opaque;

    switch (attribute) {
    case CUBLASLT_MATMUL_DESC_TRANSA:
        memcpy(&p->trans_a, value, bytes);
        break;
    case CUBLASLT_MATMUL_DESC_TRANSB:
        memcpy(&p->trans_b, value, bytes);
        break;
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
        memcpy(&p->epilogue, value, bytes);
        break;
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
        memcpy(&p->bias, value, bytes);
        break;
    case CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE:
        memcpy(&p->bias_step, value, bytes);
        break;
    default:
        standin_stop("cublasLtMatmulDescSetAttribute: %d is not known here", (int)attribute);
    }
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t *out)
{
    *out = new_object(sizeof(preference));
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p)
{
    free(p);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t opaque,
                                                    cublasLtMatmulPreferenceAttributes_t attribute,
                                                    const void *value, size_t bytes)
{
    preference *p = (preference *)opaque;

    switch (attribute) {
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
        memcpy(&p->workspace, value, bytes);
        break;
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
        memcpy(&p->schemes, value, bytes);
        break;
    default: /* alignments, the same of all matrices */
        memcpy(&p->alignment, value, bytes);
    }
    return CUBLAS_STATUS_SUCCESS;
}

/* ------------------------------------------------------------------- algorithms */

static cublasLtMatmulAlgo_t algorithm_of(unsigned id, unsigned tile)
{
    algorithm a = {.magic = ALGORITHM};
    cublasLtMatmulAlgo_t out;

    a.setting[CUBLASLT_ALGO_CONFIG_ID] = id;
    a.setting[CUBLASLT_ALGO_CONFIG_TILE_ID] = tile;
    memcpy(&out, &a, sizeof out);
    return out;
}

static algorithm *opened(cublasLtMatmulAlgo_t *algo)
{
    algorithm *a = (algorithm *)(void *)algo;

    if (a->magic != ALGORITHM)
        standin_stop("an algorithm that cuBLASLt did not make");
    return a;
}

/* Of each capability ones of its own, so that another GPU's are not among them. */
static unsigned first_id(void)
{
    return 10u * (unsigned)(10 * standin_here()->major + standin_here()->minor);
}

/* D (m,n) = op(A) (m,k) · op(B) (k,n) */
static void check_shapes(const product *p, const layout *a, const layout *b, const layout *d)
{
    const bool ta = p->trans_a != CUBLAS_OP_N, tb = p->trans_b != CUBLAS_OP_N;
    const uint64_t m = ta ? a->columns : a->rows, k = ta ? a->rows : a->columns;
    const uint64_t n = tb ? b->rows : b->columns, k_of_b = tb ? b->columns : b->rows;

    if (m != d->rows || n != d->columns || k != k_of_b)
        standin_stop("a product of shapes that do not fit: %llu x %llu x %llu",
                     (unsigned long long)m, (unsigned long long)n, (unsigned long long)k);
    if (a->column < (int64_t)a->rows || b->column < (int64_t)b->rows ||
        d->column < (int64_t)d->rows)
        standin_stop("a product whose columns overlap");
}

cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc,
                                              cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                              cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                              cublasLtMatmulPreference_t pref, int wanted,
                                              cublasLtMatmulHeuristicResult_t *list, int *n)
{
    (void)handle, (void)c, (void)pref;
    check_shapes((product *)desc, (layout *)a, (layout *)b, (layout *)d);
    *n = 0;
    if (standin_lists("STANDIN_FAIL", "products"))
        return CUBLAS_STATUS_INTERNAL_ERROR;
    if (standin_lists("STANDIN_REFUSE", "products"))
        return CUBLAS_STATUS_NOT_SUPPORTED;
    for (int i = 0; i < OFFERED && i < wanted; i++) {
        list[i] = (cublasLtMatmulHeuristicResult_t){.state = CUBLAS_STATUS_SUCCESS};
        list[i].algo = algorithm_of(first_id() + (unsigned)i, 1 + (unsigned)i);
        (*n)++;
    }
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoInit(cublasLtHandle_t handle, cublasComputeType_t compute,
                                      cudaDataType_t scale, cudaDataType_t a, cudaDataType_t b,
                                      cudaDataType_t c, cudaDataType_t d, int id,
                                      cublasLtMatmulAlgo_t *algo)
{
    (void)handle, (void)compute, (void)scale, (void)a, (void)b, (void)c, (void)d;
    if (id < (int)first_id() || id >= (int)first_id() + OFFERED)
        return CUBLAS_STATUS_INVALID_VALUE;
    *algo = algorithm_of((unsigned)id, 0);
    return CUBLAS_STATUS_SUCCESS;
}

static size_t setting_bytes(cublasLtMatmulAlgoConfigAttributes_t attribute)
{
    return attribute >= CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID ? sizeof(uint16_t) : sizeof(uint32_t);
}

cublasStatus_t cublasLtMatmulAlgoConfigGetAttribute(const cublasLtMatmulAlgo_t *algo,
                                                    cublasLtMatmulAlgoConfigAttributes_t attribute,
                                                    void *value, size_t bytes, size_t *written)
{
    cublasLtMatmulAlgo_t copy = *algo;

    if ((int)attribute >= SETTINGS || bytes < setting_bytes(attribute))
        return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(value, &opened(&copy)->setting[attribute], setting_bytes(attribute));
    if (written)
        *written = setting_bytes(attribute);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoConfigSetAttribute(cublasLtMatmulAlgo_t *algo,
                                                    cublasLtMatmulAlgoConfigAttributes_t attribute,
                                                    const void *value, size_t bytes)
{
    if ((int)attribute >= SETTINGS || bytes != setting_bytes(attribute))
        return CUBLAS_STATUS_INVALID_VALUE;
    memcpy(&opened(algo)->setting[attribute], value, bytes);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasLtMatmulAlgoCheck(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc,
                                       cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                       cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d,
                                       const cublasLtMatmulAlgo_t *algo,
                                       cublasLtMatmulHeuristicResult_t *result)
{
    cublasLtMatmulAlgo_t copy = *algo;
    const unsigned id = opened(&copy)->setting[CUBLASLT_ALGO_CONFIG_ID];

    (void)handle, (void)c;
    check_shapes((product *)desc, (layout *)a, (layout *)b, (layout *)d);
    if (id < first_id() || id >= first_id() + OFFERED ||
        standin_lists("STANDIN_REFUSE", "products"))
        return CUBLAS_STATUS_NOT_SUPPORTED;
    *result = (cublasLtMatmulHeuristicResult_t){.algo = *algo, .state = CUBLAS_STATUS_SUCCESS};
    return CUBLAS_STATUS_SUCCESS;
}

/* --------------------------------------------------------------------- products */

static size_t element(cudaDataType_t type)
{
    return type == CUDA_R_16BF || type == CUDA_R_16F ? 2 : type == CUDA_R_8U ? 1 : 4;
}

static void check_matrix(const layout *l, const void *p, const char *who)
{
    const int64_t last =
        (l->batches - 1) * l->step + ((int64_t)l->columns - 1) * l->column + (int64_t)l->rows;

    standin_device_range(p, (size_t)last * element(l->type), who);
}

cublasStatus_t cublasLtMatmul(cublasLtHandle_t handle, cublasLtMatmulDesc_t desc, const void *alpha,
                              const void *a, cublasLtMatrixLayout_t la, const void *b,
                              cublasLtMatrixLayout_t lb, const void *beta, const void *c,
                              cublasLtMatrixLayout_t lc, void *d, cublasLtMatrixLayout_t ld,
                              const cublasLtMatmulAlgo_t *algo, void *workspace, size_t bytes,
                              cudaStream_t stream)
{
    const product *p = (const product *)desc;
    const layout *of_b = (const layout *)lb, *of_d = (const layout *)ld;
    cublasLtMatmulAlgo_t copy = *algo;

    const long id = (long)opened(&copy)->setting[CUBLASLT_ALGO_CONFIG_ID];

    (void)handle, (void)alpha, (void)beta, (void)c, (void)lc;
    if (id == standin_number("STANDIN_CRASHES", -1))
        abort();
    if (id == standin_number("STANDIN_KILLS", -1))
        standin_lose();
    check_shapes(p, (const layout *)la, of_b, of_d);
    check_matrix((const layout *)la, a, "a product's A");
    check_matrix(of_b, b, "a product's B");
    check_matrix(of_d, d, "a product's D");
    if (p->bias)
        standin_device_range(p->bias, 1, "a product's bias");
    standin_device_range(workspace, bytes, "a product's workspace");
    standin_wrote(d, standin_lists_number("STANDIN_WRONG", id));
    standin_queue(stream, STANDIN_LIBRARY);
    standin_count("products", 1);
    return CUBLAS_STATUS_SUCCESS;
}
