/* AMS-KV (arXiv 2511.16047): the coarsest scales ("condensed") and the latest ones ("local") stay
 * whole, and demanding layers, whose keys change most between scales, keep more local scales than
 * the others. Known before anything runs: no queries. See src/cache/README.md, Policies.
 *
 * Guessed (ours): which layers are demanding is an option, as no list is published (the paper goes
 * by the cosine of a layer's keys on adjacent scales, below a threshold that is not known); layer 0
 * is the one that is in all of ScaleKV's released sets of drafters. The
 * number of local scales is not fixed: it is the largest for which all heads together hold the
 * budget, and what is left gives single heads one scale more, so that B tokens a layer mean what
 * they mean for the other policies. Where even the latest scale is too much for all heads, some
 * keep it and the others only the condensed scales. */
#include "cache/select.h"
#include "cache/source_scales.h"

struct skv_policy_state {
    skv_source_scales sources;
    int64_t condensed, more;
    skv_ints demanding;
    bool demands[SKV_MAX_DEPTH];
};

static const skv_option options[] = {
    SKV_OPTION(skv_policy_state, condensed, INT, "2", "first scales that stay whole", NULL),
    SKV_OPTION(skv_policy_state, demanding, INTS, "0", "layers that keep more of the last scales",
               NULL),
    SKV_OPTION(skv_policy_state, more, INT, "1", "how many scales more these layers keep", NULL),
    {.key = NULL},
};

/* What a head holds after scale si with the last `local` scales, of what it still has. */
static int32_t held_scales(const skv_policy_state *s, int layer, int head, int si, int local)
{
    const int32_t all = (2 << si) - 1, condensed = (1 << s->condensed) - 1;
    const int32_t had = si > 0 ? *skv_source_scales__of(&s->sources, layer, head, si - 1) : 0;
    const int32_t older = local > si ? 0 : local > 0 ? (1 << (si + 1 - local)) - 1 : all;

    return (had | 1 << si) & (condensed | (all & ~older));
}

/* Gives every head its scales after scale si, m of them or `more` than that; the tokens of all. */
static int64_t give_all(skv_policy_state *s, int si, int m)
{
    const skv_source_scales *src = &s->sources;
    int64_t n = 0;

    for (int layer = 0; layer < src->depth; layer++)
        for (int head = 0; head < src->heads; head++) {
            const int local = m + (s->demands[layer] ? (int)s->more : 0);
            const int32_t held = held_scales(s, layer, head, si, local);

            *skv_source_scales__of(src, layer, head, si) = held;
            n += skv_source_scales__tokens(src, held);
        }
    return n;
}

/* Gives single heads one scale more, as far as `left` tokens go: of demanding layers first, of
 * others then. */
static void give_rest(skv_policy_state *s, int si, int m, int64_t left)
{
    const skv_source_scales *src = &s->sources;

    for (int demanding = 1; demanding >= 0; demanding--)
        for (int i = 0; i < src->depth * src->heads; i++) {
            const int layer = i / src->heads, head = i % src->heads;
            const int local = m + (s->demands[layer] ? (int)s->more : 0);
            int32_t *held = skv_source_scales__of(src, layer, head, si);
            const int32_t wider = held_scales(s, layer, head, si, local > 0 ? local + 1 : 1);
            const int n = skv_source_scales__tokens(src, wider & ~*held);

            if (s->demands[layer] == (demanding == 1) && n <= left) {
                *held = wider;
                left -= n;
            }
        }
}

static void fill_table(skv_policy_state *s)
{
    const skv_source_scales *src = &s->sources;
    const int64_t limit = (int64_t)src->base * src->depth * src->heads;

    for (int si = 0; si < src->schedule.n_scales - 1; si++) {
        int m = si + 1;
        int64_t n = give_all(s, si, m);

        while (n > limit && m > -(int)s->more)
            n = give_all(s, si, --m);
        give_rest(s, si, m, limit - n);
    }
}

static skv_status fill(skv_policy_state *s, const skv_policy_setup *setup)
{
    const int last = setup->schedule->n_scales - 1, depth = setup->dims->depth;

    if (s->condensed < 1 || s->condensed >= last)
        return skv_fail(SKV_E_ARG, "condensed is %lld, want 1 to %d scales",
                        (long long)s->condensed, last - 1);
    if (s->more < 0 || s->more > last)
        return skv_fail(SKV_E_ARG, "more is %lld, want 0 to %d scales", (long long)s->more, last);
    if (setup->base < setup->schedule->start[s->condensed])
        return skv_fail(SKV_E_ARG, "%d tokens a layer do not hold the first %lld scales, want %d",
                        setup->base, (long long)s->condensed, setup->schedule->start[s->condensed]);
    for (int i = 0; i < s->demanding.n; i++) {
        const int64_t layer = s->demanding.value[i];

        if (layer < 0 || layer >= depth)
            return skv_fail(SKV_E_ARG, "demanding has layer %lld, want 0 to %d", (long long)layer,
                            depth - 1);
        s->demands[layer] = true;
    }
    SKV_TRY(skv_source_scales__init(&s->sources, setup));
    fill_table(s);
    return SKV_OK;
}

const skv_policy skv_policy_amskv = {
    .name = "amskv",
    .help = "AMS-KV: the first scales and the latest stay whole, more of them in some layers",
    .options = options,
    .state_bytes = sizeof(skv_policy_state),
    .fill = fill,
    .release = skv_source_scales__release,
    .capacity = skv_source_scales__capacity,
    .queries = skv_select__no_queries,
    .select = skv_source_scales__select,
    .scratch_bytes = skv_select__one_score_bytes,
    .base = skv_plain__base};
