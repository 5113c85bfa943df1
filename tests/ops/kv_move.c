/* kv_pop, kv_push: ragged heads, a block over the ring's end, heads that keep nothing; what is not
 * named stays. Pushed tokens bring their origin or get a new number, and are counted by it. Rings
 * of codes, against a search through all codes. kv_gather: from views to views. channel_peaks: what
 * scales the codes. */
#include "opcheck.h"

#include <math.h>
#include <string.h>

#include "ref/ref.h"

#define ROWS  2
#define HEADS 3
#define ROOM  9  /* tokens of a view */
#define PITCH 11 /* tokens between heads */
#define DIM   24
#define PEAKS 2 /* scales that have peaks */
#define SLOTS 50
#define FIRST 77 /* number of the first token behind a head's base */

static const int32_t base[HEADS] = {4, 0, 9};
static const int32_t edge[4] = {0, 10, 79, 81}; /* numbers from 81 on are in no scale */
static const int32_t count[3] = {100, 200, 300};

typedef struct {
    int64_t at;
    int32_t len[HEADS];
} block;

static const block blocks[] = {
    {0, {1, 1, 1}}, {3, {4, 0, 9}}, {40, {5, 6, 7}}, {5 * SLOTS + 49, {9, 8, 8}}, {7, {0, 0, 0}},
};

/* Host copies; the views have a head and tokens more than are used. */
typedef struct {
    float *ring_k, *ring_v, *ring_sum, *k, *v, *sum, *peak;
    int32_t *ring_origin, *origin, *keep;
    int32_t count[3];
    int64_t tokens; /* of a row */
    skv_dtype ring; /* its type */
    int64_t dim;
} state;

/* How one is made. */
typedef struct {
    const block *at;
    skv_dtype ring;
    int64_t dim; /* at most DIM */
    bool sums;
} kind;

static int32_t *numbers(opcheck *t, int64_t n, int32_t first)
{
    int32_t *x = opcheck_ints(t, n);

    for (int64_t i = 0; i < n; i++)
        x[i] = first + (int32_t)i;
    return x;
}

/* Peaks of some channels: none, one that fills the range, one so small that its scale is the least,
 * and one that is not a number. */
static float *peaks_of(opcheck *t, int64_t dim)
{
    const int64_t n = ROWS * HEADS * PEAKS * dim;
    float *peak = opcheck_uniform(t, n, 0.5f, 6);

    for (int64_t i = 0; i < n; i += dim) {
        peak[i] = 0;
        peak[i + 1] = 1e30f;
        peak[i + 2] = 1e-37f;
        peak[i + 3] = i == 0 ? NAN : 4;
    }
    return peak;
}

