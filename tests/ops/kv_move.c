/* kv_pop, kv_push, origin_fill, count_sources: ragged heads, a block over the ring's end, heads
 * that keep nothing; what is not named stays. */
#include "opcheck.h"

#include <string.h>

#define ROWS  2
#define HEADS 3
#define ROOM  9  /* tokens of a view */
#define PITCH 11 /* tokens between heads */
#define DIM   20
#define SLOTS 50

typedef struct {
    int64_t at;
    int32_t len[HEADS];
} block;

static const block blocks[] = {
    {0, {1, 1, 1}}, {3, {4, 0, 9}}, {40, {5, 6, 7}}, {5 * SLOTS + 49, {9, 8, 8}}, {7, {0, 0, 0}},
};

/* Host copies; the views have a head and tokens more than are used. */
typedef struct {
    float *ring_k, *ring_v, *k, *v;
    int32_t *ring_origin, *origin, *keep;
    int64_t tokens; /* of a row */
} state;

static int32_t *numbers(opcheck *t, int64_t n, int32_t first)
{
    int32_t *x = opcheck_ints(t, n);

    for (int64_t i = 0; i < n; i++)
        x[i] = first + (int32_t)i;
    return x;
}

static void make(opcheck *t, const block *b, state *s, skv_kv_move_args *a)
{
    const int64_t n = ROWS * (HEADS + 1) * PITCH;

    s->tokens = (int64_t)b->len[0] + b->len[1] + b->len[2];
    s->ring_k = opcheck_normal(t, SLOTS * DIM, 1);
    s->ring_v = opcheck_normal(t, SLOTS * DIM, 1);
    s->ring_origin = numbers(t, SLOTS, 1000);
    s->k = opcheck_normal(t, n * DIM, 1);
    s->v = opcheck_normal(t, n * DIM, 1);
    s->origin = numbers(t, n, 0);
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
    a->keep = OPCHECK_RAW(t, SKV_I32, s->keep, ROWS, s->tokens);
    a->k.shape[1] = a->v.shape[1] = a->origin.shape[1] = HEADS;
    a->k.shape[2] = a->v.shape[2] = a->origin.shape[2] = ROOM;
}

static void move_one(state *s, int64_t slot, int64_t place, bool push)
{
    const size_t bytes = DIM * sizeof(float);

    memcpy(push ? s->ring_k + slot * DIM : s->k + place * DIM,
           push ? s->k + place * DIM : s->ring_k + slot * DIM, bytes);
    memcpy(push ? s->ring_v + slot * DIM : s->v + place * DIM,
           push ? s->v + place * DIM : s->ring_v + slot * DIM, bytes);
    if (push)
        s->ring_origin[slot] = s->origin[place];
    else
        s->origin[place] = s->ring_origin[slot];
}

