/* Matrix products by cuBLASLt, bias and GELU in the epilogue.
 *
 * cuBLASLt counts in columns: y (M,N) by rows is its D = Wᵀ·x (N,M) by columns, so the bias runs
 * along D's rows. Split sums that are added in place (their order is not fixed) or in the output's
 * type are never chosen. */
#include <cublasLt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "kernels/cuda/choose.h"

#define BLAS_WORKSPACE (SKV_CUDA_WORKSPACE / 2) /* the other half may hold x, converted */
#define CANDIDATES     48
#define BUCKETS        1024
#define CHECKED_ROWS   16

typedef struct matmul {
    struct matmul *next;
    skv_cuda__matmul_args args; /* of the first use; pointers only say whether there is a bias */
    skv_matmul_shape shape;
    bool plain; /* cuBLASLt has nothing for it */
    cublasComputeType_t compute;
    cublasLtMatmulDesc_t desc;
    cublasLtMatrixLayout_t a, b, d;
    cublasLtMatmulAlgo_t algo;
} matmul;

struct skv_cuda__matmuls {
    cublasLtHandle_t handle;
    bool said; /* that our own kernel serves */
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
    const cublasOperation_t of_w = s->w_by_k ? CUBLAS_OP_N : CUBLAS_OP_T;
    cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;

