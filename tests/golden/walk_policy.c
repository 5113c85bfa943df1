/* Walks a policy through all scales of a picture, in the store, on made-up keys, values and
 * queries, and prints what it keeps: what tests/ref/policies.py holds against its own answers.
 *
 *   walk_policy POLICY OPTIONS BASE ROWS DEPTH HEADS RATIO RESOLUTION [ORDERS]
 *
 * Lines: "scale SI H W", then "read SI LAYER ROW HEAD POSITION ..." where attention reads fewer
 * tokens than there are, and "cut ..." alike where anything is cut. A number
 * of a key, value or query (kind 0, 1, 2) is (⌊32u⌋ - 16)/16, u = skv_uniform(1, (si·DEPTH +
 * layer)·3 + kind, row·HEADS + head, token·DIM + d): products of them are exact in fp32. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cache/kv.h"
#include "core/rng.h"
#include "test_device.h"

#define DIM 16

typedef struct {
    skv_backend *be;
    skv_dims dims;
    skv_schedule schedule;
    const skv_policy *policy;
    skv_policy_state *state;
    skv_kv_plan *plan;
    skv_kv *kv;
    skv_arena arena, scratch;
    int rows;
    float *room; /* (R,H,tokens of the last scale,DIM) */
    int32_t *kept;
    void *q;
} walk;

static void check(skv_status st)
{
    if (st == SKV_OK)
        return;
    fprintf(stderr, "%s\n", skv_message());
    exit(1);
}

static void fill(float *x, const walk *w, int kind, int si, int layer, int list, int tokens)
{
    for (int i = 0; i < tokens * DIM; i++) {
        const float u = skv_uniform(1, (uint32_t)((si * w->dims.depth + layer) * 3 + kind),
                                    (uint32_t)list, (uint32_t)i);

        x[i] = (floorf(32 * u) - 16) / 16;
    }
}

/* The current map's keys or values go behind what each head has. */
static void store(walk *w, const skv_tensor *t, const skv_kv_view *view, int kind, int si,
                  int layer)
{
    const int heads = w->dims.heads, tokens = skv_schedule_tokens(&w->schedule, si);

    for (int list = 0; list < w->rows * heads; list++) {
        const int64_t r = list / heads, h = list % heads;
        float *to =
            (float *)t->data + r * t->stride[0] + h * t->stride[1] + view->base[h] * t->stride[2];

        fill(w->room, w, kind, si, layer, list, tokens);
        check(skv_backend_upload(w->be, to, w->room, (size_t)tokens * DIM * sizeof(float)));
    }
}

/* (R,L,H,D), laid out head by head. */
static skv_tensor queries(walk *w, int si, int layer)
{
    const int heads = w->dims.heads, tokens = skv_schedule_tokens(&w->schedule, si);
    skv_tensor q = SKV_TENSOR(w->q, SKV_F32, w->be->device, w->rows, tokens, heads, DIM);

    q.stride[0] = (int64_t)heads * tokens * DIM;
    q.stride[1] = DIM;
    q.stride[2] = (int64_t)tokens * DIM;
    for (int list = 0; list < w->rows * heads; list++)
        fill(w->room + (int64_t)list * tokens * DIM, w, 2, si, layer, list, tokens);
    check(skv_backend_upload(w->be, w->q, w->room,
                             (size_t)(w->rows * heads) * (size_t)tokens * DIM * sizeof(float)));
    return q;
}

/* n: of each head. */
static void print_chosen(walk *w, const char *what, const skv_tensor *keep, const int32_t *n,
                         int si, int layer)
{
    const int32_t *p = w->kept;

    check(skv_backend_download(w->be, w->kept, keep->data, skv_tensor_bytes(keep)));
    for (int r = 0; r < w->rows; r++)
        for (int h = 0; h < w->dims.heads; h++) {
            printf("%s %d %d %d %d", what, si, layer, r, h);
            for (int i = 0; i < n[h]; i++)
                printf(" %d", *p++);
            printf("\n");
        }
}