static void make(opcheck *t, const kind *of, state *s, skv_kv_push_args *a)
{
    const int64_t n = ROWS * (HEADS + 1) * PITCH, dim = of->dim;
    const block *b = of->at;

    s->ring = of->ring;
    s->dim = dim;
    s->tokens = (int64_t)b->len[0] + b->len[1] + b->len[2];
    s->ring_k = opcheck_normal(t, SLOTS * dim, 60);
    s->ring_v = opcheck_normal(t, SLOTS * dim, 60);
    s->ring_origin = numbers(t, SLOTS, of->ring == t->be->kv ? 1000 : -5);
    s->k = opcheck_normal(t, n * dim, 0.3f);
    s->v = opcheck_normal(t, n * dim, 1);
    s->peak = peaks_of(t, dim);
    s->origin = numbers(t, n, 0);
    s->ring_sum = opcheck_normal(t, SLOTS, 1);
    s->sum = opcheck_normal(t, n, 1);
    s->keep = opcheck_ints(t, ROWS * s->tokens);
    for (int64_t i = 0; i < ROWS * s->tokens; i++)
        s->keep[i] = (int32_t)((i * 5 + 2) % ROOM);
    a->at = b->at;
    a->len = b->len;
    a->ring_k = OPCHECK_F(t, of->ring, s->ring_k, SLOTS, dim);
    a->ring_v = OPCHECK_F(t, of->ring, s->ring_v, SLOTS, dim);
    a->ring_origin = OPCHECK_RAW(t, SKV_I32, s->ring_origin, SLOTS);
    a->k = OPCHECK_F(t, t->be->kv, s->k, ROWS, HEADS + 1, PITCH, dim);
    a->v = OPCHECK_F(t, t->be->kv, s->v, ROWS, HEADS + 1, PITCH, dim);
    a->origin = OPCHECK_RAW(t, SKV_I32, s->origin, ROWS, HEADS + 1, PITCH);
    a->ring_sum = OPCHECK_F(t, SKV_F32, s->ring_sum, SLOTS);
    a->sum = OPCHECK_F(t, SKV_F32, s->sum, ROWS, HEADS + 1, PITCH);
    if (of->ring != t->be->kv)
        a->peak = OPCHECK_F(t, SKV_F32, s->peak, ROWS, HEADS, PEAKS, dim);
    a->keep = OPCHECK_RAW(t, SKV_I32, s->keep, ROWS, s->tokens);
    memcpy(s->count, count, sizeof count);
    a->count = OPCHECK_RAW(t, SKV_I32, s->count, 3);
    a->base = base;
    a->edge = edge;
    a->first = FIRST;
    a->n_scales = 3;
    a->k.shape[1] = a->v.shape[1] = a->origin.shape[1] = a->sum.shape[1] = HEADS;
    a->k.shape[2] = a->v.shape[2] = a->origin.shape[2] = a->sum.shape[2] = ROOM;
}

/* Peak of V's number d of a token; numbers of other scales than 0 count to the last with peaks. */
static float peak_of(const state *s, int64_t list, int32_t origin, int64_t d)
{
    return s->peak[(list * PEAKS + (origin >= edge[1])) * s->dim + d];
}

static float scale_of(const state *s, float peak)
{
    const float scale = peak / (s->ring == SKV_E4M3 ? 256.0f : 127.0f);

    return scale < 0x1p-126f ? 0x1p-126f : scale;
}

/* One vector into the ring, or out of it; peak by number d. `list` < 0: of K. */
static void move_vector(const state *s, float *to, const float *from, int64_t list, int32_t origin,
                        bool push)
{
    for (int64_t d = 0; d < s->dim; d++) {
        const float scale = scale_of(s, list < 0 ? 1.0f : peak_of(s, list, origin, d));
        const int e4m3 = s->ring == SKV_E4M3;

        if (s->ring != SKV_E4M3 && s->ring != SKV_I8)
            to[d] = from[d];
        else if (push)
            to[d] = (float)ref_byte_value(ref_byte((double)(from[d] * (1.0f / scale)), e4m3), e4m3);
        else
            to[d] = from[d] * scale;
    }
}

static void push_one(state *s, int64_t slot, int64_t place, int64_t list, int32_t position)
{
    const int64_t h = list % HEADS;
    const int32_t origin = position < base[h] ? s->origin[place] : FIRST + position - base[h];

    move_vector(s, s->ring_k + slot * s->dim, s->k + place * s->dim, -1, origin, true);
    move_vector(s, s->ring_v + slot * s->dim, s->v + place * s->dim, list, origin, true);
    s->ring_origin[slot] = origin;
    for (int e = 0; e < 3; e++)
        s->count[e] += origin >= edge[e] && origin < edge[e + 1];
}

static void pop_one(state *s, int64_t slot, int64_t place, int64_t list)
{
    const int32_t origin = s->ring_origin[slot];

    move_vector(s, s->k + place * s->dim, s->ring_k + slot * s->dim, -1, origin, false);
    move_vector(s, s->v + place * s->dim, s->ring_v + slot * s->dim, list, origin, false);
    s->origin[place] = origin;
}

