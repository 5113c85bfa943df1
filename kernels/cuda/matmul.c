/* Matrix products by cuBLASLt, bias and GELU in the epilogue.
 *
 * cuBLASLt counts in columns: y (M,N) by rows is its D = Wᵀ·x (N,M) by columns, so the bias runs
 * along D's rows. Split sums that are added in place (their order is not fixed) or in the output's
 * type are never chosen. */
#include <cublasLt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "kernels/cuda/cuda_internal.h"

#define BLAS_WORKSPACE (SKV_CUDA_WORKSPACE / 2) /* the other half may hold x, converted */
#define CANDIDATES     48
#define TIMED_RUNS     3
#define BUCKETS        1024

typedef struct matmul {
    struct matmul *next;
    skv_cuda__matmul_args args; /* of the first use; pointers only say whether there is a bias */
    skv_matmul_shape shape;
    bool plain; /* cuBLASLt has nothing for it */
    cublasLtMatmulDesc_t desc;
    cublasLtMatrixLayout_t a, b, d;
    cublasLtMatmulAlgo_t algo;
} matmul;

struct skv_cuda__matmuls {
    cublasLtHandle_t handle;
    matmul *bucket[BUCKETS];
};

static skv_status blas_failed(cublasStatus_t status, const char *call)
{
    SKV_TRY(skv_cuda__lost("cublasLt"));
    return skv_fail(SKV_E_BLAS, "%s: %s", call, cublasLtGetStatusString(status));
}