static void step(walk *w, int layer, int si)
{
    int32_t n[SKV_MAX_HEADS];
    skv_kv_view view;
    skv_kv_read read;
    skv_tensor q = queries(w, si, layer), keep;

    check(skv_kv_begin(w->kv, layer, si, &view));
    store(w, &view.k, &view, 0, si, layer);
    store(w, &view.v, &view, 1, si, layer);
    check(skv_kv_attend(w->kv, &q, &w->scratch, &read));
    if (read.keep.data)
        print_chosen(w, "read", &read.keep, read.len, si, layer);
    check(skv_kv_end(w->kv, layer, si, NULL, &q, &w->scratch, NULL, &keep));
    if (!keep.data)
        return;
    for (int h = 0; h < w->dims.heads; h++)
        n[h] = skv_kv_plan_length(w->plan, layer, h, si);
    print_chosen(w, "cut", &keep, n, si, layer);
}

static void take(walk *w, skv_arena *a, size_t bytes)
{
    void *p;

    check(skv_backend_alloc(w->be, &p, bytes + 1, "arena"));
    skv_arena_init(a, "arena", p, bytes);
}

static void open_walk(walk *w, char **arg, const char *orders)
{
    json_t *options = json_loads(arg[2], 0, NULL);
    size_t numbers;

    if (!options)
        exit(2);
    w->rows = atoi(arg[4]);
    w->dims = (skv_dims){.depth = atoi(arg[5]), .heads = atoi(arg[6]), .head_dim = DIM};
    w->dims.width = w->dims.heads * DIM;
    check(test_backend_open(&w->be, 1));
    check(skv_schedule_make(&w->schedule, atof(arg[7]), arg[8]));
    check(skv_policy_find(&w->policy, arg[1]));
    check(skv_policy_open(&w->state, w->policy,
                          &(skv_policy_setup){.dims = &w->dims,
                                              .schedule = &w->schedule,
                                              .base = atoi(arg[3]),
                                              .orders_file = orders,
                                              .options = options}));
    json_decref(options);
    check(skv_kv_plan_make(&w->plan, w->policy, w->state, &w->dims, &w->schedule, w->rows,
                           (skv_kv_types){w->be->kv, SKV_KV_WORK}));
    take(w, &w->arena, skv_kv_plan_total_bytes(w->plan));
    take(w, &w->scratch, skv_kv_plan_select_bytes(w->plan));
    check(skv_kv_create(&w->kv, w->be, w->plan, w->policy, w->state, &w->arena));
    numbers = (size_t)w->schedule.start[w->schedule.n_scales] * (size_t)(w->rows * w->dims.width);
    w->room = calloc(numbers, sizeof *w->room);
    w->kept = calloc(numbers, sizeof *w->kept);
    check(skv_backend_alloc(w->be, &w->q, numbers * sizeof(float), "queries"));
    if (!w->room || !w->kept)
        exit(1);
}

static void close_walk(walk *w)
{
    skv_kv_destroy(w->kv);
    skv_kv_plan_destroy(w->plan);
    skv_policy_close(w->policy, w->state);
    skv_backend_free(w->be, w->arena.base);
    skv_backend_free(w->be, w->scratch.base);
    skv_backend_free(w->be, w->q);
    skv_backend_destroy(w->be);
    free(w->room);
    free(w->kept);
}

int main(int argc, char **argv)
{
    walk w = {0};

    if (argc != 9 && argc != 10)
        return 2;
    open_walk(&w, argv, argc == 10 ? argv[9] : NULL);
    for (int si = 0; si < w.schedule.n_scales; si++)
        printf("scale %d %d %d\n", si, w.schedule.h[si], w.schedule.w[si]);
    for (int si = 0; si < w.schedule.n_scales; si++)
        for (int layer = 0; layer < w.dims.depth; layer++)
            step(&w, layer, si);
    close_walk(&w);
    return 0;
}
