/* Shape, type and device checks of operations' arguments, done once for all backends. */
#ifndef SKV_KERNELS_CHECK_H
#define SKV_KERNELS_CHECK_H

#include "kernels/ops.h"

/* Types a tensor may have, as a set. */
#define SKV_IS_F32  (1u << SKV_F32)
#define SKV_IS_I32  (1u << SKV_I32)
#define SKV_IS_U8   (1u << SKV_U8)
#define SKV_IS_F64  (1u << SKV_F64)
#define SKV_IS_E4M3 (1u << SKV_E4M3)
#define SKV_IS_I8   (1u << SKV_I8)

/* Which strides may differ from the dense row-major ones. */
#define SKV_DENSE      0
#define SKV_FREE_FIRST 1 /* the first */
#define SKV_FREE_TWO   2 /* the first two */
#define SKV_FREE_ALL   3 /* all but the last, which must be 1 */

typedef struct {
    const char *op, *arg;
    const skv_tensor *t;
    unsigned types;
    int free_strides;
    int ndim;
    int64_t shape[SKV_MAX_DIMS]; /* -1: any */
} skv_wanted;

/* SKV_E_SHAPE with operation, argument, wanted and given. */
SKV_MUST skv_status skv_check__tensor(const skv_backend *be, const skv_wanted *w);

/* SKV_E_SHAPE with operation, what it is, its value and the range, unless low <= value <= high. */
SKV_MUST skv_status skv_check__range(const char *op, const char *what, int64_t value, int64_t low,
                                     int64_t high);

#define SKV_WANT(op_name, a, member, type_set, strides, ...)                                       \
    skv_check__tensor(                                                                             \
        be, &(skv_wanted){.op = (op_name),                                                         \
                          .arg = #member,                                                          \
                          .t = &(a)->member,                                                       \
                          .types = (type_set),                                                     \
                          .free_strides = (strides),                                               \
                          .ndim = (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),       \
                          .shape = {__VA_ARGS__}})

#define X(op) SKV_MUST skv_status skv_check__##op(const skv_backend *be, const skv_##op##_args *a);
SKV_OPS(X)
#undef X

#endif
