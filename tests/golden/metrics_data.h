/* Reading tests/data/metrics.h5: pictures, features and the metrics of an independent form. */
#ifndef SKV_TESTS_METRICS_DATA_H
#define SKV_TESTS_METRICS_DATA_H

#include <hdf5.h>

#include "cmocka_all.h"

/* cmocka's group setup and teardown. */
int metrics_open(void **state);
int metrics_close(void **state);

/* A whole dataset as `type` (free()); shape, if not NULL, has room for 4. */
void *metrics_array(hid_t type, hsize_t *shape, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
double metrics_number(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Both pictures of "pair/0" and so on; free(). */
typedef struct {
    unsigned char *a, *b;
    int height, width;
} metrics_pair;
metrics_pair metrics_read_pair(const char *group);

/* |got - want| <= tolerance, or both the same infinity; says what it was about. The largest
 * difference of each kind (fmt) is printed at the end. */
void metrics_near(double got, double want, double tolerance, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* The groups that hold pairs. */
#define METRICS_PAIRS                                                                              \
    "pair/0", "pair/1", "pair/2", "pair/3", "pair/4", "pair/5", "extra/flat", "extra/identical"

#endif
