/* What the files of the CUDA backend share: its state, the libraries' error checks, prototypes.
 *
 * One stream a backend; an operation queues its work there and returns. Nothing in an operation
 * allocates or waits: the workspace below is all there is beside the arguments. */
#ifndef SKV_KERNELS_CUDA_INTERNAL_H
#define SKV_KERNELS_CUDA_INTERNAL_H

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "kernels/cuda/cuda_sizes.h"
#include "kernels/cuda/matmul_shape.h"
#include "kernels/ops.h"

#define SKV_CUDA_ROOMY 64

typedef struct skv_cuda__matmuls
    skv_cuda__matmuls; /* matmul.c: cuBLASLt and its chosen algorithms */
typedef struct skv_cuda__networks skv_cuda__networks; /* cudnn_graph.c: cuDNN plans */

typedef struct {
    cudaStream_t stream;
    int device, sm; /* sm: 90 for compute capability 9.0 */
    size_t shared;  /* bytes of shared memory that a block may have */
    int processors; /* streaming multiprocessors */
    bool tf32;
    char *workspace;        /* device, SKV_CUDA_WORKSPACE bytes */
    char *pinned[2];        /* host: uploads pass through them in turn */
    int turn;               /* the one to fill next */
    cudaEvent_t emptied[2]; /* when the copy out of each is done */
    cudaEvent_t mark[SKV_MARKS];
    cudaEvent_t timing[2];               /* of candidates, while tuning */
    cudaGraphExec_t graph[SKV_CAPTURES]; /* NULL: not captured yet */
    bool capturing;
    bool drain; /* SKV_SYNC=1 in the environment: wait after every launch, to find a failing one */
    int64_t fault; /* launches left before one that traps (SKV_FAULT_LAUNCH: for tests), 0: none */
    struct {
        const void *kernel;
        size_t bytes;
    } roomy[SKV_CUDA_ROOMY]; /* kernels that were allowed more than 48 KB of shared memory */
    int n_roomy;
    skv_cuda__matmuls *matmuls;
    skv_cuda__networks *networks; /* NULL until the first use */
    char description[224];
} skv_cuda;

static inline skv_cuda *skv_cuda__of(const skv_backend *be)
{
    return (skv_cuda *)be->impl;
}

/* SKV_E_UNSUPPORTED, for a switch over types that has none for this one. */
skv_status skv_cuda__no_kernel(const char *function, skv_dtype type);
/* SKV_E_CUDA (memory: SKV_E_MEM) with CUDA's own words; clears CUDA's last error. */
skv_status skv_cuda__failed(cudaError_t error, const char *call, const char *file, int line);
/* After a library's call failed: SKV_E_CUDA if the GPU itself is lost, SKV_OK if it answers. */
skv_status skv_cuda__lost(const char *call);

