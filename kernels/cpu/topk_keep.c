/* The positions to keep: those kept always, and the highest scores among the others.
 *
 * A score becomes an integer that orders as the score does; the smallest one that is still chosen
 * is found digit by digit (radix select), and equal ones are taken from the lowest position. */
#include "kernels/cpu/cpu_internal.h"

#include <assert.h>
#include <string.h>

#define DIGIT_BITS 8
#define DIGITS     (1 << DIGIT_BITS)
#define TAKEN      0u /* rank of a position that is kept always; no score has it */

typedef struct {
    const skv_topk_keep_args *a;
} job;

/* Ascending with the score; -0 = +0; NaN below every number. */
static inline uint32_t rank_of(float score)
{
    uint32_t u;

    if (score != score)
        return 1;
    if (score == 0.0f)
        return 0x80000000u;
    memcpy(&u, &score, sizeof u);
    return (u & 0x80000000u) != 0 ? ~u : u | 0x80000000u;
}

/* The rank of the n-th greatest, 1 <= n <= number of ranks > TAKEN; *ties = how many of that very
 * rank belong to the first n. */
static uint32_t nth_greatest(const uint32_t *rank, int64_t len, int64_t n, int64_t *ties)
{
    uint32_t prefix = 0, mask = 0;

    for (int shift = 32 - DIGIT_BITS; shift >= 0; shift -= DIGIT_BITS) {
        int64_t count[DIGITS] = {0};
        int digit = DIGITS - 1;

        for (int64_t i = 0; i < len; i++)
            if ((rank[i] & mask) == prefix)
                count[rank[i] >> shift & (DIGITS - 1)]++;
        while (digit > 0 && n > count[digit])
            n -= count[digit--];
        prefix |= (uint32_t)digit << shift;
        mask |= (uint32_t)(DIGITS - 1) << shift;
    }
    *ties = n;
    return prefix;
}

static void choose(int32_t *keep, uint32_t *rank, const skv_topk_keep_args *a, int64_t len)
{
    const int64_t wanted = a->keep.shape[2] - a->n_always;
    int64_t kept = 0, ties = 0;
    uint32_t last = UINT32_MAX;
    int always = 0;

    for (int i = 0; i < a->n_always; i++)
        if (a->always[i] < len)
            rank[a->always[i]] = TAKEN;
    if (wanted > 0)
        last = nth_greatest(rank, len, wanted, &ties);
    for (int64_t i = 0; i < len; i++) {
        if (always < a->n_always && a->always[always] == i) {
            keep[kept++] = (int32_t)i;
            always++;
        } else if (rank[i] > last || (rank[i] == last && ties > 0)) {
            ties -= rank[i] == last;
            keep[kept++] = (int32_t)i;
        }
    }
    for (; always < a->n_always; always++)
        keep[kept++] = a->always[always];
    assert(kept == a->keep.shape[2]);
}

static void list(void *ctx, int64_t i, void *scratch)
{
    const skv_topk_keep_args *a = ((const job *)ctx)->a;
    const int64_t heads = a->s.shape[1], len = a->s.shape[2], r = i / heads, h = i % heads;
    const float *s = skv_f32(&a->s) + i * len;
    uint32_t *rank = scratch;

    for (int64_t p = 0; p < len; p++)
        rank[p] = rank_of(s[p]);
    choose((int32_t *)a->keep.data + r * a->keep.stride[0] + h * a->keep.stride[1], rank, a, len);
}

skv_status skv_cpu_topk_keep(skv_backend *be, const skv_topk_keep_args *a)
{
    job j = {.a = a};

    if ((size_t)a->s.shape[2] * sizeof(uint32_t) > SKV_CPU_SCRATCH)
        return skv_fail(SKV_E_UNSUPPORTED, "topk_keep: %lld scores are too many",
                        (long long)a->s.shape[2]);
    skv_cpu__parallel(be, a->s.shape[0] * a->s.shape[1], list, &j);
    return SKV_OK;
}
