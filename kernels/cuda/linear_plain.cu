/* The product for shapes that cuBLASLt refuses (odd sizes of small models): a 16 × 16 tile of y a
 * block, tiles of x and w in shared memory, fp32 sums along k in order. Bound by shared memory; not
 * meant to be fast. */
#include "kernels/cuda/device.cuh"

#define TILE 16

/* One of a batch; w's strides along N and K. grid (columns, rows, batch) */
typedef struct {
    int64_t m, n, k, y_row, x_row, w_n, w_k, y_step, x_step, w_step, b_step;
    bool gelu;
} sizes;

template <typename TX, typename TY>
__global__ void matmul_plain(TY *y, const TX *x, const TX *w, const TY *b, const sizes s)
{
    __shared__ float xs[TILE][TILE + 1], ws[TILE][TILE + 1];
    const int64_t row = (int64_t)blockIdx.y * TILE + threadIdx.y;
    const int64_t first = (int64_t)blockIdx.x * TILE, col = first + threadIdx.x;
    float sum = 0;

    y += blockIdx.z * s.y_step;
    x += blockIdx.z * s.x_step;
    w += blockIdx.z * s.w_step;
    b += b ? blockIdx.z * s.b_step : 0;
    for (int64_t k0 = 0; k0 < s.k; k0 += TILE) {
        const int64_t kx = k0 + threadIdx.x, wrow = first + threadIdx.y;

        xs[threadIdx.y][threadIdx.x] = row < s.m && kx < s.k ? to_f32(x[row * s.x_row + kx]) : 0.0f;
        ws[threadIdx.y][threadIdx.x] =
            wrow < s.n && kx < s.k ? to_f32(w[wrow * s.w_n + kx * s.w_k]) : 0.0f;
        __syncthreads();
        for (int i = 0; i < TILE; i++)
            sum = fmaf(xs[threadIdx.y][i], ws[threadIdx.x][i], sum);
        __syncthreads();
    }
    if (row >= s.m || col >= s.n)
        return;
    sum += b ? to_f32(b[col]) : 0.0f;
    put(y + row * s.y_row + col, s.gelu ? gelu_tanh(sum) : sum);
}

template <typename TX, typename TY>
static skv_status run(skv_backend *be, const skv_cuda__matmul_args *a)
{
    const dim3 block(TILE, TILE);
    const int64_t step = (int64_t)65535 * TILE; /* of a grid's second dimension */

    for (int64_t first = 0; first < a->m; first += step) {
        const int64_t rows = a->m - first < step ? a->m - first : step;
        const dim3 grid((unsigned)div_up(a->n, TILE), (unsigned)div_up(rows, TILE),
                        (unsigned)a->batch);
        const sizes s = {rows,
                         a->n,
                         a->k,
                         a->y_row,
                         a->x_row,
                         a->w_by_k ? 1 : a->w_row,
                         a->w_by_k ? a->w_row : 1,
                         a->y_step,
                         a->x_step,
                         a->w_step,
                         a->b_step,
                         a->gelu};

        SKV_LAUNCH(be, (matmul_plain<TX, TY>), grid, block, 0, (TY *)a->y + first * a->y_row,
                   (const TX *)a->x + first * a->x_row, (const TX *)a->w, (const TY *)a->b, s);
    }
    return SKV_OK;
}

extern "C" skv_status skv_cuda__matmul_plain(skv_backend *be, const skv_cuda__matmul_args *given)
{
    const skv_cuda__matmul_args full = skv_cuda__matmul_completed(given), *a = &full;

    SKV_FLOAT_SWITCH(a->x_type, TX,
                     { SKV_FLOAT_SWITCH(a->y_type, TY, { return run<TX, TY>(be, a); }); });
}