static void move(const kind *of, state *s, bool push)
{
    int64_t number = 0;

    for (int64_t list = 0; list < ROWS * HEADS; list++)
        for (int64_t i = 0; i < of->at->len[list % HEADS]; i++, number++) {
            const int64_t slot = (of->at->at + number) % SLOTS;
            const int64_t view = (list / HEADS * (HEADS + 1) + list % HEADS) * PITCH;
            const int64_t place = view + (push ? s->keep[number] : i);

            if (push)
                push_one(s, slot, place, list, s->keep[number]);
            else
                pop_one(s, slot, place, list);
            if (of->sums && push)
                s->ring_sum[slot] = s->sum[place];
            else if (of->sums)
                s->sum[place] = s->ring_sum[slot];
        }
}

/* Inputs were rounded to the cache's type before, so copies of them are exact. */
static void same_all(opcheck *t, const char *name, const skv_tensor *x, const float *want)
{
    const int64_t n = skv_tensor_count(x);
    double *w = opcheck_doubles(t, n);

    for (int64_t i = 0; i < n; i++)
        w[i] = (double)want[i];
    opcheck_near(t, name, x, w, NULL, 0);
}

/* Of views also the head and the tokens that are not used. */
static void same(opcheck *t, const char *name, skv_tensor x, const float *want)
{
    if (x.ndim == 4) {
        x.shape[1] = HEADS + 1;
        x.shape[2] = PITCH;
    }
    same_all(t, name, &x, want);
}

static skv_status run(opcheck *t, const skv_kv_push_args *a, bool push)
{
    const skv_kv_pop_args pop = {.ring_k = a->ring_k,
                                 .ring_v = a->ring_v,
                                 .ring_origin = a->ring_origin,
                                 .ring_sum = a->ring_sum,
                                 .k = a->k,
                                 .v = a->v,
                                 .origin = a->origin,
                                 .sum = a->sum,
                                 .peak = a->peak,
                                 .at = a->at,
                                 .len = a->len,
                                 .edge = a->edge};

    return push ? skv_kv_push(t->be, a) : skv_kv_pop(t->be, &pop);
}

static void move_case(opcheck *t, const kind *of, bool push)
{
    const skv_tensor none = {0};
    const block *b = of->at;
    state s;
    skv_kv_push_args a = {0};
    skv_tensor whole, ring_sum, sum;

    opcheck_case(t, "%d, %d, %d tokens at %lld, %s of %d, %s sums", (int)b->len[0], (int)b->len[1],
                 (int)b->len[2], (long long)b->at, skv_dtype_name(of->ring), (int)of->dim,
                 of->sums ? "with" : "without");
    make(t, of, &s, &a);
    ring_sum = a.ring_sum;
    sum = a.sum;
    if (!of->sums)
        a.ring_sum = a.sum = none;
    OPCHECK_RUN(t, run(t, &a, push));
    move(of, &s, push);
    sum.shape[1] = HEADS + 1;
    sum.shape[2] = PITCH;
    opcheck_equal(t, "ring_sum", &ring_sum, s.ring_sum);
    opcheck_equal(t, "sum", &sum, s.sum);
    same(t, "ring_k", a.ring_k, s.ring_k);
    same(t, "ring_v", a.ring_v, s.ring_v);
    same(t, "k", a.k, s.k);
    same(t, "v", a.v, s.v);
    opcheck_equal(t, "ring_origin", &a.ring_origin, s.ring_origin);
    opcheck_equal(t, "count", &a.count, s.count);
    whole = a.origin;
    whole.shape[1] = HEADS + 1;
    whole.shape[2] = PITCH;
    opcheck_equal(t, "origin", &whole, s.origin);
}

