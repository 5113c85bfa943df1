/* codes_add, next_input, to_pixels: up, down and equal sizes, both patches, odd and flat maps,
 * values outside [-1,1]. */
#include "opcheck.h"

#include <math.h>

#include "ref/ref.h"

typedef struct {
    int64_t prompts, height, width, d; /* of the feature map */
    int h, w, patch;
} shape;

static const shape shapes[] = {
    {1, 1, 1, 1, 1, 1, 1},     {2, 7, 5, 16, 3, 2, 1},  {1, 16, 16, 32, 8, 8, 2},
    {2, 12, 8, 16, 1, 1, 2},   {1, 9, 13, 4, 9, 13, 1}, {1, 6, 10, 8, 7, 11, 1},
    {1, 64, 36, 16, 28, 5, 2},
};

#define N_SHAPES ((int)(sizeof shapes / sizeof *shapes))

/* A place's position is rounded at the size of the map, 64 at most, and its weight by that; two
 * taps of neighbours that differ by at most the size below. */
#define MAP_TOLERANCE (2 * 64 * OPCHECK_UNIT)

static void name_case(opcheck *t, const shape *s)
{
    opcheck_case(t, "(%lld,%lld,%lld,%lld), %d by %d, patch %d", (long long)s->prompts,
                 (long long)s->height, (long long)s->width, (long long)s->d, s->h, s->w, s->patch);
}

/* Where channel c of place (y,x) of the shuffled map is among a prompt's tokens. */
static int64_t shuffled(const shape *s, int64_t y, int64_t x, int64_t c)
{
    const int64_t p = s->patch, token = y / p * s->w + x / p;

    return p == 1 ? token * s->d + c : (token * s->d + c) * 4 + y % 2 * 2 + x % 2;
}

/* The codes of prompt b as a map. */
static void code_map(const shape *s, const uint8_t *bits, double *map)
{
    const int64_t h = (int64_t)s->h * s->patch, w = (int64_t)s->w * s->patch;

    for (int64_t i = 0; i < h * w * s->d; i++) {
        const int64_t c = i % s->d, x = i / s->d % w, y = i / s->d / w;

        map[i] = (2.0 * bits[shuffled(s, y, x, c)] - 1.0) / sqrt((double)s->d);
    }
}

static void codes_case(opcheck *t, const shape *s)
{
    const int64_t places = s->height * s->width, p = s->patch, h = s->h * p, w = s->w * p;
    const int64_t code = h * w * s->d, n = s->prompts * places * s->d;
    float *z;
    uint8_t *bits;
    double *map, *want, *size;
    skv_codes_add_args a = {.h = s->h, .w = s->w, .patch = s->patch};

    name_case(t, s);
    z = opcheck_normal(t, n, 1);
    bits = opcheck_u8s(t, s->prompts * code);
    for (int64_t i = 0; i < s->prompts * code; i++)
        bits[i] = (uint8_t)((i * 2654435761u >> 7) & 1);
    a.z = OPCHECK_F(t, SKV_F32, z, s->prompts, s->height, s->width, s->d);
    a.bits = OPCHECK_RAW(t, SKV_U8, bits, s->prompts, (int64_t)s->h * s->w, s->d * p * p);
    OPCHECK_RUN(t, skv_codes_add(t->be, &a));
    if (t->perf)
        return;
    map = opcheck_doubles(t, code);
    want = opcheck_doubles(t, n);
    size = opcheck_doubles(t, n);
    for (int64_t i = 0; i < s->prompts * places; i++) {
        const int64_t place = i % places;

        if (place == 0)
            code_map(s, bits + i / places * code, map);
        ref_bilinear(want + i * s->d, &(ref_map){map, h, w, s->d, s->height, s->width},
                     place / s->width, place % s->width);
        for (int64_t c = i * s->d; c < (i + 1) * s->d; c++) {
            want[c] += (double)z[c];
            size[c] = fabs((double)z[c]) + 2 / sqrt((double)s->d);
        }
    }
    opcheck_near(t, "z", &a.z, want, size, MAP_TOLERANCE);
    a.patch = 3;
    opcheck_refused(t, "patch 3", skv_codes_add(t->be, &a));
}

void check_codes_add(opcheck *t)
{
    if (t->perf) {
        codes_case(t, &(shape){2, 64, 64, 32, 48, 48, 1});
        return;
    }
    for (int i = 0; i < N_SHAPES; i++)
        codes_case(t, &shapes[i]);
}

