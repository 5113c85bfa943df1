/* Plain references of the operations, in double, on dense fp32 arrays on the host.
 *
 * `size` outputs are the sums of the terms' magnitudes: what rounding errors are measured by. */
#ifndef SKV_TESTS_REF_REF_H
#define SKV_TESTS_REF_REF_H

#include <stdint.h>

double ref_gelu(double t); /* tanh form */
double ref_silu(double t);

/* y = x·Wᵀ + b. x (m,k), w (n,k), b (n) or NULL, y and size (m,n). */
typedef struct {
    double *y, *size;
    const float *x, *w, *b;
    int64_t m, n, k;
} ref_linear_args;
void ref_linear(const ref_linear_args *a);

/* y = (x - mean)/sqrt(variance + eps)·mul + add of one row. */
void ref_norm_row(double *y, double *size, const double *x, const float *mul, const float *add,
                  int64_t n, double eps);

/* 3×3 convolution, NHWC, zero padding; w (co,ci,3,3) as in a checkpoint. */
typedef struct {
    double *y, *size;
    const float *x, *w, *b;
    int64_t pictures, height, width, ci, co;
} ref_conv_args;
void ref_conv3x3(const ref_conv_args *a);

/* silu(group norm), NHWC. */
typedef struct {
    double *y, *size;
    const float *x, *w, *b;
    int64_t pictures, pixels, channels, groups;
    double eps;
} ref_group_norm_args;
void ref_group_norm_silu(const ref_group_norm_args *a);

/* One query over n keys of dimension dim; keys and values lie `stride` apart; bias (n) or NULL.
 * size[d] = Σ p|v|·(2 + largest Σ|q·k|·scale + largest |bias|): an error of e in a score changes
 * its weight by the factor 1 + e. */
typedef struct {
    double *o, *size;
    const float *q, *k, *v;
    const double *bias;
    int64_t n, dim, stride;
    double scale;
} ref_attention_args;
void ref_attention(const ref_attention_args *a);

/* p = softmax(scale·q·k[j]), j < n; keys lie dim apart. Returns the largest Σ|q·k|·scale. */
double ref_softmax(double *p, const float *q, const float *k, int64_t n, int64_t dim, double scale);

/* Bilinear, align_corners false, two taps: `map` (height,width,d) at place (y,x) of a map of
 * (out_height,out_width); d numbers into out. */
typedef struct {
    const double *map;
    int64_t height, width, d, out_height, out_width;
} ref_map;
void ref_bilinear(double *out, const ref_map *m, int64_t y, int64_t x);

/* A byte's value, e4m3 or a signed integer; the byte nearest to x, of two the even one. */
double ref_byte_value(uint8_t code, int e4m3);
uint8_t ref_byte(double x, int e4m3);

#endif
