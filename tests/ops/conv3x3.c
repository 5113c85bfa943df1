/* conv3x3, upsample_conv: one place, narrow and wide maps, channel counts that are not a multiple
 * of a vector. */
#include "opcheck.h"

#include <math.h>

#include "ref/ref.h"

typedef struct {
    int64_t pictures, height, width, ci, co;
    skv_dtype file; /* of the weights */
} shape;

static const shape shapes[] = {
    {1, 1, 1, 1, 1, SKV_F32},    {1, 1, 9, 3, 5, SKV_F32},      {2, 7, 1, 5, 3, SKV_BF16},
    {2, 5, 6, 16, 33, SKV_F16},  {1, 33, 20, 8, 3, SKV_F32},    {1, 9, 70, 32, 32, SKV_F32},
    {1, 3, 130, 65, 7, SKV_F32}, {1, 40, 24, 64, 128, SKV_F32}, {2, 5, 70, 128, 3, SKV_F32},
};

/* Weights in the type of a file. */
static uint8_t *weights(opcheck *t, const shape *s, float **w)
{
    const int64_t n = s->co * s->ci * 9;
    uint8_t *file = opcheck_u8s(t, n * 4);

    *w = opcheck_normal(t, n, 1 / sqrtf(9 * (float)s->ci));
    skv_from_f32(file, s->file, *w, (size_t)n);
    skv_to_f32(*w, file, s->file, (size_t)n);
    return file;
}

static skv_tensor pack(opcheck *t, const shape *s, float **w)
{
    const int64_t n = s->co * s->ci * 9;
    const int64_t bytes = (int64_t)t->be->ops->packed_conv_bytes(t->be, s->co, s->ci);
    uint8_t *file = weights(t, s, w);
    skv_tensor room = OPCHECK_RAW(t, SKV_U8, opcheck_u8s(t, bytes), bytes), out = {0};

    opcheck_succeeded(t, skv_pack_conv(t->be, &out, room.data, file, s->file, s->co, s->ci));
    if (t->be->weight != SKV_F32) {
        skv_from_f32(file, t->be->weight, *w, (size_t)n);
        skv_to_f32(*w, file, t->be->weight, (size_t)n);
    }
    return out;
}

/* The convolution of x by definition; both arrays are the case's own. */
static void expect(double **want, double **size, opcheck *t, const shape *s, const float *x,
                   const float *w, const float *b)
{
    const int64_t n = s->pictures * s->height * s->width * s->co;

    *want = opcheck_doubles(t, n);
    *size = opcheck_doubles(t, n);
    ref_conv3x3(&(ref_conv_args){.y = *want,
                                 .size = *size,
                                 .x = x,
                                 .w = w,
                                 .b = b,
                                 .pictures = s->pictures,
                                 .height = s->height,
                                 .width = s->width,
                                 .ci = s->ci,
                                 .co = s->co});
}

/* As linear with K = 9·ci. */
static double tolerance_of(const shape *s)
{
    return (4 + 4 * sqrt(9 * (double)s->ci)) * OPCHECK_UNIT;
}

static void conv_case(opcheck *t, const shape *s, skv_dtype y_type, bool adds)
{
    const int64_t places = s->pictures * s->height * s->width;
    float *x, *w, *b, *r = NULL;
    double *want, *size;
    skv_conv3x3_args a = {0};

    opcheck_case(t, "(%lld,%lld,%lld,%lld) to %lld, %s, %s%s", (long long)s->pictures,
                 (long long)s->height, (long long)s->width, (long long)s->ci, (long long)s->co,
                 skv_dtype_name(s->file), skv_dtype_name(y_type), adds ? ", added" : "");
    x = opcheck_normal(t, places * s->ci, 1);
    b = opcheck_normal(t, s->co, 1);
    a.x = OPCHECK_F(t, t->be->act, x, s->pictures, s->height, s->width, s->ci);
    a.w = pack(t, s, &w);
    a.b = OPCHECK_F(t, SKV_F32, b, s->co);
    a.y = OPCHECK_F(t, y_type, opcheck_unset(t, places * s->co), s->pictures, s->height, s->width,
                    s->co);
    if (adds) {
        r = opcheck_normal(t, places * s->co, 1);
        a.r = OPCHECK_F(t, y_type, r, s->pictures, s->height, s->width, s->co);
    }
    OPCHECK_RUN(t, skv_conv3x3(t->be, &a));
    if (t->perf)
        return;
    expect(&want, &size, t, s, x, w, b);
    for (int64_t i = 0; adds && i < places * s->co; i++) {
        want[i] += (double)r[i];
        size[i] += fabs((double)r[i]);
    }
    /* a library may round the sum, and it with the bias, to y's type before adding */
    opcheck_near(t, "y", &a.y, want, size,
                 tolerance_of(s) + (y_type == SKV_F32 ? 0 : OPCHECK_INSIDE(t)));
}

