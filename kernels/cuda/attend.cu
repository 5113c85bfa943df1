/* What serves an attention that cuDNN does not: flash.cu on tensor cores, or the plain kernel here,
 * a warp a query (o may be q: the warp holds its query before it writes). */
#include "kernels/cuda/attention_plain.cuh"

#define WARPS    8
#define MAX_LENS 256
#define MAX_ROWS 256

typedef struct {
    int64_t row_stride, head_stride, token_stride;
    int tokens, heads, dim, first_row;
    bool by_row;
    float scale;
    ints<MAX_ROWS> row_start;
    ints<MAX_LENS> len;
} job;

/* grid (tiles of queries, heads, rows) */
template <typename T>
__global__ __launch_bounds__(WARPS *WARP) void plain(T *o, const T *q, const T *k, const T *v,
                                                     const job j)
{
    const int l = blockIdx.x * WARPS + threadIdx.x / WARP, h = blockIdx.y;
    const int64_t row = (int64_t)j.first_row + blockIdx.z;
    const int64_t at = ((row * j.tokens + l) * j.heads + h) * j.dim;
    const int64_t kv = j.row_start.v[blockIdx.z] * j.row_stride + h * j.head_stride;

    const int len = j.len.v[j.by_row ? blockIdx.z : h];

    if (l < j.tokens && len > 0)
        attend_one(o + at, q + at, k + kv, v + kv, j.token_stride, len, j.dim, j.scale, no_bias());
}

template <typename T> static skv_status run_plain(skv_backend *be, const skv_cuda__flash_args *a)
{
    job j = {a->row_stride,
             a->head_stride,
             a->token_stride,
             (int)a->tokens,
             (int)a->heads,
             (int)a->dim,
             0,
             a->by_row,
             a->scale,
             {},
             {}};

    if (a->heads > MAX_LENS)
        return skv_fail(SKV_E_UNSUPPORTED, "attention: %lld heads, want at most %d",
                        (long long)a->heads, MAX_LENS);
    for (int64_t first = 0; a->tokens > 0 && first < a->rows; first += MAX_ROWS) {
        const int rows = (int)(a->rows - first < MAX_ROWS ? a->rows - first : MAX_ROWS);
        const dim3 grid((unsigned)div_up(a->tokens, WARPS), (unsigned)a->heads, (unsigned)rows);

        j.first_row = (int)first;
        for (int r = 0; r < rows; r++)
            j.row_start.v[r] = a->row_start ? a->row_start[first + r] : (int32_t)(first + r);
        j.len = ints_of<MAX_LENS>(a->by_row ? a->len + first : a->len, a->by_row ? rows : a->heads);
        SKV_LAUNCH(be, plain<T>, grid, WARPS * WARP, 0, (T *)a->o, (const T *)a->q, (const T *)a->k,
                   (const T *)a->v, j);
    }
    return SKV_OK;
}

/* The tensor cores' kernel copies 16 bytes at a time; views of keys may have any strides. */
static bool aligned(const skv_cuda__flash_args *a)
{
    const uintptr_t bits = (uintptr_t)a->o | (uintptr_t)a->q | (uintptr_t)a->k | (uintptr_t)a->v;
    const int64_t strides = a->row_stride | a->head_stride | a->token_stride;

    return bits % 16 == 0 && strides % 8 == 0;
}

extern "C" skv_status skv_cuda__attend(skv_backend *be, const skv_cuda__flash_args *a)
{
    if (be->act == SKV_BF16 && a->dim % 8 == 0 && a->dim <= 128 && aligned(a))
        return skv_cuda__flash(be, a);
    SKV_FLOAT_SWITCH(be->act, T, { return run_plain<T>(be, a); });
}