    if (s->gelu)
        epilogue = s->b ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU;
    else if (s->b)
        epilogue = CUBLASLT_EPILOGUE_BIAS;
    p->compute = tf32 && !s->exact && s->x_type == SKV_F32 ? CUBLAS_COMPUTE_32F_FAST_TF32
                                                           : CUBLAS_COMPUTE_32F;
    SKV_BLAS(cublasLtMatmulDescCreate(&p->desc, p->compute, CUDA_R_32F));
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

static skv_status set_bias(const matmul *p, const void *b)
{
    if (b)
        SKV_BLAS(cublasLtMatmulDescSetAttribute(p->desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &b,
                                                sizeof b));
    return SKV_OK;
}

static skv_status execute(skv_backend *be, const matmul *p, const skv_cuda__matmul_args *a)
{
    const float one = 1.0f, zero = 0.0f;
    skv_cuda *c = skv_cuda__of(be);

    SKV_TRY(set_bias(p, a->b));
    SKV_BLAS(cublasLtMatmul(c->matmuls->handle, p->desc, &one, a->w, p->a, a->x, p->b, &zero, a->y,
                            p->d, a->y, p->d, &p->algo, c->workspace, BLAS_WORKSPACE, c->stream));
    return SKV_OK;
}

/* ------------------------------------------------------- an algorithm, as a choice */

/* What makes an algorithm beside its "id". */
static const struct {
    const char *name;
    cublasLtMatmulAlgoConfigAttributes_t attribute;
    size_t bytes;
} parts[] = {
    {"tile", CUBLASLT_ALGO_CONFIG_TILE_ID, sizeof(uint32_t)},
    {"stages", CUBLASLT_ALGO_CONFIG_STAGES_ID, sizeof(uint32_t)},
    {"split", CUBLASLT_ALGO_CONFIG_SPLITK_NUM, sizeof(uint32_t)},
    {"reduction", CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, sizeof(uint32_t)},
    {"swizzle", CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING, sizeof(uint32_t)},
    {"custom", CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION, sizeof(uint32_t)},
    {"inner", CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID, sizeof(uint16_t)},
    {"cluster", CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID, sizeof(uint16_t)},
};

#define N_PARTS (sizeof parts / sizeof *parts)
#define N_WORDS (sizeof((cublasLtMatmulAlgo_t *)0)->data / sizeof(uint64_t))

typedef union {
    uint32_t wide;
    uint16_t narrow;
} part;

/* False: this algorithm has no such part. */
static bool get_part(int64_t *value, const cublasLtMatmulAlgo_t *algo, size_t i)
{
    part v = {0};
    size_t written = 0;

    if (cublasLtMatmulAlgoConfigGetAttribute(algo, parts[i].attribute, &v, parts[i].bytes,
                                             &written) != CUBLAS_STATUS_SUCCESS)
        return false;
    *value = parts[i].bytes == sizeof v.narrow ? v.narrow : v.wide;
    return true;
}

static skv_status set_part(cublasLtMatmulAlgo_t *algo, size_t i, int64_t value)
{
    part v = {0};

    if (parts[i].bytes == sizeof v.narrow)
        v.narrow = (uint16_t)value;
    else
        v.wide = (uint32_t)value;
    SKV_BLAS(cublasLtMatmulAlgoConfigSetAttribute(algo, parts[i].attribute, &v, parts[i].bytes));
    return SKV_OK;
}

static skv_status init_algorithm(cublasLtMatmulAlgo_t *algo, const skv_cuda__matmuls *m,
                                 const matmul *p, int id)
{
    cudaDataType_t x, y;

    SKV_TRY(cuda_type(&x, p->args.x_type));
    SKV_TRY(cuda_type(&y, p->args.y_type));
    SKV_BLAS(cublasLtMatmulAlgoInit(m->handle, p->compute, CUDA_R_32F, x, x, y, y, id, algo));
    return SKV_OK;
}

/* The algorithm that a choice says. Words, where there are any, are all of it. */
static skv_status read_algorithm(cublasLtMatmulAlgo_t *algo, const skv_cuda__matmuls *m,
                                 const matmul *p, const char *choice)
{
    int64_t id = 0, value = 0, now = 0;
    char word[8];

    if (!skv_choice_get(&id, choice, "id"))
        return skv_fail(SKV_E_FORMAT, "it names no algorithm");
    memset(algo, 0, sizeof *algo);
    for (size_t i = 0; i < N_WORDS; i++) {
        snprintf(word, sizeof word, "w%zu", i);
        if (!skv_choice_get(&value, choice, word))
            break;
        algo->data[i] = (uint64_t)value;
        if (i == N_WORDS - 1)
            return SKV_OK;
    }
    SKV_TRY(init_algorithm(algo, m, p, (int)id));
    for (size_t i = 0; i < N_PARTS; i++)
        if (skv_choice_get(&value, choice, parts[i].name) &&
            !(get_part(&now, algo, i) && now == value))
            SKV_TRY(set_part(algo, i, value));
    return SKV_OK;
}

/* Its id and parts; and its words, if these do not make the same algorithm again. */
static skv_status write_algorithm(char choice[SKV_TUNING_CHOICE], const skv_cuda__matmuls *m,
                                  const matmul *p, const cublasLtMatmulAlgo_t *algo)
{
    cublasLtMatmulAlgo_t again;
    int32_t id = 0;
    int64_t value = 0;
    size_t written = 0;
    char word[8];

    choice[0] = '\0';
    SKV_BLAS(cublasLtMatmulAlgoConfigGetAttribute(algo, CUBLASLT_ALGO_CONFIG_ID, &id, sizeof id,
                                                  &written));
    SKV_TRY(skv_choice_add(choice, "id", id));
    for (size_t i = 0; i < N_PARTS; i++)
        if (get_part(&value, algo, i))
            SKV_TRY(skv_choice_add(choice, parts[i].name, value));
    if (read_algorithm(&again, m, p, choice) == SKV_OK && memcmp(&again, algo, sizeof again) == 0)
        return SKV_OK;
    for (size_t i = 0; i < N_WORDS; i++) {
        snprintf(word, sizeof word, "w%zu", i);
        SKV_TRY(skv_choice_add(choice, word, (int64_t)algo->data[i]));
    }
    return SKV_OK;
}

/* ------------------------------------------------------------- choosing one */

typedef struct {
    skv_backend *be;
    matmul *p;
    const skv_cuda__matmul_args *a;
} contestant;

static skv_status list_algorithms(const contestant *c, cublasLtMatmulPreference_t pref,
                                  skv_cuda__candidates *out)
{
    const skv_cuda__matmuls *m = skv_cuda__of(c->be)->matmuls;
    const matmul *p = c->p;
    cublasLtMatmulHeuristicResult_t list[CANDIDATES];
    cublasStatus_t found;
    int n = 0;

    SKV_TRY(set_preference(pref, (uint32_t)skv_cuda__matmul_alignment(c->a)));
    found = cublasLtMatmulAlgoGetHeuristic(m->handle, p->desc, p->a, p->b, p->d, p->d, pref,
                                           CANDIDATES, list, &n);
    if (found == CUBLAS_STATUS_NOT_SUPPORTED)
        return SKV_OK;
    if (found != CUBLAS_STATUS_SUCCESS)
        return blas_failed(found, "cublasLtMatmulAlgoGetHeuristic");
    for (int i = 0; i < n && out->n < out->room; i++)
        if (list[i].state == CUBLAS_STATUS_SUCCESS)
            SKV_TRY(write_algorithm(out->choice[out->n++], m, p, &list[i].algo));
    return SKV_OK;
}

static skv_status offer(void *ctx, int round, skv_cuda__candidates *out)
{
    cublasLtMatmulPreference_t pref = NULL;
    skv_status st;

    (void)round;
    SKV_BLAS(cublasLtMatmulPreferenceCreate(&pref));
    st = list_algorithms(ctx, pref, out);
    (void)cublasLtMatmulPreferenceDestroy(pref);
    return st;
}

static skv_status take(void *ctx, const char *choice)
{
    const contestant *c = ctx;
    const skv_cuda__matmuls *m = skv_cuda__of(c->be)->matmuls;
    cublasLtMatmulHeuristicResult_t result;
    matmul *p = c->p;

    SKV_TRY(read_algorithm(&p->algo, m, p, choice));
    SKV_TRY(set_bias(p, c->a->b));
    SKV_BLAS(
        cublasLtMatmulAlgoCheck(m->handle, p->desc, p->a, p->b, p->d, p->d, &p->algo, &result));
    if (result.workspaceSize > BLAS_WORKSPACE)
        return skv_fail(SKV_E_UNSUPPORTED, "it wants %zu bytes of workspace, %zu are there",
                        result.workspaceSize, BLAS_WORKSPACE);
    return SKV_OK;
}

static skv_status run(void *ctx)
{
    const contestant *c = ctx;

    return execute(c->be, c->p, c->a);
}

/* Some rows of the `at`-th product of the batch, from `first` on. */
static skv_status check_rows(const contestant *c, skv_cuda__difference *d, int64_t at,
                             int64_t first, int64_t rows)
{
    skv_cuda__matmul_args a = *c->a;
    const size_t x_bytes = skv_dtype_bytes(a.x_type), y_bytes = skv_dtype_bytes(a.y_type);
    char *plain = skv_cuda__of(c->be)->workspace; /* that of cuBLASLt, which is done */
    const char *y = (const char *)a.y + (size_t)(at * a.y_step + first * a.y_row) * y_bytes;

    a.x = (const char *)a.x + (size_t)(at * a.x_step + first * a.x_row) * x_bytes;
    a.w = (const char *)a.w + (size_t)(at * a.w_step) * x_bytes;
    a.b = a.b ? (const char *)a.b + (size_t)(at * a.b_step) * y_bytes : NULL;
    a.y = plain;
    a.y_row = a.n;
    a.m = rows;
    a.batch = 1;
    SKV_TRY(skv_cuda__matmul_plain(c->be, &a));
    for (int64_t r = 0; r < rows; r++)
        SKV_TRY(skv_cuda__compare(c->be, d, y + (size_t)(r * c->a->y_row) * y_bytes,
                                  plain + (size_t)(r * a.n) * y_bytes, a.y_type, a.n));
    return SKV_OK;
}

/* The first rows of the first product, and the last of the last. */
static skv_status check(void *ctx, skv_cuda__difference *d)
{
    const contestant *c = ctx;
    const skv_cuda__matmul_args *a = c->a;
    const int64_t room = (int64_t)(BLAS_WORKSPACE / skv_dtype_bytes(a->y_type)) / a->n;
    int64_t rows = a->m < CHECKED_ROWS ? a->m : CHECKED_ROWS;

    rows = rows < room ? rows : room;
    SKV_TRY(check_rows(c, d, 0, 0, rows));
    return check_rows(c, d, a->batch - 1, a->m - rows, rows);
}

static skv_status find_algorithm(skv_backend *be, matmul *p, const skv_cuda__matmul_args *a)
{
    contestant ctx = {be, p, a};
    skv_cuda__matmuls *m = skv_cuda__of(be)->matmuls;
    char key[SKV_TUNING_KEY];
    const skv_cuda__contest contest = {.name = "cuBLASLt",
                                       .key = key,
                                       .ctx = &ctx,
                                       .offer = offer,
                                       .take = take,
                                       .run = run,
                                       .check = check,
                                       .n_rounds = 1,
                                       .n_measured = CANDIDATES,
                                       .warm_runs = 1};

    SKV_TRY(skv_cuda__matmul_key(key, sizeof key, &p->shape));
    SKV_TRY(skv_cuda__choose(be, &contest, &p->plain));
    if (p->plain && !m->said &&
        2.0 * (double)a->m * (double)a->n * (double)a->k * (double)a->batch > SKV_CUDA_COSTLY) {
        skv_warn("cuBLASLt %zu has no product of %lld x %lld x %lld in %s for this GPU: our own "
                 "kernel serves, which is many times slower",
                 cublasLtGetVersion(), (long long)a->m, (long long)a->n, (long long)a->k,
                 skv_dtype_name(a->x_type));
        m->said = true;
    }
    return SKV_OK;
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
    return p->plain ? skv_cuda__matmul_plain(be, a) : execute(be, p, a);
}