#define SKV_CUDA(call)                                                                             \
    do {                                                                                           \
        cudaError_t skv_cuda_st = (call);                                                          \
        if (skv_cuda_st != cudaSuccess)                                                            \
            return skv_cuda__failed(skv_cuda_st, #call, __FILE__, __LINE__);                       \
    } while (0)

/* gpu_fit.c: SKV_E_UNSUPPORTED where a GPU (the current one) is too old, the program has no code
 * for it, or the cuDNN that was found is too old. */
skv_status skv_cuda__check_gpu(const struct cudaDeviceProp *gpu, int device);
/* gpu_probe.cu: what CUDA says of a kernel that is compiled as all are. */
cudaError_t skv_cuda__probe(void);

/* Allows a kernel `bytes` of dynamic shared memory before its launch. SKV_E_UNSUPPORTED: too many.
 */
skv_status skv_cuda__shared(skv_backend *be, const void *kernel, size_t bytes);

/* graph.c: what backend.h says of them. */
skv_status skv_cuda__capture(skv_backend *be);
skv_status skv_cuda__launch(skv_backend *be, int slot, skv_status st);
void skv_cuda__graphs_destroy(skv_cuda *c);

/* trap.cu: a kernel that kills the context, as a broken GPU would. */
void skv_cuda__trap(skv_backend *be);

/* After a kernel launch: its error, and with SKV_SYNC=1 in the environment that of its run. */
skv_status skv_cuda__launched(skv_backend *be, const char *kernel);

/* dst (device, dst_type) = src (host, src_type, n numbers, any alignment), rounded to nearest even;
 * fp32 on a TF32 backend with `tf32` also to TF32. Waits until src may be reused, no longer. */
skv_status skv_cuda__upload_as(skv_backend *be, void *dst, skv_dtype dst_type, const void *src,
                               skv_dtype src_type, size_t n, bool tf32);

/* The same on the device, in stream order; x and y may not overlap. */
skv_status skv_cuda__convert(skv_backend *be, void *y, skv_dtype y_type, const void *x,
                             skv_dtype x_type, int64_t n, bool tf32);

/* gated_gelu.cu: y = gelu(y), n numbers. */
skv_status skv_cuda__gelu(skv_backend *be, void *y, skv_dtype type, int64_t n);

/* matmul.c; see matmul_shape.h. */
skv_status skv_cuda__matmul(skv_backend *be, const skv_cuda__matmul_args *a);
skv_status skv_cuda__matmuls_create(skv_cuda__matmuls **out);
void skv_cuda__matmuls_destroy(skv_cuda__matmuls *m);
size_t skv_cuda__matmuls_version(void); /* cuBLASLt's own */
/* linear_plain.cu: the same by a plain kernel, for what cuBLASLt refuses. */
skv_status skv_cuda__matmul_plain(skv_backend *be, const skv_cuda__matmul_args *a);

/* cudnn_ops.c. *done = false: cuDNN has nothing for it, and nothing was queued. They use all of the
 * workspace; which engine serves a shape is a choice in be->tuning. */
skv_status skv_cuda__cudnn_attention(skv_backend *be, const skv_attention_args *a, bool *done);
skv_status skv_cuda__cudnn_conv3x3(skv_backend *be, const skv_conv3x3_args *a, bool *done);
skv_status skv_cuda__cudnn_upsample_conv(skv_backend *be, const skv_upsample_conv_args *a,
                                         bool *done);
void skv_cuda__networks_destroy(skv_cuda__networks *n);
size_t skv_cuda__networks_version(void); /* cuDNN's own */
/* add_bias.cu: y (places, channels) bf16 += b, and += r of y's shape unless NULL, in place,
 * rounding once more; channels a multiple of 8, pointers aligned to 16 bytes. */
skv_status skv_cuda__add_bias(skv_backend *be, void *y, const float *b, const void *r,
                              int64_t places, int64_t channels);

/* conv_product.cu: a convolution as a product by one of the two above; in the workspace's second
 * half. upsample_plain.cu: by a plain kernel. */
typedef skv_status (*skv_cuda__product)(skv_backend *be, const skv_cuda__matmul_args *a);
skv_status skv_cuda__conv_product(skv_backend *be, const skv_conv3x3_args *a,
                                  skv_cuda__product multiply);
skv_status skv_cuda__upsample_plain(skv_backend *be, const skv_upsample_conv_args *a);

/* conv_few.cu: 128 channels to 3, fp32 output. */
skv_status skv_cuda__conv_few(skv_backend *be, const skv_conv3x3_args *a, bool *done);

/* flash.cu: attention of bf16 tensors on tensor cores for head dimensions that are multiples of 8
 * up to 128. Row r, head h of k and v starts at row_start[r]·row_stride + h·head_stride; token t
 * lies token_stride further; it reads len[by_row ? r : h] tokens, 0: its part of o stays as it is.
 * Strides in elements. */
typedef struct {
    void *o;
    const void *q, *k, *v; /* q, o (R,L,H,D) */
    int64_t rows, tokens, heads, dim;
    int64_t row_stride, head_stride, token_stride; /* of k and v */
    const int32_t *row_start;                      /* R host integers, NULL: r */
    const int32_t *len;
    bool by_row;
    float scale;
} skv_cuda__flash_args;
skv_status skv_cuda__flash(skv_backend *be, const skv_cuda__flash_args *a);
/* attend.cu: the same for any type and head dimension, by flash.cu where it serves. */
skv_status skv_cuda__attend(skv_backend *be, const skv_cuda__flash_args *a);

#define X(op) skv_status skv_cuda_##op(skv_backend *be, const skv_##op##_args *a);
SKV_OPS(X)
#undef X

skv_status skv_cuda__pack_linear(skv_backend *be, skv_tensor *out, void *dst, const void *src,
                                 skv_dtype src_type, int64_t n, int64_t k);
skv_status skv_cuda__pack_conv(skv_backend *be, skv_tensor *out, void *dst, const void *src,
                               skv_dtype src_type, int64_t co, int64_t ci);

#ifdef __cplusplus
}
#endif
#endif
