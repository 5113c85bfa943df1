/* draw_bits: a thread a bit: temperature, guidance, top-p and the draw in one pass over the logits.
 *
 * The random numbers are functions of the bit's place (core/torch_random.h), so no order matters.
 * Bound by bandwidth; exp and log in double and fp32 without contraction, as on the CPU. */
#include "kernels/cuda/device.cuh"
#include "kernels/cuda/philox.cuh"

#define BLOCK          256
#define MAX_GENERATORS 256

struct generators {
    skv_generator v[MAX_GENERATORS];
};

typedef struct {
    uint8_t *bits;
    float *guided;
    int32_t *fault;             /* NULL: not wanted */
    const float *cond, *uncond; /* uncond NULL: no guidance */
    int64_t n;                  /* bits of all prompts of this launch */
    uint64_t offset;
    uint32_t threads; /* that draw a prompt's numbers together */
    int bits_a_prompt, scale;
    float cfg, tau;
    float cut; /* 1 - top_p */
} job;

/* Number i, which is skv_torch_exponential. */
__device__ float exponential(skv_generator g, uint32_t threads, uint32_t i)
{
    const uint64_t call = g.offset / 4 + i / threads / 4;
    uint32_t c[4] = {(uint32_t)call, (uint32_t)(call >> 32), i % threads, 0};

    philox(c, g.seed);
    const float u = __fadd_rn((float)word_of(c, i / threads % 4) * 0x1p-32f, 0x1p-33f);

    return u >= 1 - 0x1p-24f ? 0x1p-24f : (float)-log((double)u);
}

/* The bit whose logits are l0 and l1; `number` is that of its value 0. */
__device__ uint8_t draw(const job &j, float l0, float l1, skv_generator g, uint32_t number)
{
    const bool one = l1 > l0; /* the stronger value */
    const float e = (float)exp((double)(one ? l0 - l1 : l1 - l0));
    const float strong = __fdiv_rn(1, __fadd_rn(1, e)), weak = __fdiv_rn(e, __fadd_rn(1, e));

    if (weak <= j.cut && l0 != l1)
        return one;
    g.offset += j.offset;
    const float q0 = exponential(g, j.threads, number);
    const float q1 = exponential(g, j.threads, number + 1);

    return __fdiv_rn(one ? strong : weak, q1) > __fdiv_rn(one ? weak : strong, q0);
}

/* No contraction: the logits are the CPU's to the last bit. */
__device__ __forceinline__ float guide(const job &j, int64_t at)
{
    const float l = j.cond[at] / j.tau;

    if (!j.uncond)
        return l;
    return __fadd_rn(__fmul_rn(j.cfg, l), __fmul_rn(1.0f - j.cfg, j.uncond[at] / j.tau));
}

__global__ __launch_bounds__(BLOCK) void draw_bits(job j, generators g)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i >= j.n)
        return;
    const int prompt = (int)(i / j.bits_a_prompt);
    const uint32_t bit = (uint32_t)(i % j.bits_a_prompt);
    const float l0 = guide(j, 2 * i), l1 = guide(j, 2 * i + 1);

    if (j.fault && !(is_finite(l0) && is_finite(l1)))
        note_fault(j.fault + prompt, 1 + j.scale);
    if (j.guided) {
        j.guided[2 * i] = l0;
        j.guided[2 * i + 1] = l1;
    }
    j.bits[i] = draw(j, l0, l1, g.v[prompt], 2 * bit);
}

extern "C" skv_status skv_cuda_draw_bits(skv_backend *be, const skv_draw_bits_args *a)
{
    const int64_t prompts = a->bits.shape[0], each = a->bits.shape[1] * a->bits.shape[2];
    const float *logits = (const float *)a->logits.data;
    const bool guided = a->logits.shape[0] == 2 * prompts;

    for (int64_t first = 0; each > 0 && first < prompts; first += MAX_GENERATORS) {
        const int64_t n = prompts - first < MAX_GENERATORS ? prompts - first : MAX_GENERATORS;
        job j = {};
        generators g;

        for (int64_t b = 0; b < n; b++)
            g.v[b] = a->generator[first + b];
        j.bits = (uint8_t *)a->bits.data + first * each;
        j.guided = a->guided.data ? (float *)a->guided.data + 2 * first * each : NULL;
        j.fault = a->fault.data ? (int32_t *)a->fault.data + first : NULL;
        j.cond = logits + 2 * first * each;
        j.uncond = guided ? logits + 2 * (prompts + first) * each : NULL;
        j.n = n * each;
        j.offset = a->offset;
        j.threads = (uint32_t)a->threads;
        j.bits_a_prompt = (int)each;
        j.scale = a->scale;
        j.cfg = a->cfg;
        j.tau = a->tau;
        j.cut = (float)(1 - a->top_p);
        SKV_LAUNCH(be, draw_bits, (unsigned)div_up(j.n, BLOCK), BLOCK, 0, j, g);
    }
    return SKV_OK;
}
