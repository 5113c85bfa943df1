/* Cases, tensors and comparisons of skv-opcheck. */
#include "opcheck.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/rng.h"

/* Nothing sensible is left to do without memory or a device. */
static void stop(const char *what)
{
    fprintf(stderr, "skv-opcheck: %s: %s\n", what, skv_message());
    exit(1);
}

static void fail(opcheck *t, const char *fmt, ...) SKV_PRINTF(2, 3);
static void fail(opcheck *t, const char *fmt, ...)
{
    va_list args;

    t->failures++;
    printf("FAIL %s %s: ", t->op, t->label);
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");
}

void opcheck_case(opcheck *t, const char *fmt, ...)
{
    va_list args;

    while (t->n_dev > 0)
        skv_backend_free(t->be, t->dev[--t->n_dev]);
    while (t->n_host > 0)
        free(t->host[--t->n_host]);
    t->bytes = 0;
    t->cases++;
    va_start(args, fmt);
    vsnprintf(t->label, sizeof t->label, fmt, args);
    va_end(args);
}

static void *keep(opcheck *t, int64_t n, size_t size)
{
    void *p = calloc(n > 0 ? (size_t)n : 1, size);

    if (p == NULL || t->n_host == OPCHECK_MAX_KEPT)
        stop("arrays of a case");
    t->host[t->n_host++] = p;
    return p;
}

float *opcheck_floats(opcheck *t, int64_t n)
{
    return keep(t, n, sizeof(float));
}

double *opcheck_doubles(opcheck *t, int64_t n)
{
    return keep(t, n, sizeof(double));
}

int32_t *opcheck_ints(opcheck *t, int64_t n)
{
    return keep(t, n, sizeof(int32_t));
}

uint8_t *opcheck_u8s(opcheck *t, int64_t n)
{
    return keep(t, n, 1);
}

float *opcheck_unset(opcheck *t, int64_t n)
{
    float *x = opcheck_floats(t, n);

    for (int64_t i = 0; i < n; i++)
        x[i] = NAN;
    return x;
}

float *opcheck_kept(opcheck *t, const int32_t *count, int64_t rows, int64_t n)
{
    float *x = opcheck_unset(t, rows * n);

    for (int64_t i = 0; i < rows * n; i++)
        if (count[i / n] == 0)
            x[i] = OPCHECK_KEPT;
    return x;
}

float *opcheck_uniform(opcheck *t, int64_t n, float low, float high)
{
    float *x = opcheck_floats(t, n);

    t->random++;
    for (int64_t i = 0; i < n; i++)
        x[i] = low + (high - low) *
                         skv_uniform(1, t->random, (uint32_t)(i >> 20), (uint32_t)(i & 0xfffff));
    return x;
}

/* The sum of four uniform numbers has variance 1/3. */
float *opcheck_normal(opcheck *t, int64_t n, float deviation)
{
    float *x = opcheck_floats(t, n);
    uint32_t word[4];

    t->random++;
    for (int64_t i = 0; i < n; i++) {
        float sum = -2.0f;

        skv_philox(word, (uint32_t[4]){(uint32_t)i, (uint32_t)(i >> 32), t->random, 1},
                   (uint32_t[2]){7, 0});
        for (int k = 0; k < 4; k++)
            sum += (float)(word[k] >> 8) * (1.0f / 16777216.0f);
        x[i] = sum * 1.7320508f * deviation;
    }
    return x;
}

skv_tensor opcheck_put_raw(opcheck *t, skv_dtype type, const void *values, int ndim,
                           const int64_t *shape)
{
    skv_tensor x = skv_tensor_view(NULL, type, t->be->device, ndim, shape);
    const size_t bytes = skv_tensor_bytes(&x);

    if (t->n_dev == OPCHECK_MAX_KEPT ||
        skv_backend_alloc(t->be, &x.data, bytes > 0 ? bytes : 1, "a test's tensor") != SKV_OK ||
        skv_backend_upload(t->be, x.data, values, bytes) != SKV_OK)
        stop("tensors of a case");
    t->dev[t->n_dev++] = x.data;
    t->bytes += bytes;
    return x;
}

skv_tensor opcheck_put_floats(opcheck *t, skv_dtype type, float *values, int ndim,
                              const int64_t *shape)
{
    const skv_tensor f32 = skv_tensor_view(values, SKV_F32, SKV_HOST, ndim, shape);
    const size_t n = (size_t)skv_tensor_count(&f32);
    skv_tensor x;
    void *rounded;

    if (type == SKV_F32)
        return opcheck_put_raw(t, type, values, ndim, shape);
    rounded = calloc(n + 1, skv_dtype_bytes(type));
    if (rounded == NULL)
        stop("tensors of a case");
    skv_from_f32(rounded, type, values, n);
    skv_to_f32(values, rounded, type, n);
    x = opcheck_put_raw(t, type, rounded, ndim, shape);
    free(rounded);
    return x;
}

