/* Parameters of the metric networks: from the files their authors released, or made up by a
 * formula, and convolutions made of them.
 *
 * Everything is fp32 (never TF32), on a backend whose activations are fp32. */
#ifndef SKV_EVAL_METRICS_NETWORK_H
#define SKV_EVAL_METRICS_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "io/checkpoint_kind.h"
#include "kernels/backend.h"

typedef struct {
    const char *path;     /* borrowed */
    skv_checkpoint *file; /* NULL: the formula */
} skv_network_file;

/* A file of weights as its authors released it. */
typedef struct {
    const char *option;      /* of skv eval: another file than the usual one */
    const char *name;        /* usual name of the file */
    const char *what, *from; /* "AlexNet's weights", and where to get them */
    skv_kind kind;
} skv_weight_file;

#define SKV_NETWORK_FILES 2 /* at most, of a network */

/* `path`: a PyTorch file, or "formula". SKV_E_NOTFOUND says where to get the file,
 * SKV_E_ARG what it is instead. What is taken off the names of its tensors is logged. */
SKV_MUST skv_status skv_network_open(skv_network_file *out, const char *path,
                                     const skv_weight_file *file);
void skv_network_close(skv_network_file *f);

/* Formula values: add + mul·r, r uniform in [-1,1) by the tensor's name; `positive`: of |r|. */
typedef struct {
    double add, mul;
    bool positive;
} skv_network_rule;

/* *out = the tensor in host fp32, row-major, free(). Refuses a missing tensor, another shape (file,
 * tensor and wanted shape are named), and values that are not finite. */
SKV_MUST skv_status skv_network_read(float **out, const skv_network_file *f, const char *name,
                                     int ndim, const int64_t *shape, skv_network_rule rule);

/* A convolution with bias and ReLU, its parameters on the device. */
typedef struct {
    skv_tensor w, b; /* (co, kh·kw·ci), (co) */
    void *memory;
    int ci, co, kh, kw, stride, pad_h, pad_w;
} skv_conv;

/* Uploads weight (co,ci,kh,kw) and bias (co) of the host for conv's sizes, which are set. */
SKV_MUST skv_status skv_conv_upload(skv_conv *conv, skv_backend *be, const float *weight,
                                    const float *bias);

/* Side of the output map. */
static inline int skv_conv_side(int side, int kernel, int stride, int pad)
{
    return (side + 2 * pad - kernel) / stride + 1;
}

#endif
