/* conv_relu, pool2d, mean_positions, lpips_layer: the shapes of AlexNet and Inception in small, odd
 * sides, outputs beside others in a wider tensor. */
#include "opcheck.h"

#include <math.h>

#define UNTOUCHED 7.5f
#define WIDER     3 /* channels before and behind y's in the wider tensor */

/* A window over a map. */
typedef struct {
    int64_t n, h, w, ci, co;
    int kh, kw, stride, pad_h, pad_w;
} shape;

static int64_t out_side(int64_t side, int kernel, int stride, int pad)
{
    return (side + 2 * pad - kernel) / stride + 1;
}

/* y, or y inside a wider tensor whose other channels must keep their value. */
static skv_tensor put_output(opcheck *t, skv_tensor *whole, const shape *s, bool wide)
{
    const int64_t ho = out_side(s->h, s->kh, s->stride, s->pad_h);
    const int64_t wo = out_side(s->w, s->kw, s->stride, s->pad_w);
    const int64_t c = s->co + (wide ? 2 * WIDER : 0), n = s->n * ho * wo * c;
    float *values = wide ? opcheck_floats(t, n) : opcheck_unset(t, n);
    skv_tensor y;

    for (int64_t i = 0; wide && i < n; i++)
        values[i] = UNTOUCHED;
    *whole = OPCHECK_F(t, SKV_F32, values, s->n, ho, wo, c);
    y = *whole;
    y.shape[3] = s->co;
    if (wide)
        y.data = (float *)y.data + WIDER;
    return y;
}

/* want and size (places,co) -> of the whole tensor */
static void compare(opcheck *t, const skv_tensor *whole, const double *want, const double *size,
                    int64_t co, double tolerance)
{
    const int64_t c = whole->shape[3], before = (c - co) / 2, n = skv_tensor_count(whole);
    double *all = opcheck_doubles(t, n), *sizes = opcheck_doubles(t, n);

    for (int64_t i = 0; i < n; i++) {
        const int64_t k = i % c - before, place = i / c;
        const bool inside = k >= 0 && k < co;

        all[i] = inside ? want[place * co + k] : (double)UNTOUCHED;
        sizes[i] = inside ? size[place * co + k] : 0;
    }
    opcheck_near(t, "y", whole, all, sizes, tolerance);
}

/* ----------------------------------------------------------------- conv_relu */

static void ref_conv_relu(double *y, double *size, const shape *s, const float *x, const float *w,
                          const float *b)
{
    const int64_t ho = out_side(s->h, s->kh, s->stride, s->pad_h);
    const int64_t wo = out_side(s->w, s->kw, s->stride, s->pad_w);

    for (int64_t i = 0; i < s->n * ho * wo * s->co; i++) {
        const int64_t o = i % s->co, ox = i / s->co % wo, oy = i / s->co / wo % ho;
        const float *picture = x + i / s->co / wo / ho * s->h * s->w * s->ci;
        double sum = b[o], all = fabs((double)b[o]);

        for (int64_t tap = 0; tap < s->kh * s->kw * s->ci; tap++) {
            const int64_t c = tap % s->ci, dx = tap / s->ci % s->kw, dy = tap / s->ci / s->kw;
            const int64_t sy = oy * s->stride - s->pad_h + dy, sx = ox * s->stride - s->pad_w + dx;
            double product;

            if (sy < 0 || sy >= s->h || sx < 0 || sx >= s->w)
                continue;
            product = (double)picture[(sy * s->w + sx) * s->ci + c] *
                      (double)w[o * s->kh * s->kw * s->ci + tap];
            sum += product;
            all += fabs(product);
        }
        y[i] = sum > 0 ? sum : 0;
        size[i] = all;
    }
}

