/* The harness of skv-opcheck: a case's tensors, its outputs against references, refusals, timing.
 *
 * A check function builds small cases and compares; it is run again with other numbers of threads,
 * and every output must have the same bytes. In the timing mode it builds one large case instead.
 */
#ifndef SKV_TESTS_OPS_OPCHECK_H
#define SKV_TESTS_OPS_OPCHECK_H

#include "kernels/ops.h"

#define OPCHECK_MAX_KEPT    64   /* allocations of a case */
#define OPCHECK_MAX_OUTPUTS 1024 /* of an operation's cases */

/* fp32: half of the distance from 1 to the next number. */
#define OPCHECK_UNIT (1.0 / 16777216.0)

/* What a backend of 16-bit types adds to an operation's tolerance: INSIDE where it rounds inside
 * (probabilities before their product with the values: half a unit of bf16, 2^-9, and as much for
 * luck); FUNCTION, 2^-16, for its faster functions, far below a unit of its outputs. */
#define OPCHECK_INSIDE(t)   ((t)->be->act == SKV_F32 ? 0.0 : 1.0 / 256)
#define OPCHECK_FUNCTION(t) ((t)->be->act == SKV_F32 ? 0.0 : 1.0 / 65536)

typedef struct {
    skv_backend *be;
    const char *op;
    char label[160]; /* of the running case */
    bool perf;
    int failures, cases, outputs;
    uint32_t random; /* arrays made so far */
    double peak;     /* flops a second of a plain product of matrices; 0: not measured */
    uint64_t digest[OPCHECK_MAX_OUTPUTS];
    size_t bytes; /* of the running case's tensors */
    void *host[OPCHECK_MAX_KEPT], *dev[OPCHECK_MAX_KEPT];
    int n_host, n_dev;
} opcheck;

/* Begins a case and names it; frees what the case before had. */
void opcheck_case(opcheck *t, const char *fmt, ...) SKV_PRINTF(2, 3);

/* Zeroed host arrays that live as long as the case. */
float *opcheck_floats(opcheck *t, int64_t n);
double *opcheck_doubles(opcheck *t, int64_t n);
int32_t *opcheck_ints(opcheck *t, int64_t n);
uint8_t *opcheck_u8s(opcheck *t, int64_t n);

/* NaNs: what an operation must overwrite without reading. */
float *opcheck_unset(opcheck *t, int64_t n);
/* The same, rows of n numbers, but OPCHECK_KEPT in those with a count of 0, which are to stay. */
float *opcheck_kept(opcheck *t, const int32_t *count, int64_t rows, int64_t n);
#define OPCHECK_KEPT 0.625f

/* Uniform in [low, high), or normal with this deviation; the same in every run. */
float *opcheck_uniform(opcheck *t, int64_t n, float low, float high);
float *opcheck_normal(opcheck *t, int64_t n, float deviation);

/* A contiguous tensor on the device. OPCHECK_F: of a float type; `values` are rounded to it in
 * place, so that references see what the operation sees. OPCHECK_RAW: of the array's own type. */
#define OPCHECK_F(t, type, values, ...)                                                            \
    opcheck_put_floats((t), (type), (values),                                                      \
                       (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                  \
                       (int64_t[]){__VA_ARGS__})
#define OPCHECK_RAW(t, type, values, ...)                                                          \
    opcheck_put_raw((t), (type), (values),                                                         \
                    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                     \
                    (int64_t[]){__VA_ARGS__})
skv_tensor opcheck_put_floats(opcheck *t, skv_dtype type, float *values, int ndim,
                              const int64_t *shape);
skv_tensor opcheck_put_raw(opcheck *t, skv_dtype type, const void *values, int ndim,
                           const int64_t *shape);

/* Runs the operation (in the timing mode: several times, and prints the best). That it fails or
 * takes device memory fails the check. */
#define OPCHECK_RUN(t, call)                                                                       \
    do {                                                                                           \
        const int runs_ = (t)->perf ? 6 : 1;                                                       \
        double best_ = 1e30;                                                                       \
        const int64_t flops_ = (t)->be->flops, allocs_ = (t)->be->n_allocs;                        \
        for (int run_ = 0; run_ < runs_; run_++) {                                                 \
            const double start_ = opcheck_seconds(t);                                              \
            opcheck_succeeded((t), (call));                                                        \
            best_ = opcheck_least(best_, opcheck_seconds(t) - start_);                             \
        }                                                                                          \
        opcheck_took_nothing((t), allocs_);                                                        \
        opcheck_report((t), best_, ((t)->be->flops - flops_) / runs_);                             \
    } while (0)
double opcheck_seconds(opcheck *t); /* after everything queued is done */
double opcheck_least(double a, double b);
void opcheck_succeeded(opcheck *t, skv_status st);
void opcheck_took_nothing(opcheck *t, int64_t allocs);
void opcheck_report(opcheck *t, double seconds, int64_t flops);

/* The call must be refused with SKV_E_SHAPE; `why` says what is wrong with it. */
void opcheck_refused(opcheck *t, const char *why, skv_status st);

/* |y - want| <= tolerance·size + (half a unit of y's own type)·|want| for every number; NaN where
 * NaN is wanted. size NULL: |want|. y is a contiguous tensor, `name` is for messages. */
void opcheck_near(opcheck *t, const char *name, const skv_tensor *y, const double *want,
                  const double *size, double tolerance);

/* Byte for byte. */
void opcheck_equal(opcheck *t, const char *name, const skv_tensor *y, const void *want);

/* Flops a second of OpenBLAS's fp32 product of two 2048×2048 matrices with so many threads of its
 * own; it runs one thread a call afterwards, as the CPU backend wants it. */
double opcheck_sgemm_rate(int threads);

#define X(op) void check_##op(opcheck *t);
SKV_OPS(X)
#undef X

#endif