#define SKV_BLAS(call)                                                                             \
    do {                                                                                           \
        cublasStatus_t skv_blas_st = (call);                                                       \
        if (skv_blas_st != CUBLAS_STATUS_SUCCESS)                                                  \
            return blas_failed(skv_blas_st, #call);                                                \
    } while (0)

skv_status skv_cuda__matmuls_create(skv_cuda__matmuls **out)
{
    skv_cuda__matmuls *m = NULL;
    cublasStatus_t st;

    SKV_TRY(skv_alloc(&m, 1, sizeof *m, "matrix products"));
    st = cublasLtCreate(&m->handle);
    if (st != CUBLAS_STATUS_SUCCESS) {
        free(m);
        return blas_failed(st, "cublasLtCreate");
    }
    *out = m;
    return SKV_OK;
}

size_t skv_cuda__matmuls_version(void)
{
    return cublasLtGetVersion();
}

static void destroy(matmul *p)
{
    if (p->d)
        (void)cublasLtMatrixLayoutDestroy(p->d);
    if (p->b)
        (void)cublasLtMatrixLayoutDestroy(p->b);
    if (p->a)
        (void)cublasLtMatrixLayoutDestroy(p->a);
    if (p->desc)
        (void)cublasLtMatmulDescDestroy(p->desc);
    free(p);
}

void skv_cuda__matmuls_destroy(skv_cuda__matmuls *m)
{
    if (!m)
        return;
    for (int i = 0; i < BUCKETS; i++)
        while (m->bucket[i]) {
            matmul *p = m->bucket[i];

            m->bucket[i] = p->next;
            destroy(p);
        }
    (void)cublasLtDestroy(m->handle);
    free(m);
}

/* ---------------------------------------------------------------- finding one */

static unsigned bucket_of(const skv_cuda__matmul_args *a)
{
    const uint64_t mixed = ((uint64_t)a->m * 0x9E3779B97F4A7C15u) ^
                           ((uint64_t)a->n * 0xC2B2AE3D27D4EB4Fu) ^
                           ((uint64_t)a->k * 0x165667B19E3779F9u) ^ (uint64_t)a->y_type;

    return (unsigned)(mixed >> 40) % BUCKETS;
}

static skv_status cuda_type(cudaDataType_t *out, skv_dtype type)
{
    switch (type) {
    case SKV_BF16:
        *out = CUDA_R_16BF;
        return SKV_OK;
    case SKV_F32:
        *out = CUDA_R_32F;
        return SKV_OK;
    default:
        return skv_fail(SKV_E_UNSUPPORTED, "matmul: no products of %s", skv_dtype_name(type));
    }
}

/* A matrix of `rows` rows of memory. */
static skv_status make_layout(cublasLtMatrixLayout_t *out, skv_dtype type, int64_t rows, int64_t n,
                              int64_t row, int64_t batch, int64_t step)
{
    const int32_t count = (int32_t)batch;
    cudaDataType_t of;

    SKV_TRY(cuda_type(&of, type));
    SKV_BLAS(cublasLtMatrixLayoutCreate(out, of, (uint64_t)n, (uint64_t)rows, row));
    if (batch == 1)
        return SKV_OK;
    SKV_BLAS(cublasLtMatrixLayoutSetAttribute(*out, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count,
                                              sizeof count));
    SKV_BLAS(cublasLtMatrixLayoutSetAttribute(*out, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET,
                                              &step, sizeof step));
    return SKV_OK;
}

static skv_status make_layouts(matmul *p, bool tf32)
{
    const skv_cuda__matmul_args *s = &p->args;
    const cublasComputeType_t compute = tf32 && !s->exact && s->x_type == SKV_F32
                                            ? CUBLAS_COMPUTE_32F_FAST_TF32
                                            : CUBLAS_COMPUTE_32F;
    const cublasOperation_t of_w = s->w_by_k ? CUBLAS_OP_N : CUBLAS_OP_T;
    cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;

    if (s->gelu)
        epilogue = s->b ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU;
    else if (s->b)
        epilogue = CUBLASLT_EPILOGUE_BIAS;
    SKV_BLAS(cublasLtMatmulDescCreate(&p->desc, compute, CUDA_R_32F));
    SKV_BLAS(
        cublasLtMatmulDescSetAttribute(p->desc, CUBLASLT_MATMUL_DESC_TRANSA, &of_w, sizeof of_w));
    SKV_BLAS(cublasLtMatmulDescSetAttribute(p->desc, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue,
                                            sizeof epilogue));
    if (s->b_step != 0)
        SKV_BLAS(cublasLtMatmulDescSetAttribute(p->desc, CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE,
                                                &s->b_step, sizeof s->b_step));
    SKV_TRY(make_layout(&p->a, s->x_type, s->w_by_k ? s->k : s->n, s->w_by_k ? s->n : s->k,
                        s->w_row, s->batch, s->w_step));
    SKV_TRY(make_layout(&p->b, s->x_type, s->m, s->k, s->x_row, s->batch, s->x_step));
    return make_layout(&p->d, s->y_type, s->m, s->n, s->y_row, s->batch, s->y_step);
}

static skv_status set_preference(cublasLtMatmulPreference_t pref, uint32_t alignment)
{
    static const cublasLtMatmulPreferenceAttributes_t aligned[] = {
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES};
    const uint64_t bytes = BLAS_WORKSPACE;
    const uint32_t schemes = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;

    SKV_BLAS(cublasLtMatmulPreferenceSetAttribute(pref, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                                  &bytes, sizeof bytes));
    SKV_BLAS(cublasLtMatmulPreferenceSetAttribute(pref, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                                                  &schemes, sizeof schemes));
    for (size_t i = 0; i < sizeof aligned / sizeof *aligned; i++)
        SKV_BLAS(
            cublasLtMatmulPreferenceSetAttribute(pref, aligned[i], &alignment, sizeof alignment));
    return SKV_OK;
}

/* SKV_E_BLAS: this candidate cannot run the product; others may. */
static skv_status execute(skv_backend *be, const matmul *p, const skv_cuda__matmul_args *a,
                          const cublasLtMatmulAlgo_t *algo)
{
    const float one = 1.0f, zero = 0.0f;
    skv_cuda *c = skv_cuda__of(be);

    if (a->b)
        SKV_BLAS(cublasLtMatmulDescSetAttribute(p->desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &a->b,
                                                sizeof a->b));
    SKV_BLAS(cublasLtMatmul(c->matmuls->handle, p->desc, &one, a->w, p->a, a->x, p->b, &zero, a->y,
                            p->d, a->y, p->d, algo, c->workspace, BLAS_WORKSPACE, c->stream));
    return SKV_OK;
}

/* Best of a few runs of one candidate, milliseconds; a negative number: it does not run. */
static skv_status time_one(float *best, skv_backend *be, const matmul *p,
                           const skv_cuda__matmul_args *a, const cublasLtMatmulAlgo_t *algo)
{
    skv_cuda *c = skv_cuda__of(be);

    *best = -1;
    for (int i = 0; i <= TIMED_RUNS; i++) {
        float ms = 0;

        SKV_CUDA(cudaEventRecord(c->timing[0], c->stream));
        if (execute(be, p, a, algo) != SKV_OK)
            return SKV_OK;
        SKV_CUDA(cudaEventRecord(c->timing[1], c->stream));
        SKV_CUDA(cudaEventSynchronize(c->timing[1]));
        SKV_CUDA(cudaEventElapsedTime(&ms, c->timing[0], c->timing[1]));
        if (i > 0 && (*best < 0 || ms < *best))
            *best = ms;
    }
    return SKV_OK;
}

/* The candidate of the table; measured when tuning; else the first. */
static skv_status choose(int *out, skv_backend *be, const matmul *p, const skv_cuda__matmul_args *a,
                         const cublasLtMatmulHeuristicResult_t *list, int n)
{
    float least = 0;
    char key[SKV_TUNING_KEY];

    SKV_TRY(skv_cuda__matmul_key(key, sizeof key, &p->shape));
    *out = skv_tuning_find(&be->tuning, key);
    if (*out >= 0 && *out < n)
        return SKV_OK;
    *out = 0;
    if (!be->tuning.measuring)
        return SKV_OK;
    for (int i = 0; i < n; i++) {
        float ms;

        SKV_TRY(skv_backend_go_on(be));
        SKV_TRY(time_one(&ms, be, p, a, &list[i].algo));
        if (ms >= 0 && (least == 0 || ms < least)) {
            least = ms;
            *out = i;
        }
    }
    return skv_tuning_set(&be->tuning, key, *out);
}

static skv_status find_algorithm(skv_backend *be, matmul *p, const skv_cuda__matmul_args *a)
{
    cublasLtMatmulHeuristicResult_t list[CANDIDATES];
    cublasLtMatmulPreference_t pref = NULL;
    cublasStatus_t found;
    skv_status st;
    int n = 0, chosen = 0;

    SKV_BLAS(cublasLtMatmulPreferenceCreate(&pref));
    SKV_TRY_GOTO(set_preference(pref, (uint32_t)skv_cuda__matmul_alignment(a)), done);
    found = cublasLtMatmulAlgoGetHeuristic(skv_cuda__of(be)->matmuls->handle, p->desc, p->a, p->b,
                                           p->d, p->d, pref, CANDIDATES, list, &n);
    if (found != CUBLAS_STATUS_SUCCESS || n == 0) {
        p->plain = true;
        goto done;
    }
    SKV_TRY_GOTO(choose(&chosen, be, p, a, list, n), done);
    p->algo = list[chosen].algo;
done:
    (void)cublasLtMatmulPreferenceDestroy(pref);
    return st;
}

static skv_status make(matmul **out, skv_backend *be, const skv_cuda__matmul_args *a,
                       const skv_matmul_shape *shape)
{
    matmul *p = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&p, 1, sizeof *p, "matrix product"));
    p->args = *a;
    p->shape = *shape;
    SKV_TRY_GOTO(make_layouts(p, skv_cuda__of(be)->tf32), done);
    SKV_TRY_GOTO(find_algorithm(be, p, a), done);
    *out = p;
    p = NULL;
done:
    if (p)
        destroy(p);
    return st;
}

skv_status skv_cuda__matmul(skv_backend *be, const skv_cuda__matmul_args *given)
{
    const skv_cuda__matmul_args full = skv_cuda__matmul_completed(given), *a = &full;
    const skv_matmul_shape shape = skv_cuda__matmul_shape(a);
    matmul **place = &skv_cuda__of(be)->matmuls->bucket[bucket_of(a)];
    matmul *p = *place;

    while (p && memcmp(&p->shape, &shape, sizeof shape) != 0)
        p = p->next;
    if (!p) {
        SKV_TRY(make(&p, be, a, &shape));
        p->next = *place;
        *place = p;
    }
    return p->plain ? skv_cuda__matmul_plain(be, a) : execute(be, p, a, &p->algo);
}