static void conv_case(opcheck *t, const shape *s, bool wide)
{
    const int64_t k = s->kh * s->kw * s->ci, n = s->n * s->h * s->w * s->ci;
    float *x, *w, *b;
    double *want, *size;
    skv_tensor whole;
    skv_conv_relu_args a = {
        .kh = s->kh, .kw = s->kw, .stride = s->stride, .pad_h = s->pad_h, .pad_w = s->pad_w};
    int64_t outputs;

    opcheck_case(t, "(%lld,%lld,%lld,%lld) to %lld, %dx%d, stride %d, pad %d,%d%s", (long long)s->n,
                 (long long)s->h, (long long)s->w, (long long)s->ci, (long long)s->co, s->kh, s->kw,
                 s->stride, s->pad_h, s->pad_w, wide ? ", beside others" : "");
    x = opcheck_normal(t, n, 1);
    w = opcheck_normal(t, s->co * k, 1 / sqrtf((float)k));
    b = opcheck_normal(t, s->co, 1);
    a.x = OPCHECK_F(t, SKV_F32, x, s->n, s->h, s->w, s->ci);
    a.w = OPCHECK_F(t, SKV_F32, w, s->co, k);
    a.b = OPCHECK_F(t, SKV_F32, b, s->co);
    a.y = put_output(t, &whole, s, wide);
    OPCHECK_RUN(t, skv_conv_relu(t->be, &a));
    if (t->perf)
        return;
    outputs = s->n * whole.shape[1] * whole.shape[2] * s->co;
    want = opcheck_doubles(t, outputs);
    size = opcheck_doubles(t, outputs);
    ref_conv_relu(want, size, s, x, w, b);
    /* as linear: a sum of k rounded products and a bias, errors growing like a random walk */
    compare(t, &whole, want, size, s->co, (4 + 4 * sqrt((double)k)) * OPCHECK_UNIT);
}

void check_conv_relu(opcheck *t)
{
    static const shape shapes[] = {
        {1, 31, 37, 3, 5, 11, 11, 4, 2, 2},  {2, 7, 9, 6, 10, 5, 5, 1, 2, 2},
        {1, 9, 9, 33, 70, 3, 3, 1, 1, 1},    {1, 13, 12, 3, 32, 3, 3, 2, 0, 0},
        {2, 17, 17, 20, 24, 1, 7, 1, 0, 3},  {1, 8, 17, 20, 130, 7, 1, 1, 3, 0},
        {1, 8, 8, 64, 192, 1, 1, 1, 0, 0},   {1, 1, 1, 1, 1, 1, 1, 1, 0, 0},
        {2, 40, 41, 17, 65, 1, 1, 1, 0, 0},  {1, 5, 3, 4, 3, 3, 3, 1, 1, 1},
        {1, 100, 90, 24, 36, 3, 3, 1, 1, 1},
    };
    const shape large = {1, 63, 63, 384, 256, 3, 3, 1, 1, 1};
    skv_conv_relu_args a = {.kh = 3, .kw = 3, .stride = 1, .pad_h = 1, .pad_w = 1};

    if (t->perf) {
        conv_case(t, &large, false);
        return;
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int wide = 0; wide < 2; wide++)
            conv_case(t, &shapes[i], wide);
    opcheck_case(t, "refusals");
    a.x = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 12), 1, 2, 2, 3);
    a.w = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 54), 2, 27);
    a.b = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 2), 2);
    a.y = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 12), 1, 2, 3, 2);
    opcheck_refused(t, "y of another width", skv_conv_relu(t->be, &a));
    a.y = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 16), 1, 2, 2, 4);
    a.y.shape[3] = 2;
    a.y.stride[1] = 16;
    opcheck_refused(t, "rows of y further apart than places", skv_conv_relu(t->be, &a));
    a.y = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 8), 1, 2, 2, 2);
    a.w = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 36), 2, 18);
    opcheck_refused(t, "w of other channels", skv_conv_relu(t->be, &a));
}

/* -------------------------------------------------------------------- pool2d */