static void move(const block *b, state *s, bool push)
{
    int64_t number = 0;

    for (int64_t r = 0; r < ROWS; r++)
        for (int64_t h = 0; h < HEADS; h++)
            for (int64_t i = 0; i < b->len[h]; i++, number++) {
                const int64_t position = push ? s->keep[number] : i;

                move_one(s, (b->at + number) % SLOTS, (r * (HEADS + 1) + h) * PITCH + position,
                         push);
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

static void move_case(opcheck *t, const block *b, bool push)
{
    state s;
    skv_kv_move_args a = {0};
    skv_tensor whole;

    opcheck_case(t, "%d, %d, %d tokens at %lld", (int)b->len[0], (int)b->len[1], (int)b->len[2],
                 (long long)b->at);
    make(t, b, &s, &a);
    OPCHECK_RUN(t, push ? skv_kv_push(t->be, &a) : skv_kv_pop(t->be, &a));
    move(b, &s, push);
    same(t, "ring_k", a.ring_k, s.ring_k);
    same(t, "ring_v", a.ring_v, s.ring_v);
    same(t, "k", a.k, s.k);
    same(t, "v", a.v, s.v);
    opcheck_equal(t, "ring_origin", &a.ring_origin, s.ring_origin);
    whole = a.origin;
    whole.shape[1] = HEADS + 1;
    whole.shape[2] = PITCH;
    opcheck_equal(t, "origin", &whole, s.origin);
}

static void check_move(opcheck *t, bool push)
{
    const block too_many = {0, {9, 9, 9}}, too_long = {0, {10, 0, 0}};
    state s;
    skv_kv_move_args a = {0};

    if (t->perf)
        return;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        move_case(t, &blocks[i], push);
    opcheck_case(t, "refusals");
    make(t, &too_many, &s, &a);
    opcheck_refused(t, "a block longer than the ring",
                    push ? skv_kv_push(t->be, &a) : skv_kv_pop(t->be, &a));
    opcheck_case(t, "refusals");
    make(t, &too_long, &s, &a);
    opcheck_refused(t, "a head longer than the views",
                    push ? skv_kv_push(t->be, &a) : skv_kv_pop(t->be, &a));
}

void check_kv_pop(opcheck *t)
{
    check_move(t, false);
}

void check_kv_push(opcheck *t)
{
    check_move(t, true);
}

void check_origin_fill(opcheck *t)
{
    const int32_t base[HEADS] = {4, 0, 2};
    const int64_t n = ROWS * (HEADS + 1) * PITCH;
    int32_t *want;
    skv_tensor whole;
    skv_origin_fill_args a = {.base = base, .first = 77, .n = 5};

    if (t->perf)
        return;
    opcheck_case(t, "5 tokens");
    want = numbers(t, n, 0);
    whole = OPCHECK_RAW(t, SKV_I32, want, ROWS, HEADS + 1, PITCH);
    a.origin = whole;
    a.origin.shape[1] = HEADS;
    a.origin.shape[2] = ROOM;
    OPCHECK_RUN(t, skv_origin_fill(t->be, &a));
    for (int64_t i = 0; i < ROWS * HEADS * 5; i++) {
        const int64_t r = i / 5 / HEADS, h = i / 5 % HEADS;

        want[(r * (HEADS + 1) + h) * PITCH + base[h] + i % 5] = 77 + (int32_t)(i % 5);
    }
    opcheck_equal(t, "origin", &whole, want);
    a.n = 6;
    opcheck_refused(t, "tokens beyond the views", skv_origin_fill(t->be, &a));
}

void check_count_sources(opcheck *t)
{
    const int32_t edge[4] = {0, 10, 11, 40}; /* origins from 40 on are in no scale */
    const int32_t count[3] = {100, 200, 300};
    int32_t want[3];
    state s;
    skv_kv_move_args m = {0};
    skv_count_sources_args a = {.edge = edge, .n_scales = 3};

    if (t->perf)
        return;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        int64_t number = 0;

        opcheck_case(t, "block %zu", i);
        make(t, &blocks[i], &s, &m);
        memcpy(want, count, sizeof want);
        a.origin = m.origin;
        a.keep = m.keep;
        a.len = m.len;
        a.count = OPCHECK_RAW(t, SKV_I32, count, 3);
        OPCHECK_RUN(t, skv_count_sources(t->be, &a));
        for (int64_t list = 0; list < ROWS * HEADS; list++)
            for (int64_t k = 0; k < m.len[list % HEADS]; k++, number++) {
                const int64_t first = (list / HEADS * (HEADS + 1) + list % HEADS) * PITCH;
                const int32_t origin = s.origin[first + s.keep[number]];

                for (int e = 0; e < 3; e++)
                    want[e] += origin >= edge[e] && origin < edge[e + 1];
            }
        opcheck_equal(t, "count", &a.count, want);
    }
    a.n_scales = 2;
    opcheck_refused(t, "more counts than scales", skv_count_sources(t->be, &a));
}