/* What a ring of codes gives back is stored as the same codes. */
static void again(opcheck *t, skv_dtype ring)
{
    const block b = {3, {9, 9, 7}};
    const kind of = {&b, ring, DIM, false};
    int32_t bases[HEADS] = {9, 9, 9};
    state s;
    skv_kv_push_args a = {0};

    opcheck_case(t, "%s out and in again", skv_dtype_name(ring));
    make(t, &of, &s, &a);
    a.base = bases;
    for (int64_t i = 0, r = 0; r < ROWS; r++)
        for (int64_t h = 0; h < HEADS; h++)
            for (int32_t p = 0; p < b.len[h]; p++, i++)
                s.keep[i] = p;
    a.keep = OPCHECK_RAW(t, SKV_I32, s.keep, ROWS, s.tokens);
    a.peak = OPCHECK_F(t, SKV_F32, opcheck_uniform(t, ROWS * HEADS * PEAKS * DIM, 0.1f, 9), ROWS,
                       HEADS, PEAKS, DIM);
    opcheck_succeeded(t, run(t, &a, false));
    OPCHECK_RUN(t, run(t, &a, true));
    same(t, "ring_k", a.ring_k, s.ring_k);
    same(t, "ring_v", a.ring_v, s.ring_v);
}

static void move_refusals(opcheck *t, bool push)
{
    const block too_many = {0, {9, 9, 9}}, too_long = {0, {10, 0, 0}};
    const int32_t beyond[HEADS] = {0, ROOM + 1, 0};
    kind of = {&too_many, t->be->kv, DIM, true};
    state s;
    skv_kv_push_args a = {0};

    opcheck_case(t, "refusals");
    make(t, &of, &s, &a);
    opcheck_refused(t, "a block longer than the ring", run(t, &a, push));
    of.at = &too_long;
    make(t, &of, &s, &a);
    opcheck_refused(t, "a head longer than the views", run(t, &a, push));
    opcheck_case(t, "refusals");
    of.at = &blocks[0];
    make(t, &of, &s, &a);
    a.sum.data = NULL;
    opcheck_refused(t, "sums in the ring alone", run(t, &a, push));
    opcheck_case(t, "refusals");
    of.ring = SKV_I8;
    make(t, &of, &s, &a);
    a.ring_v.dtype = SKV_E4M3;
    opcheck_refused(t, "keys and values in different codes", run(t, &a, push));
    a.ring_v.dtype = SKV_I8;
    a.peak.data = NULL;
    opcheck_refused(t, "codes without peaks", run(t, &a, push));
    if (!push)
        return;
    opcheck_case(t, "refusals");
    of.ring = t->be->kv;
    make(t, &of, &s, &a);
    a.base = beyond;
    opcheck_refused(t, "a base beyond the views", run(t, &a, push));
    a.base = base;
    a.n_scales = 2;
    opcheck_refused(t, "more counts than scales", run(t, &a, push));
}

/* A layer of the 2B at batch 8, 10 %: 650 tokens a head, out of 1,674. */
static void move_speed(opcheck *t, skv_dtype ring, bool push)
{
    enum { R = 16, H = 16, N = 650, ALL = 1674, D = 128, J = 2 };
    const int64_t slots = R * H * N, n = R * H * ALL;
    const int32_t edges[J + 1] = {0, 300, ALL};
    skv_kv_push_args a = {.first = N, .n_scales = J, .edge = edges};
    int32_t *len, *keep;

    opcheck_case(t, "%s, 16 rows of 16 heads, 650 tokens", skv_dtype_name(ring));
    len = opcheck_ints(t, H);
    keep = opcheck_ints(t, slots);
    for (int h = 0; h < H; h++)
        len[h] = N;
    for (int64_t i = 0; i < slots; i++)
        keep[i] = (int32_t)(i % N * ALL / N);
    a.len = a.base = len;
    a.ring_k = OPCHECK_F(t, ring, opcheck_floats(t, slots * D), slots, D);
    a.ring_v = OPCHECK_F(t, ring, opcheck_floats(t, slots * D), slots, D);
    a.ring_origin = OPCHECK_RAW(t, SKV_I32, opcheck_ints(t, slots), slots);
    a.keep = OPCHECK_RAW(t, SKV_I32, keep, R, H * N);
    a.count = OPCHECK_RAW(t, SKV_I32, opcheck_ints(t, J), J);
    a.k = OPCHECK_F(t, t->be->kv, opcheck_floats(t, n * D), R, H, ALL, D);
    a.v = OPCHECK_F(t, t->be->kv, opcheck_floats(t, n * D), R, H, ALL, D);
    a.origin = OPCHECK_RAW(t, SKV_I32, opcheck_ints(t, n), R, H, ALL);
    if (ring != t->be->kv)
        a.peak = OPCHECK_F(t, SKV_F32, opcheck_uniform(t, R * H * J * D, 1, 2), R, H, J, D);
    t->bytes = (size_t)slots * D * 2 * (skv_dtype_bytes(ring) + skv_dtype_bytes(t->be->kv));
    OPCHECK_RUN(t, run(t, &a, push));
}