static void ref_pool2d(double *y, double *size, const shape *s, const float *x, bool mean)
{
    const int64_t ho = out_side(s->h, s->kh, s->stride, s->pad_h);
    const int64_t wo = out_side(s->w, s->kw, s->stride, s->pad_w);

    for (int64_t i = 0; i < s->n * ho * wo * s->ci; i++) {
        const int64_t c = i % s->ci, ox = i / s->ci % wo, oy = i / s->ci / wo % ho;
        const float *picture = x + i / s->ci / wo / ho * s->h * s->w * s->ci;
        double sum = 0, most = -INFINITY, all = 0;
        int cells = 0;

        for (int64_t sy = oy * s->stride - s->pad_h; sy < oy * s->stride - s->pad_h + s->kh; sy++)
            for (int64_t sx = ox * s->stride - s->pad_w; sx < ox * s->stride - s->pad_w + s->kw;
                 sx++) {
                double v;

                if (sy < 0 || sy >= s->h || sx < 0 || sx >= s->w)
                    continue;
                v = (double)picture[(sy * s->w + sx) * s->ci + c];
                sum += v;
                all += fabs(v);
                most = v > most ? v : most;
                cells++;
            }
        y[i] = mean ? sum / cells : most;
        size[i] = mean ? all / cells : 0;
    }
}

void check_pool2d(opcheck *t)
{
    static const shape shapes[] = {
        {1, 15, 15, 64, 64, 3, 3, 2, 0, 0}, {2, 8, 9, 5, 5, 3, 3, 2, 0, 0},
        {1, 17, 8, 20, 20, 3, 3, 1, 1, 1},  {2, 1, 2, 7, 7, 3, 3, 1, 1, 1},
        {1, 6, 6, 33, 33, 2, 2, 2, 0, 0},
    };
    skv_pool2d_args a = {.kernel = 3, .stride = 2};

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (int kind = 0; kind < 4; kind++) {
            const shape *s = &shapes[i];
            const bool mean = kind % 2;
            float *x;
            double *want, *size;
            skv_tensor whole;
            int64_t outputs;

            opcheck_case(t, "(%lld,%lld,%lld,%lld), %d, stride %d, pad %d, %s%s", (long long)s->n,
                         (long long)s->h, (long long)s->w, (long long)s->ci, s->kh, s->stride,
                         s->pad_h, mean ? "mean" : "maximum", kind > 1 ? ", beside others" : "");
            x = opcheck_normal(t, s->n * s->h * s->w * s->ci, 1);
            a = (skv_pool2d_args){
                .kernel = s->kh, .stride = s->stride, .pad = s->pad_h, .mean = mean};
            a.x = OPCHECK_F(t, SKV_F32, x, s->n, s->h, s->w, s->ci);
            a.y = put_output(t, &whole, s, kind > 1);
            OPCHECK_RUN(t, skv_pool2d(t->be, &a));
            if (t->perf)
                return;
            outputs = s->n * whole.shape[1] * whole.shape[2] * s->co;
            want = opcheck_doubles(t, outputs);
            size = opcheck_doubles(t, outputs);
            ref_pool2d(want, size, s, x, mean);
            /* at most nine additions and a quotient; a maximum is exact */
            compare(t, &whole, want, size, s->co, 10 * OPCHECK_UNIT);
        }
    opcheck_case(t, "refusals");
    a.x = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 18), 1, 3, 3, 2);
    a.y = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 8), 1, 2, 2, 2);
    a.kernel = 3;
    a.stride = 1;
    a.pad = 2;
    opcheck_refused(t, "windows that may lie outside", skv_pool2d(t->be, &a));
}

/* ------------------------------------------------- mean_positions, lpips_layer */

