#include "calibrate/drafter_choice.h"

#include <stdlib.h>
#include <string.h>

const char *const skv_draft_rule_names[] = {"count", "gap", "layers", NULL};

typedef struct {
    double z;
    int si, layer;
} pair;

static int by_score(const void *a, const void *b)
{
    const pair *x = a, *y = b;

    if (x->z != y->z)
        return x->z < y->z ? -1 : 1;
    return x->si != y->si ? x->si - y->si : x->layer - y->layer;
}

/* How many of the n sorted come before the largest gap in their lower half; the first of equal
 * gaps. */
static int before_gap(const pair *p, int n)
{
    double widest = -1;
    int at = n > 0;

    for (int i = 1; i <= n / 2; i++)
        if (p[i].z - p[i - 1].z > widest) {
            widest = p[i].z - p[i - 1].z;
            at = i;
        }
    return at;
}

/* Pairs, or (for the rule of whole layers) layers with their mean score. */
static int list_pairs(pair *p, const skv_asi *asi, const skv_draft_choice *c)
{
    const int scales = asi->scales - c->first;
    int n = 0;

    if (c->rule == SKV_DRAFT_LAYERS) {
        for (; n < asi->layers && scales > 0; n++) {
            p[n] = (pair){.layer = n};
            for (int si = c->first; si < asi->scales; si++)
                p[n].z += asi->z[si][n] / scales;
        }
        return n;
    }
    for (int si = c->first; si < asi->scales; si++)
        for (int l = 0; l < asi->layers; l++)
            p[n++] = (pair){asi->z[si][l], si, l};
    return n;
}

skv_status skv_drafters_choose(skv_drafters *out, const skv_asi *asi, const skv_draft_choice *c)
{
    pair p[SKV_MAX_SCALES * SKV_MAX_DEPTH];
    const int n = list_pairs(p, asi, c);
    const bool by_gap = c->rule == SKV_DRAFT_GAP || (c->rule == SKV_DRAFT_LAYERS && c->count == 0);
    int chosen = c->count;

    *out = (skv_drafters){{0}};
    if (!by_gap && c->count > n)
        return skv_fail(SKV_E_ARG, "--drafter-count %d: there are %d %s", c->count, n,
                        c->rule == SKV_DRAFT_LAYERS ? "layers" : "pairs of a layer and a scale");
    qsort(p, (size_t)n, sizeof *p, by_score);
    if (by_gap)
        chosen = before_gap(p, n);
    for (int i = 0; i < chosen; i++) {
        const uint64_t bit = (uint64_t)1 << p[i].layer;

        if (c->rule != SKV_DRAFT_LAYERS)
            out->layers[p[i].si - 1] |= bit;
        for (int si = c->first; c->rule == SKV_DRAFT_LAYERS && si < asi->scales; si++)
            out->layers[si - 1] |= bit;
    }
    return SKV_OK;
}

int skv_first_on_cut(const skv_schedule *s, int base)
{
    int si = 1;

    while (si < s->n_scales && s->start[si] <= base)
        si++;
    return si;
}

static int count_bits(uint64_t bits)
{
    int n = 0;

    for (; bits; bits &= bits - 1)
        n++;
    return n;
}

int skv_drafters_count(const skv_drafters *a, int first, int n_scales)
{
    int n = 0;

    for (int si = first; si < n_scales; si++)
        n += count_bits(a->layers[si - 1]);
    return n;
}

double skv_drafters_overlap(const skv_drafters *a, const skv_drafters *b, int first, int n_scales)
{
    int both = 0, either = 0;

    for (int si = first; si < n_scales; si++) {
        both += count_bits(a->layers[si - 1] & b->layers[si - 1]);
        either += count_bits(a->layers[si - 1] | b->layers[si - 1]);
    }
    return either > 0 ? (double)both / either : 1;
}
