/* kv_pop, kv_push: ragged heads, a block over the ring's end, heads that keep nothing; what is not
 * named stays. Pushed tokens bring their origin or get a new number, and are counted by it. */
#include "opcheck.h"

#include <string.h>

#define ROWS  2
#define HEADS 3
#define ROOM  9  /* tokens of a view */
#define PITCH 11 /* tokens between heads */
#define DIM   20
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
    float *ring_k, *ring_v, *ring_sum, *k, *v, *sum;
    int32_t *ring_origin, *origin, *keep;
    int32_t count[3];
    int64_t tokens; /* of a row */
} state;

static int32_t *numbers(opcheck *t, int64_t n, int32_t first)
{
    int32_t *x = opcheck_ints(t, n);

    for (int64_t i = 0; i < n; i++)
        x[i] = first + (int32_t)i;
    return x;
}

static void make(opcheck *t, const block *b, state *s, skv_kv_push_args *a)
{
    const int64_t n = ROWS * (HEADS + 1) * PITCH;

    s->tokens = (int64_t)b->len[0] + b->len[1] + b->len[2];
    s->ring_k = opcheck_normal(t, SLOTS * DIM, 1);
    s->ring_v = opcheck_normal(t, SLOTS * DIM, 1);
    s->ring_origin = numbers(t, SLOTS, 1000);
    s->k = opcheck_normal(t, n * DIM, 1);
    s->v = opcheck_normal(t, n * DIM, 1);
    s->origin = numbers(t, n, 0);
    s->ring_sum = opcheck_normal(t, SLOTS, 1);
    s->sum = opcheck_normal(t, n, 1);
    s->keep = opcheck_ints(t, ROWS * s->tokens);
    for (int64_t i = 0; i < ROWS * s->tokens; i++)
        s->keep[i] = (int32_t)((i * 5 + 2) % ROOM);
    a->at = b->at;
    a->len = b->len;
    a->ring_k = OPCHECK_F(t, t->be->kv, s->ring_k, SLOTS, DIM);
    a->ring_v = OPCHECK_F(t, t->be->kv, s->ring_v, SLOTS, DIM);
    a->ring_origin = OPCHECK_RAW(t, SKV_I32, s->ring_origin, SLOTS);
    a->k = OPCHECK_F(t, t->be->kv, s->k, ROWS, HEADS + 1, PITCH, DIM);
    a->v = OPCHECK_F(t, t->be->kv, s->v, ROWS, HEADS + 1, PITCH, DIM);
    a->origin = OPCHECK_RAW(t, SKV_I32, s->origin, ROWS, HEADS + 1, PITCH);
    a->ring_sum = OPCHECK_F(t, SKV_F32, s->ring_sum, SLOTS);
    a->sum = OPCHECK_F(t, SKV_F32, s->sum, ROWS, HEADS + 1, PITCH);
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

static void copy(float *to, const float *from)
{
    memcpy(to, from, DIM * sizeof *to);
}

static void push_one(state *s, int64_t slot, int64_t place, int64_t h, int32_t position)
{
    const int32_t origin = position < base[h] ? s->origin[place] : FIRST + position - base[h];

    copy(s->ring_k + slot * DIM, s->k + place * DIM);
    copy(s->ring_v + slot * DIM, s->v + place * DIM);
    s->ring_origin[slot] = origin;
    for (int e = 0; e < 3; e++)
        s->count[e] += origin >= edge[e] && origin < edge[e + 1];
}

static void pop_one(state *s, int64_t slot, int64_t place)
{
    copy(s->k + place * DIM, s->ring_k + slot * DIM);
    copy(s->v + place * DIM, s->ring_v + slot * DIM);
    s->origin[place] = s->ring_origin[slot];
}

static void move(const block *b, state *s, bool push, bool sums)
{
    int64_t number = 0;

    for (int64_t r = 0; r < ROWS; r++)
        for (int64_t h = 0; h < HEADS; h++)
            for (int64_t i = 0; i < b->len[h]; i++, number++) {
                const int64_t slot = (b->at + number) % SLOTS, view = (r * (HEADS + 1) + h) * PITCH;

                const int64_t place = view + (push ? s->keep[number] : i);

                if (push)
                    push_one(s, slot, place, h, s->keep[number]);
                else
                    pop_one(s, slot, place);
                if (sums && push)
                    s->ring_sum[slot] = s->sum[place];
                else if (sums)
                    s->sum[place] = s->ring_sum[slot];
            }
}

/* The values were rounded to the cache's type before, so copies of them are exact. */
static void same(opcheck *t, const char *name, skv_tensor x, const float *want)
{
    int64_t n;
    double *w;

    if (x.ndim == 4) {
        x.shape[1] = HEADS + 1;
        x.shape[2] = PITCH;
    }
    n = skv_tensor_count(&x);
    w = opcheck_doubles(t, n);
    for (int64_t i = 0; i < n; i++)
        w[i] = (double)want[i];
    opcheck_near(t, name, &x, w, NULL, 0);
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
                                 .at = a->at,
                                 .len = a->len};

    return push ? skv_kv_push(t->be, a) : skv_kv_pop(t->be, &pop);
}

static void move_case(opcheck *t, const block *b, bool push, bool sums)
{
    const skv_tensor none = {0};
    state s;
    skv_kv_push_args a = {0};
    skv_tensor whole, ring_sum, sum;

    opcheck_case(t, "%d, %d, %d tokens at %lld, %s sums", (int)b->len[0], (int)b->len[1],
                 (int)b->len[2], (long long)b->at, sums ? "with" : "without");
    make(t, b, &s, &a);
    ring_sum = a.ring_sum;
    sum = a.sum;
    if (!sums)
        a.ring_sum = a.sum = none;
    OPCHECK_RUN(t, run(t, &a, push));
    move(b, &s, push, sums);
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

static void check_move(opcheck *t, bool push)
{
    const block too_many = {0, {9, 9, 9}}, too_long = {0, {10, 0, 0}};
    const int32_t beyond[HEADS] = {0, ROOM + 1, 0};
    state s;
    skv_kv_push_args a = {0};

    if (t->perf)
        return;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        for (int sums = 0; sums < 2; sums++)
            move_case(t, &blocks[i], push, sums != 0);
    opcheck_case(t, "refusals");
    make(t, &too_many, &s, &a);
    opcheck_refused(t, "a block longer than the ring", run(t, &a, push));
    opcheck_case(t, "refusals");
    make(t, &too_long, &s, &a);
    opcheck_refused(t, "a head longer than the views", run(t, &a, push));
    opcheck_case(t, "refusals");
    make(t, &blocks[0], &s, &a);
    a.sum.data = NULL;
    opcheck_refused(t, "sums in the ring alone", run(t, &a, push));
    if (!push)
        return;
    opcheck_case(t, "refusals");
    make(t, &blocks[0], &s, &a);
    a.base = beyond;
    opcheck_refused(t, "a base beyond the views", run(t, &a, push));
    a.base = base;
    a.n_scales = 2;
    opcheck_refused(t, "more counts than scales", run(t, &a, push));
}

void check_kv_pop(opcheck *t)
{
    check_move(t, false);
}

void check_kv_push(opcheck *t)
{
    check_move(t, true);
}
