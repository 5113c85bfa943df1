/* A tensor is a view: it never owns its memory (arenas and files do). */
#ifndef SKV_CORE_TENSOR_H
#define SKV_CORE_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dtype.h"
#include "core/mem.h"

#define SKV_MAX_DIMS 4

typedef enum { SKV_HOST = 0, SKV_CUDA_DEVICE = 1 } skv_device;

typedef struct {
    void *data;
    skv_dtype dtype;
    skv_device device;
    int ndim;
    int64_t shape[SKV_MAX_DIMS];
    int64_t stride[SKV_MAX_DIMS]; /* in elements; 0 repeats */
} skv_tensor;

/* Row-major view of `data`; unused trailing extents are ignored. 1 <= ndim <= 4. */
skv_tensor skv_tensor_view(void *data, skv_dtype dtype, skv_device device, int ndim,
                           const int64_t *shape);

/* Shorthands: a contiguous view of 1 to 4 dimensions. */
#define SKV_TENSOR(data, dtype, device, ...)                                                       \
    skv_tensor_view((data), (dtype), (device),                                                     \
                    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                     \
                    (int64_t[]){__VA_ARGS__})

/* *out = a contiguous tensor of memory from the arena. SKV_E_MEM beyond its capacity. */
SKV_MUST skv_status skv_arena_tensor(skv_tensor *out, skv_arena *a, skv_dtype dtype,
                                     skv_device device, int ndim, const int64_t *shape);
#define SKV_TAKE(out, arena, dtype, device, ...)                                                   \
    skv_arena_tensor((out), (arena), (dtype), (device),                                            \
                     (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                    \
                     (int64_t[]){__VA_ARGS__})

/* Elements, and bytes of a contiguous tensor of this shape. */
int64_t skv_tensor_count(const skv_tensor *t);
size_t skv_tensor_bytes(const skv_tensor *t);

/* No gaps and no repetition: stride is the row-major one wherever the extent is not 1. */
bool skv_tensor_contiguous(const skv_tensor *t);

/* Rows [first, first + n) of the first dimension; the other dimensions as they are. */
skv_tensor skv_tensor_rows(const skv_tensor *t, int64_t first, int64_t n);

/* Number i of the first dimension, with one dimension less (ndim >= 2). */
skv_tensor skv_tensor_at(const skv_tensor *t, int64_t i);

/* The same memory under another contiguous shape of equal count (t must be contiguous). */
#define SKV_RESHAPE(t, ...)                                                                        \
    skv_tensor_reshape((t), (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),             \
                       (int64_t[]){__VA_ARGS__})
skv_tensor skv_tensor_reshape(const skv_tensor *t, int ndim, const int64_t *shape);

/* "(2,16,64) fp32" into buf; returns buf. */
const char *skv_tensor_describe(char *buf, size_t bytes, const skv_tensor *t);

#endif
