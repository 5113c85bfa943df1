#include "calibrate/held_tokens.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "arch/dims.h"
#include "core/mem.h"

struct skv_held {
    skv_schedule schedule;
    int layers, heads, max_rows;
    size_t offset[SKV_MAX_SCALES]; /* of the bits after the cut of each scale */
    int told[SKV_MAX_DEPTH];       /* cuts of each layer whose bits are set */
    uint8_t *bits;
};

/* Bytes of one head's bits after the cut of scale si; si -1: before the first scale. */
static size_t head_bytes(const skv_held *h, int si)
{
    return ((size_t)h->schedule.start[si + 1] + 7) / 8;
}

static uint8_t *head_bits(const skv_held *h, int layer, int si, int row, int head)
{
    const size_t place =
        ((size_t)layer * (size_t)h->max_rows + (size_t)row) * (size_t)h->heads + (size_t)head;

    return h->bits + h->offset[si] + place * head_bytes(h, si);
}

static bool has(const uint8_t *bits, int token)
{
    return bits[token / 8] >> token % 8 & 1;
}

skv_status skv_held_create(skv_held **out, const skv_schedule *schedule, int layers, int heads,
                           int max_rows)
{
    const size_t n_heads = (size_t)layers * (size_t)heads * (size_t)max_rows;
    skv_held *h = NULL;
    size_t bytes = 0;
    skv_status st;

    assert(layers <= SKV_MAX_DEPTH);
    SKV_TRY(skv_alloc(&h, 1, sizeof *h, "kept tokens"));
    h->schedule = *schedule;
    h->layers = layers;
    h->heads = heads;
    h->max_rows = max_rows;
    for (int si = 0; si < schedule->n_scales - 1; si++) {
        h->offset[si] = bytes;
        bytes += n_heads * head_bytes(h, si);
    }
    st = skv_alloc(&h->bits, bytes, 1, "kept tokens");
    if (st == SKV_OK)
        *out = h;
    else
        free(h);
    return st;
}

void skv_held_destroy(skv_held *h)
{
    if (!h)
        return;
    free(h->bits);
    free(h);
}

void skv_held_begin(skv_held *h)
{
    memset(h->told, 0, sizeof h->told);
}

/* What was held before, and the map of scale si. */
static void keep_all(skv_held *h, int layer, int si)
{
    const int start = h->schedule.start[si], end = h->schedule.start[si + 1];

    for (int row = 0; row < h->max_rows; row++)
        for (int head = 0; head < h->heads; head++) {
            uint8_t *now = head_bits(h, layer, si, row, head);

            memset(now, 0, head_bytes(h, si));
            if (si > 0)
                memcpy(now, head_bits(h, layer, si - 1, row, head), head_bytes(h, si - 1));
            for (int token = start; token < end; token++)
                now[token / 8] |= (uint8_t)(1U << token % 8);
        }
}

/* Up to, and without, the cut of scale si. */
static void keep_all_before(skv_held *h, int layer, int si)
{
    while (h->told[layer] < si)
        keep_all(h, layer, h->told[layer]++);
}

/* `now` has a bit for each token of the cache before the cut: those at the n positions stay. */
static skv_status cut_head(uint8_t *now, int n_tokens, const int32_t *position, int n)
{
    int place = 0, found = 0;

    for (int token = 0; token < n_tokens; token++) {
        if (!has(now, token))
            continue;
        if (found < n && position[found] == place)
            found++;
        else
            now[token / 8] &= (uint8_t) ~(1U << token % 8);
        place++;
    }
    return found == n ? SKV_OK
                      : skv_fail(SKV_E_SHAPE, "kept position %d is not in a cache of %d tokens",
                                 position[found], place);
}

skv_status skv_held_cut(skv_held *h, int layer, int si, int n_rows, const int32_t *position,
                        const int32_t *n)
{
    assert(h->told[layer] <= si && si < h->schedule.n_scales - 1 && n_rows <= h->max_rows);
    keep_all_before(h, layer, si + 1);
    for (int row = 0; row < n_rows; row++)
        for (int head = 0; head < h->heads; head++) {
            SKV_TRY(cut_head(head_bits(h, layer, si, row, head), h->schedule.start[si + 1],
                             position, n[head]));
            position += n[head];
        }
    return SKV_OK;
}

void skv_held_end(skv_held *h)
{
    for (int layer = 0; layer < h->layers; layer++)
        keep_all_before(h, layer, h->schedule.n_scales - 1);
}

double skv_held_sum(const skv_held *h, int layer, int si, int row, int head, const double *column)
{
    const int start = h->schedule.start[si], end = h->schedule.start[si + 1];
    const uint8_t *bits = si > 0 ? head_bits(h, layer, si - 1, row, head) : NULL;
    double sum = 0;

    for (int token = 0; token < start; token++)
        sum += has(bits, token) ? column[token] : 0;
    for (int token = start; token < end; token++)
        sum += column[token];
    return sum;
}
