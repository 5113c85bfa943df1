/* numpy's archives of arrays (.npz, as numpy.savez and savez_compressed write them), floating-point
 * ones: read and written. README.md has the form. */
#ifndef SKV_IO_NPZ_H
#define SKV_IO_NPZ_H

#include <stdint.h>

#include "core/status.h"

#define SKV_NPZ_MAX_DIMS 4

typedef struct skv_npz skv_npz;

/* Reads the file's directory. SKV_E_NOTFOUND when there is none, SKV_E_FORMAT when it is no archive
 * or a damaged one. Closed with skv_npz_close, which accepts NULL. */
SKV_MUST skv_status skv_npz_open(skv_npz **out, const char *path);
void skv_npz_close(skv_npz *f);

/* *out = the array of this name as double, row-major, free(). It must have this shape (each
 * dimension at least 1) and be of float32 or float64, in either byte order, row by row or (Fortran)
 * column by column. SKV_E_NOTFOUND naming the arrays that there are, SKV_E_SHAPE, SKV_E_FORMAT. */
SKV_MUST skv_status skv_npz_read(double **out, const skv_npz *f, const char *name, int n_dims,
                                 const int64_t *shape);

typedef struct {
    const char *name;
    int n_dims;
    int64_t shape[SKV_NPZ_MAX_DIMS];
    const double *data; /* row-major */
} skv_npz_array;

/* Writes the arrays as float64, not compressed: whole or not at all. Less than 2 GiB in all. */
SKV_MUST skv_status skv_npz_write(const char *path, const skv_npz_array *array, int n);

#endif