static void input_case(opcheck *t, const shape *s)
{
    const int64_t places = s->height * s->width, p = s->patch, h = s->h * p, w = s->w * p;
    const int64_t out = h * w * s->d, in = places * s->d;
    float *z;
    double *map, *one, *want, *size;
    skv_next_input_args a = {.h = s->h, .w = s->w, .patch = s->patch};

    name_case(t, s);
    z = opcheck_normal(t, s->prompts * in, 1);
    a.z = OPCHECK_F(t, SKV_F32, z, s->prompts, s->height, s->width, s->d);
    a.t = OPCHECK_F(t, SKV_F32, opcheck_unset(t, s->prompts * out), s->prompts,
                    (int64_t)s->h * s->w, s->d * p * p);
    OPCHECK_RUN(t, skv_next_input(t->be, &a));
    if (t->perf)
        return;
    map = opcheck_doubles(t, in);
    one = opcheck_doubles(t, s->d);
    want = opcheck_doubles(t, s->prompts * out);
    size = opcheck_doubles(t, s->prompts * out);
    for (int64_t b = 0; b < s->prompts; b++) {
        for (int64_t i = 0; i < in; i++)
            map[i] = (double)z[b * in + i];
        for (int64_t i = 0; i < h * w; i++) {
            ref_bilinear(one, &(ref_map){map, s->height, s->width, s->d, h, w}, i / w, i % w);
            for (int64_t c = 0; c < s->d; c++)
                want[b * out + shuffled(s, i / w, i % w, c)] = one[c];
        }
    }
    for (int64_t i = 0; i < s->prompts * out; i++)
        size[i] = 7; /* numbers lie within ±3.5 */
    opcheck_near(t, "t", &a.t, want, size, MAP_TOLERANCE);
    a.h++;
    opcheck_refused(t, "a map of more tokens", skv_next_input(t->be, &a));
}

void check_next_input(opcheck *t)
{
    if (t->perf) {
        input_case(t, &(shape){2, 64, 64, 32, 48, 48, 1});
        return;
    }
    for (int i = 0; i < N_SHAPES; i++)
        input_case(t, &shapes[i]);
}

/* The second, third and last of five pictures have a number that is not finite: their first, one
 * within, their last. The third has a fault already. */
static void fault_case(opcheck *t)
{
    enum { PICTURES = 5, SIDE = 111, EACH = SIDE * SIDE * 3, N = PICTURES * EACH };
    const int32_t before[PICTURES] = {0, 0, 3, 0, 0}, after[PICTURES] = {0, -2, 3, 0, -2};
    skv_to_pixels_args a = {.code = -2};
    float *x;

    opcheck_case(t, "not finite");
    x = opcheck_uniform(t, N, -2, 2);
    x[EACH] = NAN;
    x[2 * EACH + EACH / 2] = INFINITY;
    x[N - 1] = -INFINITY;
    a.x = OPCHECK_F(t, SKV_F32, x, PICTURES, SIDE, SIDE, 3);
    a.y = OPCHECK_RAW(t, SKV_U8, opcheck_u8s(t, N), PICTURES, SIDE, SIDE, 3);
    a.fault = OPCHECK_RAW(t, SKV_I32, before, PICTURES);
    OPCHECK_RUN(t, skv_to_pixels(t->be, &a));
    opcheck_equal(t, "fault", &a.fault, after);
    a.fault.shape[0]--;
    opcheck_refused(t, "a fault too few", skv_to_pixels(t->be, &a));
}

/* Every step of 1/1024 around [-1,1], where all arithmetic is exact, and what is not a number. */
void check_to_pixels(opcheck *t)
{
    const int64_t n = 3 * (t->perf ? 1024 * 1024 : 1024);
    float *x;
    uint8_t *want;
    skv_to_pixels_args a = {0};

    opcheck_case(t, "(1,%lld,1,3)", (long long)n / 3);
    x = opcheck_floats(t, n);
    want = opcheck_u8s(t, n);
    for (int64_t i = 0; i < n; i++) {
        const int64_t step = i % 3072 - 1536;

        x[i] = (float)step / 1024;
        want[i] = (uint8_t)(step < -1024 ? 0 : step > 1024 ? 255 : (step + 1024) * 255 / 2048);
    }
    x[5] = NAN;
    x[n - 7] = INFINITY;
    x[7] = -INFINITY;
    want[5] = 0;
    a.x = OPCHECK_F(t, SKV_F32, x, 1, n / 3, 1, 3);
    a.y = OPCHECK_RAW(t, SKV_U8, opcheck_u8s(t, n), 1, n / 3, 1, 3);
    OPCHECK_RUN(t, skv_to_pixels(t->be, &a));
    opcheck_equal(t, "y", &a.y, want);
    a.y.shape[2] = 2;
    opcheck_refused(t, "another width", skv_to_pixels(t->be, &a));
    if (!t->perf)
        fault_case(t);
}
