/* check_finite: some blocks a span; bound by bandwidth, a few microseconds for a group's texts. */
#include "kernels/cuda/device.cuh"

#define BLOCK     256
#define PARTS     16  /* blocks a span */
#define MAX_SPANS 256 /* of a launch */

/* grid (PARTS, spans) */
__global__ __launch_bounds__(BLOCK) void check_finite(int32_t *fault, const float *x,
                                                      ints<MAX_SPANS> start, ints<MAX_SPANS> count,
                                                      int64_t width, int first, int n_faults,
                                                      int32_t code)
{
    const int span = blockIdx.y;
    const int64_t n = count.v[span] * width;
    int bad = 0;

    x += start.v[span] * width;
    for (int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x; i < n; i += PARTS * BLOCK)
        bad |= !is_finite(x[i]);
    if (__syncthreads_or(bad) && threadIdx.x == 0)
        note_fault(fault + (first + span) % n_faults, code);
}

extern "C" skv_status skv_cuda_check_finite(skv_backend *be, const skv_check_finite_args *a)
{
    for (int first = 0; first < a->n_spans; first += MAX_SPANS) {
        const int left = a->n_spans - first, n = left < MAX_SPANS ? left : MAX_SPANS;

        SKV_LAUNCH(be, check_finite, dim3(PARTS, (unsigned)n), BLOCK, 0, (int32_t *)a->fault.data,
                   (const float *)a->x.data, ints_of<MAX_SPANS>(a->start + first, n),
                   ints_of<MAX_SPANS>(a->count + first, n), a->x.shape[1], first,
                   (int)a->fault.shape[0], a->code);
    }
    return SKV_OK;
}
