/* Walks pictures' keys and values through a store that holds codes, under `streaming`, and prints
 * what each scale reads of earlier ones: what tests/ref/kv_codes.py holds against numpy.
 *
 *   walk_codes fp8|int8
 *
 * Lines: "scale SI FIRST" (number of its first token), then "read SI ROW HEAD POSITION", the 16
 * numbers of K and the 16 of V, as hex floats. Those of a token come from u = skv_uniform(1, row·2
 * + head, 0, token·32 + d), d = 16 to 31 for V: K is 2u - 1, V (2u - 1)·2^(d mod 8 + scale mod 3).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cache/kv.h"
#include "core/rng.h"
#include "test_device.h"

#define DIM   16
#define ROWS  2
#define HEADS 2

static void check(skv_status st)
{
    if (st == SKV_OK)
        return;
    fprintf(stderr, "%s\n", skv_message());
    exit(1);
}

static void number(float *x, int row, int head, int token, int scale, bool value)
{
    for (int d = 0; d < DIM; d++) {
        const uint32_t place = (uint32_t)(token * 2 * DIM + (value ? DIM : 0) + d);
        const float u = skv_uniform(1, (uint32_t)(row * HEADS + head), 0, place);

        x[d] = value ? ldexpf(2 * u - 1, d % 8 + scale % 3) : 2 * u - 1;
    }
}

static float *at(const skv_tensor *t, int row, int head, int position)
{
    return (float *)t->data + row * t->stride[0] + head * t->stride[1] + position * t->stride[2];
}

static void print_vector(skv_backend *be, const float *from)
{
    float x[DIM];

    check(skv_backend_download(be, x, from, sizeof x));
    for (int d = 0; d < DIM; d++)
        printf(" %a", (double)x[d]);
}

/* Prints what the scale finds, and writes its own map behind it. */
static void meet(skv_backend *be, const skv_kv_view *view, const skv_schedule *schedule, int si)
{
    for (int row = 0; row < ROWS; row++)
        for (int head = 0; head < HEADS; head++) {
            for (int i = 0; i < view->base[head]; i++) {
                printf("read %d %d %d %d", si, row, head, i);
                print_vector(be, at(&view->k, row, head, i));
                print_vector(be, at(&view->v, row, head, i));
                printf("\n");
            }
            for (int i = view->base[head]; i < view->len[head]; i++) {
                const int token = schedule->start[si] + i - view->base[head];
                float x[DIM];

                number(x, row, head, token, si, false);
                check(skv_backend_upload(be, at(&view->k, row, head, i), x, sizeof x));
                number(x, row, head, token, si, true);
                check(skv_backend_upload(be, at(&view->v, row, head, i), x, sizeof x));
            }
        }
}

static void open_arena(skv_backend *be, skv_arena *a, size_t bytes)
{
    void *p;

    check(skv_backend_alloc(be, &p, bytes + 1, "arena"));
    skv_arena_init(a, "arena", p, bytes);
}

int main(int argc, char **argv)
{
    const skv_dims dims = {.depth = 1, .heads = HEADS, .head_dim = DIM, .width = HEADS * DIM};
    skv_kv_types types;
    skv_schedule schedule;
    const skv_policy *policy;
    skv_policy_state *state;
    skv_kv_plan *plan;
    skv_kv *kv;
    skv_kv_view view;
    skv_backend *be;
    skv_arena arena, scratch;

    if (argc != 2)
        return 2;
    check(test_backend_open(&be, 1));
    types.work = be->kv;
    check(skv_kv_dtype_find(&types.pool, argv[1]));
    check(skv_schedule_make(&schedule, 1, "0.06M"));
    check(skv_policy_find(&policy, "streaming"));
    check(skv_policy_open(&state, policy,
                          &(skv_policy_setup){.dims = &dims, .schedule = &schedule, .base = 30}));
    check(skv_kv_plan_make(&plan, policy, state, &dims, &schedule, ROWS, types));
    open_arena(be, &arena, skv_kv_plan_total_bytes(plan));
    open_arena(be, &scratch, skv_kv_plan_select_bytes(plan));
    check(skv_kv_create(&kv, be, plan, policy, state, &arena));
    for (int si = 0; si < schedule.n_scales; si++) {
        printf("scale %d %d\n", si, schedule.start[si]);
        check(skv_kv_begin(kv, 0, si, &view));
        meet(be, &view, &schedule, si);
        check(skv_kv_end(kv, 0, si, NULL, NULL, &scratch, NULL, NULL));
    }
    skv_kv_destroy(kv);
    skv_kv_plan_destroy(plan);
    skv_policy_close(policy, state);
    skv_backend_free(be, arena.base);
    skv_backend_free(be, scratch.base);
    skv_backend_destroy(be);
    return 0;
}