static void check_move(opcheck *t, bool push)
{
    const skv_dtype rings[] = {t->be->kv, SKV_E4M3, SKV_I8};

    for (int i = 0; t->perf && i < 3; i++)
        move_speed(t, rings[i], push);
    if (t->perf)
        return;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        for (int ring = 0; ring < 3; ring++)
            for (int sums = 0; sums < 2; sums++) /* words of 16 bytes, and less */
                move_case(t, &(kind){&blocks[i], rings[ring], sums ? 24 : 20, sums != 0}, push);
    again(t, SKV_E4M3);
    again(t, SKV_I8);
    move_refusals(t, push);
}

void check_kv_pop(opcheck *t)
{
    check_move(t, false);
}

void check_kv_push(opcheck *t)
{
    check_move(t, true);
}

/* ----------------------------------------------------------------------- kv_gather */

static void gather_case(opcheck *t, const block *b, int64_t dim)
{
    const int64_t room = 10, n = ROWS * (HEADS + 1) * room * dim;
    const kind of = {b, t->be->kv, dim, false};
    int32_t beyond[HEADS] = {0, (int32_t)room + 1, 0};
    skv_kv_push_args from = {0};
    skv_kv_gather_args a = {.n = b->len};
    float *k_to, *v_to;
    state s;

    opcheck_case(t, "%d, %d, %d tokens of %d", (int)b->len[0], (int)b->len[1], (int)b->len[2],
                 (int)dim);
    make(t, &of, &s, &from);
    k_to = opcheck_normal(t, n, 1);
    v_to = opcheck_normal(t, n, 1);
    a.k = from.k;
    a.v = from.v;
    a.keep = from.keep;
    a.k_to = OPCHECK_F(t, t->be->kv, k_to, ROWS, HEADS + 1, room, dim);
    a.v_to = OPCHECK_F(t, t->be->kv, v_to, ROWS, HEADS + 1, room, dim);
    a.k_to.shape[1] = a.v_to.shape[1] = HEADS;
    OPCHECK_RUN(t, skv_kv_gather(t->be, &a));
    for (int64_t list = 0, number = 0; list < ROWS * HEADS; list++)
        for (int64_t i = 0; i < b->len[list % HEADS]; i++, number++) {
            const int64_t view = list / HEADS * (HEADS + 1) + list % HEADS;
            const int64_t to = (view * room + i) * dim;
            const int64_t place = (view * PITCH + s.keep[number]) * dim;

            memcpy(k_to + to, s.k + place, (size_t)dim * sizeof *k_to);
            memcpy(v_to + to, s.v + place, (size_t)dim * sizeof *v_to);
        }
    a.k_to.shape[1] = a.v_to.shape[1] = HEADS + 1;
    same_all(t, "k_to", &a.k_to, k_to);
    same_all(t, "v_to", &a.v_to, v_to);
    a.k_to.shape[1] = a.v_to.shape[1] = HEADS;
    a.n = beyond;
    opcheck_refused(t, "a head longer than its room", skv_kv_gather(t->be, &a));
}