void check_conv3x3(opcheck *t)
{
    const shape large = {1, 256, 256, 256, 256, SKV_F32};
    skv_conv3x3_args a = {0};
    float *w;

    if (t->perf) {
        conv_case(t, &large, t->be->act, false);
        conv_case(t, &large, t->be->act, true);
        return;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        conv_case(t, &shapes[i], SKV_F32, false);
    for (size_t i = 0; t->be->act != SKV_F32 && i < sizeof shapes / sizeof *shapes; i++)
        conv_case(t, &shapes[i], t->be->act, false);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        conv_case(t, &shapes[i], t->be->act, true);
    opcheck_case(t, "refusals");
    a.w = pack(t, &(shape){.ci = 3, .co = 2, .file = SKV_F32}, &w);
    a.b = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 2), 2);
    a.x = OPCHECK_F(t, t->be->act, opcheck_unset(t, 16), 1, 2, 2, 4);
    a.y = OPCHECK_F(t, t->be->act, opcheck_unset(t, 8), 1, 2, 2, 2);
    opcheck_refused(t, "x of other channels", skv_conv3x3(t->be, &a));
    a.x = OPCHECK_F(t, t->be->act, opcheck_unset(t, 12), 1, 2, 2, 3);
    a.y = OPCHECK_F(t, t->be->act, opcheck_unset(t, 12), 1, 2, 3, 2);
    opcheck_refused(t, "y of another width", skv_conv3x3(t->be, &a));
    a.x = OPCHECK_F(t, t->be->act, opcheck_unset(t, 12), 1, 2, 2, 3);
    a.y = OPCHECK_F(t, t->be->act, opcheck_unset(t, 8), 1, 2, 2, 2);
    a.r = a.y;
    opcheck_refused(t, "y added to itself", skv_conv3x3(t->be, &a));
}

/* The definition: every place four times, then a convolution. */
static void upsample_case(opcheck *t, const shape *s)
{
    const int64_t height = 2 * s->height, width = 2 * s->width, ci = s->ci;
    const int64_t places = s->pictures * height * width;
    const int64_t bytes = (int64_t)skv_packed_upsample_conv_bytes(t->be, s->co, ci);
    float *x, *up, *w, *b;
    double *want, *size;
    skv_upsample_conv_args a = {0};
    uint8_t *file;

    opcheck_case(t, "(%lld,%lld,%lld,%lld) to %lld, %s", (long long)s->pictures,
                 (long long)s->height, (long long)s->width, (long long)ci, (long long)s->co,
                 skv_dtype_name(s->file));
    x = opcheck_normal(t, places / 4 * ci, 1);
    b = opcheck_normal(t, s->co, 1);
    a.x = OPCHECK_F(t, t->be->act, x, s->pictures, s->height, s->width, ci);
    a.b = OPCHECK_F(t, SKV_F32, b, s->co);
    a.y = OPCHECK_F(t, t->be->act, opcheck_unset(t, places * s->co), s->pictures, height, width,
                    s->co);
    a.w = OPCHECK_RAW(t, SKV_U8, opcheck_u8s(t, bytes), bytes);
    file = weights(t, s, &w);
    opcheck_succeeded(t, skv_pack_upsample_conv(t->be, &a.w, a.w.data, file, s->file, s->co, ci));
    OPCHECK_RUN(t, skv_upsample_conv(t->be, &a));
    if (t->perf)
        return;
    up = opcheck_floats(t, places * ci);
    for (int64_t i = 0; i < places * ci; i++) {
        const int64_t column = i / ci % width, line = i / ci / width; /* of all pictures */

        up[i] = x[(line / 2 * s->width + column / 2) * ci + i % ci];
    }
    expect(&want, &size, t, &(shape){s->pictures, height, width, ci, s->co, s->file}, up, w, b);
    /* as conv3x3; in bf16 the taps' sums are rounded besides, which the same bound holds */
    opcheck_near(t, "y", &a.y, want, size, tolerance_of(s) + OPCHECK_INSIDE(t));
}

void check_upsample_conv(opcheck *t)
{
    skv_upsample_conv_args a = {0};

    if (t->perf) {
        upsample_case(t, &(shape){1, 256, 256, 512, 512, SKV_F32});
        return;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        upsample_case(t, &shapes[i]);
    opcheck_case(t, "refusals");
    a.w = OPCHECK_F(t, t->be->weight, opcheck_unset(t, 96), 3, 4, 4, 2);
    a.b = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 2), 2);
    a.x = OPCHECK_F(t, t->be->act, opcheck_unset(t, 12), 1, 2, 2, 3);
    a.y = OPCHECK_F(t, t->be->act, opcheck_unset(t, 40), 1, 5, 4, 2);
    opcheck_refused(t, "y of another height", skv_upsample_conv(t->be, &a));
    a.y = OPCHECK_F(t, t->be->act, opcheck_unset(t, 32), 1, 4, 4, 2);
    a.x = OPCHECK_F(t, t->be->act, opcheck_unset(t, 16), 1, 2, 2, 4);
    opcheck_refused(t, "x of other channels", skv_upsample_conv(t->be, &a));
}
