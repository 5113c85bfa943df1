#include "metrics_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_KINDS 64

static hid_t file = -1;

/* What was compared, by the words that a failure would use. */
static struct {
    const char *fmt;
    double worst, tolerance;
    long n;
} kinds[MAX_KINDS];

int metrics_open(void **state)
{
    (void)state;
    file = H5Fopen(SKV_TEST_DATA "/metrics.h5", H5F_ACC_RDONLY, H5P_DEFAULT);
    return file < 0;
}

int metrics_close(void **state)
{
    (void)state;
    printf("%-36s %10s %12s %10s\n", "compared", "numbers", "largest off", "tolerance");
    for (int i = 0; i < MAX_KINDS && kinds[i].fmt; i++)
        printf("%-36s %10ld %12.2g %10.2g\n", kinds[i].fmt, kinds[i].n, kinds[i].worst,
               kinds[i].tolerance);
    return H5Fclose(file) < 0;
}

static void *read_array(hid_t type, hsize_t *shape, const char *path)
{
    hid_t set = H5Dopen2(file, path, H5P_DEFAULT), space;
    hssize_t n;
    void *data;

    if (set < 0)
        fail_msg("metrics.h5 has no %s", path);
    space = H5Dget_space(set);
    assert_true(H5Sget_simple_extent_ndims(space) <= 4);
    if (shape)
        H5Sget_simple_extent_dims(space, shape, NULL);
    n = H5Sget_simple_extent_npoints(space);
    data = malloc((size_t)n * H5Tget_size(type));
    assert_non_null(data);
    assert_true(H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    H5Sclose(space);
    H5Dclose(set);
    return data;
}

void *metrics_array(hid_t type, hsize_t *shape, const char *fmt, ...)
{
    char path[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(path, sizeof path, fmt, args);
    va_end(args);
    return read_array(type, shape, path);
}

double metrics_number(const char *fmt, ...)
{
    char path[256];
    va_list args;
    double *data, value;

    va_start(args, fmt);
    vsnprintf(path, sizeof path, fmt, args);
    va_end(args);
    data = read_array(H5T_NATIVE_DOUBLE, NULL, path);
    value = *data;
    free(data);
    return value;
}

metrics_pair metrics_read_pair(const char *group)
{
    hsize_t shape[4];
    metrics_pair pair;

    pair.a = metrics_array(H5T_NATIVE_UCHAR, shape, "%s/a", group);
    pair.b = metrics_array(H5T_NATIVE_UCHAR, NULL, "%s/b", group);
    pair.height = (int)shape[0];
    pair.width = (int)shape[1];
    return pair;
}

static void note(const char *fmt, double off, double tolerance)
{
    int i = 0;

    while (i < MAX_KINDS - 1 && kinds[i].fmt && strcmp(kinds[i].fmt, fmt) != 0)
        i++;
    kinds[i].fmt = fmt;
    kinds[i].tolerance = tolerance;
    kinds[i].worst = off > kinds[i].worst ? off : kinds[i].worst;
    kinds[i].n++;
}

void metrics_near(double got, double want, double tolerance, const char *fmt, ...)
{
    char what[256];
    va_list args;

    if (got == want || fabs(got - want) <= tolerance) {
        note(fmt, got == want ? 0 : fabs(got - want), tolerance);
        return;
    }
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    fail_msg("%s: %.17g, want %.17g within %g", what, got, want, tolerance);
}