void check_kv_gather(opcheck *t)
{
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        gather_case(t, &blocks[i], 24); /* words of 16 bytes */
        gather_case(t, &blocks[i], 5);
    }
}

/* ------------------------------------------------------------------- channel_peaks */

static void peaks_case(opcheck *t, int64_t tokens, int64_t dim)
{
    const int64_t room = tokens + 10, n = ROWS * (HEADS + 1) * room * dim;
    skv_channel_peaks_args a = {.base = base, .tokens = (int)tokens};
    float *v, *peak;
    skv_tensor whole;

    opcheck_case(t, "%lld tokens of %lld", (long long)tokens, (long long)dim);
    v = opcheck_normal(t, n, 1);
    peak = opcheck_floats(t, ROWS * HEADS * 3 * dim);
    v[(base[0] + tokens - 1) * dim + 1] = NAN;
    a.v = OPCHECK_F(t, t->be->kv, v, ROWS, HEADS + 1, room, dim);
    a.v.shape[1] = HEADS;
    a.peak = OPCHECK_F(t, SKV_F32, peak, ROWS, HEADS, 3, dim);
    whole = a.peak;
    for (int64_t list = 0; list < ROWS * HEADS; list++)
        for (int64_t d = 0; d < dim; d++) {
            const int64_t head = list / HEADS * (HEADS + 1) + list % HEADS;
            float *to = peak + (list * 3 + 1) * dim + d; /* the second of three */

            for (int64_t i = base[list % HEADS]; i < base[list % HEADS] + tokens; i++) {
                const float x = fabsf(v[(head * room + i) * dim + d]);

                *to = isnan(x) || x > *to ? x : *to;
            }
        }
    a.peak.data = (float *)a.peak.data + dim;
    a.peak.ndim = 3;
    a.peak.shape[2] = dim;
    a.peak.stride[2] = 1;
    OPCHECK_RUN(t, skv_channel_peaks(t->be, &a));
    same(t, "peak", SKV_RESHAPE(&whole, ROWS * HEADS * 3, dim), peak);
}

/* The largest map that is cached: the 2B at 1024². */
static void peaks_speed(opcheck *t)
{
    enum { R = 16, H = 16, N = 2304, D = 128 };
    const int32_t none[H] = {0};
    skv_channel_peaks_args a = {.base = none, .tokens = N};

    opcheck_case(t, "16 rows of 16 heads, 2304 tokens");
    a.v = OPCHECK_F(t, t->be->kv, opcheck_floats(t, (int64_t)R * H * N * D), R, H, N, D);
    a.peak = OPCHECK_F(t, SKV_F32, opcheck_floats(t, R * H * D), R, H, D);
    OPCHECK_RUN(t, skv_channel_peaks(t->be, &a));
}

void check_channel_peaks(opcheck *t)
{
    static const int64_t sizes[][2] = {{1, 24}, {7, 20}, {33, 64}, {300, 96}, {41, 6}};
    skv_channel_peaks_args a = {.base = base, .tokens = 2};

    if (t->perf) {
        peaks_speed(t);
        return;
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        peaks_case(t, sizes[i][0], sizes[i][1]);
    opcheck_case(t, "refusals");
    a.v = OPCHECK_F(t, t->be->kv, opcheck_floats(t, HEADS * 10 * 8), 1, HEADS, 10, 8);
    a.peak = OPCHECK_F(t, SKV_F32, opcheck_floats(t, HEADS * 8), 1, HEADS, 8);
    opcheck_refused(t, "a map beyond the views", skv_channel_peaks(t->be, &a));
    a.tokens = 1;
    a.peak.shape[2] = 4;
    opcheck_refused(t, "too few channels", skv_channel_peaks(t->be, &a));
}