void check_mean_positions(opcheck *t)
{
    static const int64_t shapes[][4] = {{1, 8, 8, 2048}, {2, 3, 5, 7}, {3, 1, 1, 65}};
    skv_mean_positions_args a = {0};

    for (size_t i = 0; i < 3; i++) {
        const int64_t *s = shapes[i], places = s[1] * s[2];
        double *want, *size;
        float *x;

        opcheck_case(t, "(%lld,%lld,%lld,%lld)", (long long)s[0], (long long)s[1], (long long)s[2],
                     (long long)s[3]);
        x = opcheck_normal(t, s[0] * places * s[3], 1);
        a.x = OPCHECK_F(t, SKV_F32, x, s[0], s[1], s[2], s[3]);
        a.y = OPCHECK_F(t, SKV_F32, opcheck_unset(t, s[0] * s[3]), s[0], s[3]);
        OPCHECK_RUN(t, skv_mean_positions(t->be, &a));
        if (t->perf)
            return;
        want = opcheck_doubles(t, s[0] * s[3]);
        size = opcheck_doubles(t, s[0] * s[3]);
        for (int64_t k = 0; k < s[0] * places * s[3]; k++) {
            const int64_t to = k / (places * s[3]) * s[3] + k % s[3];

            want[to] += (double)x[k] / (double)places;
            size[to] += fabs((double)x[k]) / (double)places;
        }
        opcheck_near(t, "y", &a.y, want, size, OPCHECK_UNIT); /* summed in double, rounded once */
    }
    opcheck_case(t, "refusals");
    a.y = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 4), 2, 2);
    opcheck_refused(t, "y of another size", skv_mean_positions(t->be, &a));
}

static double ref_lpips(const float *a, const float *b, const float *w, int64_t places, int64_t c)
{
    double total = 0;

    for (int64_t p = 0; p < places; p++) {
        double na = 0, nb = 0;

        for (int64_t k = 0; k < c; k++) {
            na += (double)a[p * c + k] * (double)a[p * c + k];
            nb += (double)b[p * c + k] * (double)b[p * c + k];
        }
        for (int64_t k = 0; k < c; k++) {
            const double d = (double)a[p * c + k] / (sqrt(na) + 1e-10) -
                             (double)b[p * c + k] / (sqrt(nb) + 1e-10);

            total += (double)w[k] * d * d;
        }
    }
    return total / (double)places;
}

void check_lpips_layer(opcheck *t)
{
    static const int64_t shapes[][4] = {
        {1, 15, 15, 64}, {2, 3, 3, 384}, {3, 7, 5, 3}, {1, 1, 1, 1}};
    skv_lpips_layer_args args = {0};

    for (size_t i = 0; i < 4; i++) {
        const int64_t *s = shapes[i], n = s[1] * s[2] * s[3];
        float *a, *b, *w;
        double *want;

        opcheck_case(t, "(%lld,%lld,%lld,%lld)", (long long)s[0], (long long)s[1], (long long)s[2],
                     (long long)s[3]);
        a = opcheck_normal(t, s[0] * n, 1);
        b = opcheck_normal(t, s[0] * n, 1);
        w = opcheck_uniform(t, s[3], 0, 1);
        for (int64_t k = 0; k < s[3]; k++) /* a place where ReLU left nothing of one map */
            a[k] = 0;
        args.a = OPCHECK_F(t, SKV_F32, a, s[0], s[1], s[2], s[3]);
        args.b = OPCHECK_F(t, SKV_F32, b, s[0], s[1], s[2], s[3]);
        args.w = OPCHECK_F(t, SKV_F32, w, s[3]);
        args.d = OPCHECK_F(t, SKV_F32, opcheck_unset(t, s[0]), s[0]);
        OPCHECK_RUN(t, skv_lpips_layer(t->be, &args));
        if (t->perf)
            return;
        want = opcheck_doubles(t, s[0]);
        for (int64_t k = 0; k < s[0]; k++)
            want[k] = ref_lpips(a + k * n, b + k * n, w, s[1] * s[2], s[3]);
        opcheck_near(t, "d", &args.d, want, NULL, OPCHECK_UNIT); /* in double, rounded once */
    }
    opcheck_case(t, "refusals");
    args.w = OPCHECK_F(t, SKV_F32, opcheck_unset(t, 5), 5);
    opcheck_refused(t, "w of other channels", skv_lpips_layer(t->be, &args));
}
