/* draw_bits: guided logits against double, and every bit against the rule on these logits. */
#include "opcheck.h"

#include <math.h>

#define ROUNDINGS 12 /* fp32: two numbers q, exp, sum, two divisions a value */

typedef struct {
    int64_t prompts, tokens, bits, threads;
    float cfg, tau;
    double top_p;
    bool guidance, want_guided;
} shape;

static const shape shapes[] = {
    {1, 1, 1, 256, 1, 1, 1, false, true},       {2, 5, 16, 256, 3, 0.5f, 0.97, true, true},
    {3, 33, 32, 2304, 4, 1, 0.97, true, false}, {2, 17, 7, 256, 1, 2, 0.9, false, false},
    {1, 64, 64, 512, 1.5f, 1, 0.6, true, true}, /* lanes and calls beyond the first */
    {1, 8, 8, 256, 1, 1, 0, false, true},
};

/* 1 or 0, or 2 where rounding may decide either way; q: the exponential numbers of both values. */
static int bit_of(const shape *s, const double l[2], double error, const float q[2])
{
    const double d = l[1] - l[0], small = 1 / (1 + exp(fabs(d))), edge = 1 - s->top_p;
    const double gap = d - log((double)q[1] / (double)q[0]);

    if (l[0] != l[1]) {
        if (fabs(small - edge) <= error) /* p's slope is at most 1/4 */
            return 2;
        if (small < edge)
            return d > 0;
    }
    return fabs(gap) <= error + ROUNDINGS * OPCHECK_UNIT ? 2 : gap > 0;
}

static void compare(opcheck *t, const shape *s, const float *x, const skv_draw_bits_args *a)
{
    const int64_t n = s->prompts * s->tokens * s->bits;
    double *want = opcheck_doubles(t, 2 * n), *size = opcheck_doubles(t, 2 * n);
    uint8_t *have = opcheck_u8s(t, n), *bits = opcheck_u8s(t, n);
    int64_t unsure = 0;

    opcheck_succeeded(t, skv_backend_download(t->be, have, a->bits.data, (size_t)n));
    for (int64_t i = 0; i < n; i++) {
        const int64_t each = s->bits * s->tokens, b = i / each, number = 2 * (i % each);
        const skv_generator g = {a->generator[b].seed, a->generator[b].offset + a->offset};
        const float q[2] = {skv_torch_exponential(&g, a->threads, number),
                            skv_torch_exponential(&g, a->threads, number + 1)};
        int bit;

        for (int64_t k = 2 * i; k < 2 * i + 2; k++) {
            const double c = (double)x[k] / (double)s->tau;
            const double u = s->guidance ? (double)x[2 * n + k] / (double)s->tau : 0;
            const double cfg = s->guidance ? (double)s->cfg : 1;

            want[k] = cfg * c + (1 - cfg) * u;
            size[k] = fabs(cfg * c) + fabs((1 - cfg) * u);
        }
        bit = bit_of(s, want + 2 * i, 4 * OPCHECK_UNIT * (size[2 * i] + size[2 * i + 1] + 1), q);
        unsure += bit == 2;
        bits[i] = bit == 2 ? have[i] & 1 : (uint8_t)bit;
    }
    opcheck_equal(t, "bits", &a->bits, bits);
    if (unsure > 2 + n / 100)
        opcheck_refused(t, "too many bits that either value would suit", SKV_OK);
    /* quotient, 1 - cfg, product and sum are rounded */
    if (s->want_guided)
        opcheck_near(t, "guided", &a->guided, want, size, 4 * OPCHECK_UNIT);
}

/* A GPU draws the CPU's bits by the CPU's logits. */
static void same_as_cpu(opcheck *t, const shape *s, float *x, const skv_draw_bits_args *gpu)
{
    const int64_t n = s->prompts * s->tokens * s->bits;
    uint8_t *bits = opcheck_u8s(t, n);
    float *guided = opcheck_unset(t, 2 * n);
    skv_draw_bits_args a = *gpu;
    skv_backend *cpu;

    if (t->be->device == SKV_HOST)
        return;
    a.bits.data = bits;
    a.logits.data = x;
    a.fault.data = NULL;
    a.guided = SKV_TENSOR(guided, SKV_F32, SKV_HOST, s->prompts, s->tokens, s->bits, 2);
    a.bits.device = a.logits.device = SKV_HOST;
    opcheck_succeeded(t, skv_backend_open_cpu(&cpu, 2));
    opcheck_succeeded(t, skv_draw_bits(cpu, &a));
    skv_backend_destroy(cpu);
    opcheck_equal(t, "bits of a CPU", &gpu->bits, bits);
    if (s->want_guided)
        opcheck_equal(t, "guided logits of a CPU", &gpu->guided, guided);
}

