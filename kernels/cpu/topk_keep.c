/* The positions to keep: those kept always, and the highest scores among the others.
 *
 * A score becomes an integer that orders as the score does; the smallest one that is still chosen
 * is found digit by digit (radix select), and equal ones are taken from the lowest position. */
#include "kernels/cpu/cpu_internal.h"
#include "kernels/ragged.h"

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

uint32_t skv_cpu__nth_greatest(const uint32_t *rank, int64_t len, int64_t n, int64_t *ties)
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

/* The places in a->always, to its end, that a head of `len` tokens keeps when it keeps n: returns
 * the first. */
static int first_always(const skv_topk_keep_args *a, int64_t len, int64_t n)
{
    int first = a->n_always > n ? a->n_always - (int)n : 0;

    while (first < a->n_always && a->always[first] > len)
        first++;
    return first;
}

/* n positions of a head of `len` tokens; rank: of those with a score. */
static void choose(int32_t *keep, uint32_t *rank, const skv_topk_keep_args *a, int64_t len,
                   int64_t n)
{
    const int64_t scored = len - a->unscored;
    int64_t kept = 0, ties = 0;
    uint32_t last = UINT32_MAX;
    int always = first_always(a, len, n);
    const int64_t wanted = n - (a->n_always - always);

    for (int i = always; i < a->n_always; i++)
        if (len - a->always[i] < scored)
            rank[len - a->always[i]] = TAKEN;
    if (wanted > 0)
        last = skv_cpu__nth_greatest(rank, scored, wanted, &ties);
    for (int64_t i = 0; i < scored; i++) {
        if (always < a->n_always && len - a->always[always] == i) {
            keep[kept++] = (int32_t)i;
            always++;
        } else if (rank[i] > last || (rank[i] == last && ties > 0)) {
            ties -= rank[i] == last;
            keep[kept++] = (int32_t)i;
        }
    }
    for (; always < a->n_always; always++)
        keep[kept++] = (int32_t)(len - a->always[always]);
    assert(kept == n);
}

static void list(void *ctx, int64_t i, void *scratch)
{
    const skv_topk_keep_args *a = ((const job *)ctx)->a;
    const int64_t r = i / a->heads, h = i % a->heads, scored = a->len[h] - a->unscored;
    const float *s = skv_f32(&a->s) + r * a->s.shape[1] + skv_ragged_start(a->len, h);
    int32_t *keep = (int32_t *)a->keep.data + r * a->keep.shape[1] + skv_ragged_start(a->n, h);
    uint32_t *rank = scratch;

    for (int64_t p = 0; p < scored; p++)
        rank[p] = rank_of(s[p]);
    choose(keep, rank, a, a->len[h], a->n[h]);
}

skv_status skv_cpu_topk_keep(skv_backend *be, const skv_topk_keep_args *a)
{
    const int64_t longest = skv_ragged_longest(a->len, a->heads);
    job j = {.a = a};

    if ((size_t)longest * sizeof(uint32_t) > SKV_CPU_SCRATCH)
        return skv_fail(SKV_E_UNSUPPORTED, "topk_keep: %lld scores are too many",
                        (long long)longest);
    skv_cpu__parallel(be, a->s.shape[0] * a->heads, list, &j);
    return SKV_OK;
}
