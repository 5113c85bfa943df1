/* What the CPU's operations are measured by: one large product of OpenBLAS alone. */
#include <cblas.h>
#include <stdlib.h>
#include <time.h>

#include "opcheck.h"

#define SIDE 2048
#define RUNS 5

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double opcheck_sgemm_rate(int threads)
{
    const size_t n = (size_t)SIDE * SIDE;
    float *x = calloc(3 * n, sizeof *x);
    double best = 1e30;

    if (x == NULL)
        return 0;
    for (size_t i = 0; i < 2 * n; i++)
        x[i] = (float)(i % 17) - 8;
    openblas_set_num_threads(threads);
    for (int i = 0; i < RUNS; i++) {
        const double start = seconds();

        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, SIDE, SIDE, SIDE, 1.0f, x, SIDE, x + n,
                    SIDE, 0.0f, x + 2 * n, SIDE);
        best = opcheck_least(best, seconds() - start);
    }
    openblas_set_num_threads(1);
    free(x);
    return 2.0 * SIDE * SIDE * SIDE / best;
}
