/* draw_bits: a thread a bit: temperature, guidance, top-p and the draw in one pass over the logits.
 *
 * The random number is a function of the bit's place (core/rng.h: Philox4x32-10), so no order
 * matters. Bound by bandwidth; exp and the comparison in double, as on the CPU. */
#include "kernels/cuda/device.cuh"

#define BLOCK     256
#define MAX_SEEDS 512

struct seeds {
    uint64_t v[MAX_SEEDS];
};

typedef struct {
    uint8_t *bits;
    float *guided;
    int32_t *fault;             /* NULL: not wanted */
    const float *cond, *uncond; /* uncond NULL: no guidance */
    int64_t n;                  /* bits of all prompts of this launch */
    int tokens, bits_a_token, scale;
    float cfg, tau;
    double cut; /* 1 - top_p */
} job;

__device__ float uniform(uint64_t seed, uint32_t scale, uint32_t token, uint32_t bit)
{
    uint32_t c[4] = {bit / 4, token, scale, 0};
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);

#pragma unroll
    for (int round = 0; round < 10; round++) {
        const uint64_t p0 = (uint64_t)0xD2511F53u * c[0], p1 = (uint64_t)0xCD9E8D57u * c[2];

        c[0] = (uint32_t)(p1 >> 32) ^ c[1] ^ k0;
        c[1] = (uint32_t)p1;
        c[2] = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;
        c[3] = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    const uint32_t word = bit % 4 == 0 ? c[0] : bit % 4 == 1 ? c[1] : bit % 4 == 2 ? c[2] : c[3];

    return (float)(word >> 8) * (1.0f / 16777216.0f);
}

/* No contraction: the logits are the CPU's to the last bit. */
__device__ __forceinline__ float guide(const job &j, int64_t at)
{
    const float l = j.cond[at] / j.tau;

    if (!j.uncond)
        return l;
    return __fadd_rn(__fmul_rn(j.cfg, l), __fmul_rn(1.0f - j.cfg, j.uncond[at] / j.tau));
}

__global__ __launch_bounds__(BLOCK) void draw_bits(job j, seeds seed)
{
    const int64_t i = (int64_t)blockIdx.x * BLOCK + threadIdx.x;

    if (i >= j.n)
        return;
    const uint32_t bit = (uint32_t)(i % j.bits_a_token);
    const int64_t place = i / j.bits_a_token;
    const float l0 = guide(j, 2 * i), l1 = guide(j, 2 * i + 1);
    const double p1 = 1.0 / (1.0 + exp((double)l0 - (double)l1));
    const double small = p1 < 0.5 ? p1 : 1.0 - p1;

    if (j.fault && !(is_finite(l0) && is_finite(l1)))
        note_fault(j.fault + place / j.tokens, 1 + j.scale);
    if (j.guided) {
        j.guided[2 * i] = l0;
        j.guided[2 * i + 1] = l1;
    }
    if (small <= j.cut && p1 != 0.5)
        j.bits[i] = p1 > 0.5;
    else
        j.bits[i] = (double)uniform(seed.v[place / j.tokens], (uint32_t)j.scale,
                                    (uint32_t)(place % j.tokens), bit) < p1;
}

extern "C" skv_status skv_cuda_draw_bits(skv_backend *be, const skv_draw_bits_args *a)
{
    const int64_t prompts = a->bits.shape[0], each = a->bits.shape[1] * a->bits.shape[2];
    const float *logits = (const float *)a->logits.data;
    const bool guided = a->logits.shape[0] == 2 * prompts;

    for (int64_t first = 0; each > 0 && first < prompts; first += MAX_SEEDS) {
        const int64_t n = prompts - first < MAX_SEEDS ? prompts - first : MAX_SEEDS;
        job j = {};
        seeds s;

        for (int64_t b = 0; b < n; b++)
            s.v[b] = a->seed[first + b];
        j.bits = (uint8_t *)a->bits.data + first * each;
        j.guided = a->guided.data ? (float *)a->guided.data + 2 * first * each : NULL;
        j.fault = a->fault.data ? (int32_t *)a->fault.data + first : NULL;
        j.cond = logits + 2 * first * each;
        j.uncond = guided ? logits + 2 * (prompts + first) * each : NULL;
        j.n = n * each;
        j.tokens = (int)a->bits.shape[1];
        j.bits_a_token = (int)a->bits.shape[2];
        j.scale = a->scale;
        j.cfg = a->cfg;
        j.tau = a->tau;
        j.cut = 1.0 - (double)a->top_p;
        SKV_LAUNCH(be, draw_bits, (unsigned)div_up(j.n, BLOCK), BLOCK, 0, j, s);
    }
    return SKV_OK;
}