static void draw_case(opcheck *t, const shape *s)
{
    const skv_generator generator[3] = {{5, 0}, {0xfedcba9876543210u, 12}, {0, 0x3fffffffcu}};
    const int64_t n = s->prompts * s->tokens * s->bits, rows = s->prompts * (s->guidance ? 2 : 1);
    float *x;
    skv_draw_bits_args a = {.generator = generator,
                            .offset = 8,
                            .threads = s->threads,
                            .cfg = s->cfg,
                            .tau = s->tau,
                            .top_p = s->top_p,
                            .scale = 3};

    opcheck_case(t, "(%lld,%lld,%lld) cfg %g tau %g top-p %g%s", (long long)s->prompts,
                 (long long)s->tokens, (long long)s->bits, (double)s->cfg, (double)s->tau,
                 (double)s->top_p, s->guidance ? " guided" : "");
    x = opcheck_normal(t, rows * s->tokens * 2 * s->bits, 1);
    x[0] = x[1] = 0.5f; /* equal logits: top-p may not drop both */
    if (s->guidance)
        x[2 * n] = x[2 * n + 1] = -1;
    a.logits = OPCHECK_F(t, SKV_F32, x, rows, s->tokens, 2 * s->bits);
    a.bits = OPCHECK_RAW(t, SKV_U8, opcheck_u8s(t, n), s->prompts, s->tokens, s->bits);
    if (s->want_guided)
        a.guided =
            OPCHECK_F(t, SKV_F32, opcheck_unset(t, 2 * n), s->prompts, s->tokens, s->bits, 2);
    a.fault = OPCHECK_RAW(t, SKV_I32, opcheck_ints(t, s->prompts), s->prompts);
    OPCHECK_RUN(t, skv_draw_bits(t->be, &a));
    if (t->perf)
        return;
    compare(t, s, x, &a);
    same_as_cpu(t, s, x, &a);
    opcheck_equal(t, "fault", &a.fault, opcheck_ints(t, s->prompts));
    a.fault.shape[0]++;
    opcheck_refused(t, "a fault too many", skv_draw_bits(t->be, &a));
    a.fault.shape[0]--;
    a.threads++;
    opcheck_refused(t, "an odd number of threads", skv_draw_bits(t->be, &a));
    a.threads--;
    a.tau = 0;
    opcheck_refused(t, "tau 0", skv_draw_bits(t->be, &a));
    a.tau = 1;
    a.logits.shape[0] = 3 * s->prompts;
    opcheck_refused(t, "three rows a prompt", skv_draw_bits(t->be, &a));
}

/* One logit each of four prompts of six is not finite, conditional or not; one of them has a fault
 * already. All other bits are as if nothing were. */
static void fault_case(opcheck *t)
{
    enum { PROMPTS = 6, TOKENS = 37, BITS = 16, EACH = TOKENS * BITS, N = PROMPTS * EACH };
    static const struct {
        int prompt, bit;
        bool uncond;
        float value;
    } bad[] = {{1, EACH - 1, false, NAN},
               {2, 0, true, INFINITY},
               {4, 5 * BITS + 3, false, -INFINITY},
               {5, EACH / 2, true, NAN}};
    const skv_generator generator[PROMPTS] = {{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {6, 0}};
    const int32_t before[PROMPTS] = {0, 0, 0, 0, 0, 2}, after[PROMPTS] = {0, 8, 8, 0, 8, 2};
    skv_draw_bits_args a = {
        .generator = generator, .threads = 1280, .cfg = 3, .tau = 1, .top_p = 0.97, .scale = 7};
    uint8_t *calm, *spoiled;
    float *x;

    opcheck_case(t, "not finite");
    calm = opcheck_u8s(t, N);
    spoiled = opcheck_u8s(t, N);
    x = opcheck_normal(t, 4 * N, 1);
    a.bits = OPCHECK_RAW(t, SKV_U8, calm, PROMPTS, TOKENS, BITS);
    a.logits = OPCHECK_F(t, SKV_F32, x, 2 * PROMPTS, TOKENS, 2 * BITS);
    opcheck_succeeded(t, skv_draw_bits(t->be, &a)); /* no faults wanted */
    opcheck_succeeded(t, skv_backend_download(t->be, calm, a.bits.data, N));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        x[2 * (N * bad[i].uncond + EACH * bad[i].prompt + bad[i].bit) + 1] = bad[i].value;
    a.logits = OPCHECK_F(t, SKV_F32, x, 2 * PROMPTS, TOKENS, 2 * BITS);
    a.fault = OPCHECK_RAW(t, SKV_I32, before, PROMPTS);
    OPCHECK_RUN(t, skv_draw_bits(t->be, &a));
    opcheck_succeeded(t, skv_backend_download(t->be, spoiled, a.bits.data, N));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        calm[EACH * bad[i].prompt + bad[i].bit] = spoiled[EACH * bad[i].prompt + bad[i].bit] & 1;
    opcheck_equal(t, "bits", &a.bits, calm);
    opcheck_equal(t, "fault", &a.fault, after);
}

void check_draw_bits(opcheck *t)
{
    if (t->perf) {
        draw_case(t, &(shape){2, 4096, 32, 262144, 4, 1, 0.97, true, false});
        return;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        draw_case(t, &shapes[i]);
    fault_case(t);
}