double opcheck_seconds(opcheck *t)
{
    struct timespec now;

    opcheck_succeeded(t, skv_backend_sync(t->be));
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double opcheck_least(double a, double b)
{
    return a < b ? a : b;
}

void opcheck_succeeded(opcheck *t, skv_status st)
{
    if (st != SKV_OK)
        fail(t, "%s: %s", skv_status_name(st), skv_message());
}

void opcheck_took_nothing(opcheck *t, int64_t allocs)
{
    if (t->be->n_allocs != allocs)
        fail(t, "%lld allocations on the device", (long long)(t->be->n_allocs - allocs));
}

void opcheck_report(opcheck *t, double seconds, int64_t flops)
{
    if (!t->perf)
        return;
    printf("%-18s %-40s %10.3f ms %8.1f GB/s", t->op, t->label, 1e3 * seconds,
           1e-9 * (double)t->bytes / seconds);
    if (flops > 0)
        printf(" %9.1f GFLOP/s", 1e-9 * (double)flops / seconds);
    if (flops > 0 && t->peak > 0)
        printf(" %4.0f %% of sgemm", 100 * (double)flops / seconds / t->peak);
    printf("\n");
}

void opcheck_refused(opcheck *t, const char *why, skv_status st)
{
    if (st != SKV_E_SHAPE)
        fail(t, "%s: %s instead of SKV_E_SHAPE", why, skv_status_name(st));
}

/* The output's bytes on the host, noted for the comparison between numbers of threads (FNV-1a).
 * Caller frees. */
static void *output_bytes(opcheck *t, const skv_tensor *y)
{
    const size_t n = skv_tensor_bytes(y);
    unsigned char *p = malloc(n + 1);
    uint64_t digest = 0xcbf29ce484222325u;

    if (p == NULL || skv_backend_download(t->be, p, y->data, n) != SKV_OK ||
        skv_backend_sync(t->be) != SKV_OK || t->outputs == OPCHECK_MAX_OUTPUTS)
        stop("an output");
    for (size_t i = 0; i < n; i++)
        digest = (digest ^ p[i]) * 0x100000001b3u;
    t->digest[t->outputs++] = digest;
    return p;
}

/* Half the distance from 1 to the type's next number; 0 for fp32, whose rounding is part of the
 * tolerance. */
static double unit_of(skv_dtype type)
{
    return type == SKV_BF16 ? 1.0 / 256 : type == SKV_F16 ? 1.0 / 2048 : 0.0;
}

/* The output's numbers, noted as above. */
static double *numbers_of(opcheck *t, const skv_tensor *y)
{
    const int64_t n = skv_tensor_count(y);
    double *have = opcheck_doubles(t, n);
    void *bytes = output_bytes(t, y);
    float *narrow;

    if (y->dtype == SKV_F64) {
        memcpy(have, bytes, (size_t)n * sizeof *have);
    } else {
        narrow = opcheck_floats(t, n);
        skv_to_f32(narrow, bytes, y->dtype, (size_t)n);
        for (int64_t i = 0; i < n; i++)
            have[i] = (double)narrow[i];
    }
    free(bytes);
    return have;
}

void opcheck_near(opcheck *t, const char *name, const skv_tensor *y, const double *want,
                  const double *size, double tolerance)
{
    const int64_t n = skv_tensor_count(y);
    const double unit = unit_of(y->dtype);
    double worst = 0;
    int64_t at = -1;
    double *have;

    if (t->perf)
        return;
    have = numbers_of(t, y);
    for (int64_t i = 0; i < n; i++) {
        const double error = fabs(have[i] - want[i]), s = size ? size[i] : fabs(want[i]);
        const double allowed = tolerance * s + unit * fabs(want[i]) + 1e-38;
        double excess = error / allowed;

        if (isnan(want[i]) || isinf(want[i]))
            excess = isnan(want[i]) ? (isnan(have[i]) ? 0 : 2) : (have[i] == want[i] ? 0 : 2);
        else if (!isfinite(have[i]))
            excess = INFINITY;
        if (excess > worst) {
            worst = excess;
            at = i;
        }
    }
    if (worst > 1)
        fail(t, "%s[%lld] = %.9g, want %.9g: %.3g of what is allowed", name, (long long)at,
             have[at], want[at], worst);
}

void opcheck_equal(opcheck *t, const char *name, const skv_tensor *y, const void *want)
{
    unsigned char *have;
    const unsigned char *w = want;
    const size_t n = skv_tensor_bytes(y);

    if (t->perf)
        return;
    have = output_bytes(t, y);
    for (size_t i = 0; i < n; i++)
        if (have[i] != w[i]) {
            fail(t, "%s: differs at number %zu", name, i / skv_dtype_bytes(y->dtype));
            break;
        }
    free(have);
}
