/* skv-opcheck: every operation of a backend against a plain reference in double, three times (on
 * the CPU with 1, 2 and 3 threads), whose bytes must agree. --perf times one large case of each
 * instead. cuda-99k: blocks have the shared memory of GPUs with the least.
 */
#include "opcheck.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_SHARED ((size_t)99 << 10) /* of compute capability 8.6, 8.9 and 12.0 */

typedef struct {
    const char *name;
    void (*check)(opcheck *t);
} operation;

static const char *const backends[] = {"cpu", "cuda", "cuda-fp32", "cuda-99k"};

static const operation operations[] = {
#define X(op) {#op, check_##op},
    SKV_OPS(X)
#undef X
};

#define N_OPERATIONS ((int)(sizeof operations / sizeof *operations))

/* No slot of the backend's table is NULL. */
static int check_table(const skv_backend *be)
{
    const skv_ops *ops = be->ops;
    int missing = 0;

#define SLOT(slot)                                                                                 \
    if (ops->slot == NULL) {                                                                       \
        printf("FAIL table: %s has no %s\n", be->name, #slot);                                     \
        missing++;                                                                                 \
    }
#define X(op) SLOT(op)
    SKV_OPS(X)
#undef X
    SLOT(alloc)
    SLOT(free)
    SLOT(upload)
    SLOT(download)
    SLOT(sync)
    SLOT(mark)
    SLOT(elapsed)
    SLOT(memory)
    SLOT(destroy)
    SLOT(describe)
    SLOT(packed_linear_bytes)
    SLOT(packed_conv_bytes)
    SLOT(pack_linear)
    SLOT(pack_conv)
#undef SLOT
    return missing;
}

static skv_backend *open_backend(const char *name, int threads)
{
    skv_backend *be = NULL;

    const skv_cuda_options cuda = {.type = strcmp(name, "cuda-fp32") == 0 ? SKV_F32 : SKV_BF16,
                                   .shared = strcmp(name, "cuda-99k") == 0 ? LEAST_SHARED : 0};
    skv_status st;

    if (strcmp(name, "cpu") == 0)
        st = skv_backend_open_cpu(&be, threads);
    else
        st = skv_backend_open_cuda(&be, &cuda);
    if (st != SKV_OK) {
        fprintf(stderr, "skv-opcheck: %s\n", skv_message());
        exit(st == SKV_E_UNSUPPORTED || st == SKV_E_NOTFOUND ? 77 : 1);
    }
    return be;
}

/* One operation with so many threads. */
static void run(const operation *op, opcheck *t, const char *backend, int threads)
{
    t->be = open_backend(backend, threads);
    t->op = op->name;
    op->check(t);
    opcheck_case(t, "end"); /* frees the last one's */
    t->cases--;
    skv_backend_destroy(t->be);
}

/* Returns the number of failures. */
static int check(const operation *op, const char *backend)
{
    static opcheck first, other;
    int failures;

    memset(&first, 0, sizeof first);
    run(op, &first, backend, 1);
    failures = first.failures;
    for (int threads = 2; threads <= 3; threads++) {
        int same = 0;

        memset(&other, 0, sizeof other);
        run(op, &other, backend, threads);
        failures += other.failures;
        while (same < first.outputs && same < other.outputs &&
               first.digest[same] == other.digest[same])
            same++;
        if (same < first.outputs || first.outputs != other.outputs) {
            printf("FAIL %s: output %d has other bytes in run %d\n", op->name, same, threads);
            failures++;
        }
    }
    if (first.outputs == 0) {
        printf("FAIL %s: nothing was compared\n", op->name);
        failures++;
    }
    printf("%s %s: %d cases, %d outputs, three runs alike\n", failures ? "FAILED" : "ok", op->name,
           first.cases, first.outputs);
    return failures;
}

static bool is_backend(const char *name)
{
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
        if (strcmp(name, backends[i]) == 0)
            return true;
    return false;
}

static int usage(void)
{
    fprintf(stderr, "usage: skv-opcheck [-b cpu|cuda|cuda-fp32|cuda-99k] [-o OPERATION|table|list] "
                    "[-t THREADS] [--perf]\n"
                    "  -t counts with --perf only\n");
    return 2;
}

int main(int argc, char **argv)
{
    const char *backend = "cpu", *only = NULL;
    int threads = 2, perf = 0, failures = 0, found = 0;
    double peak = 0;
    skv_backend *be;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--perf") == 0)
            perf = 1;
        else if (i + 1 < argc && strcmp(argv[i], "-b") == 0)
            backend = argv[++i];
        else if (i + 1 < argc && strcmp(argv[i], "-o") == 0)
            only = argv[++i];
        else if (i + 1 < argc && strcmp(argv[i], "-t") == 0)
            threads = atoi(argv[++i]);
        else
            return usage();
    }
    if (!is_backend(backend))
        return usage();
    if (only != NULL && strcmp(only, "list") == 0) {
        for (int i = 0; i < N_OPERATIONS; i++)
            printf("%s\n", operations[i].name);
        return 0;
    }
    be = open_backend(backend, 1);
    failures = check_table(be);
    skv_backend_destroy(be);
    if (perf && strcmp(backend, "cpu") == 0) {
        peak = opcheck_sgemm_rate(threads);
        printf("sgemm 2048 cubed, %d threads: %.1f GFLOP/s\n", threads, 1e-9 * peak);
    }
    for (int i = 0; i < N_OPERATIONS; i++) {
        static opcheck t;

        if (only != NULL && strcmp(only, operations[i].name) != 0)
            continue;
        found = 1;
        if (!perf) {
            failures += check(&operations[i], backend);
            continue;
        }
        memset(&t, 0, sizeof t);
        t.perf = true;
        t.peak = peak;
        run(&operations[i], &t, backend, threads);
        failures += t.failures;
    }
    if (only != NULL && !found && strcmp(only, "table") != 0)
        return usage();
    return failures ? 1 : 0;
}
