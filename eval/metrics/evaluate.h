/* Every compared side against the reference, picture by picture, over all ranks.
 *
 * What a picture's numbers are depends on its two pictures alone, and sums run over pictures in row
 * order at rank 0, so no result depends on the number of ranks or threads. */
#ifndef SKV_EVAL_METRICS_EVALUATE_H
#define SKV_EVAL_METRICS_EVALUATE_H

#include "eval/metrics/inception.h"
#include "eval/metrics/lpips.h"
#include "eval/metrics/pairs.h"
#include "mpi/comm.h"

/* Wall time of this rank by stage. */
typedef struct {
    double read, pixels, resize, lpips, inception, bits;
} skv_eval_seconds;

typedef struct {
    const skv_pairs *pairs;
    skv_comm *comm;
    int threads;               /* of this rank, for pixels and files */
    skv_lpips *lpips;          /* NULL: no LPIPS. On all ranks or none */
    skv_inception *inception;  /* NULL: no FID, no KID. On all ranks or none */
    skv_eval_seconds *seconds; /* added to; NULL: not wanted */
} skv_eval_setup;

/* One compared side; NaN: not computed. */
typedef struct {
    double *psnr, *ssim, *lpips; /* (n), NULL: none; psnr of equal pictures: +infinity */
    double *bits_equal;          /* (n,S) */
    int64_t n_pairs, n_identical;
    double psnr_mean;        /* of dB: infinite as soon as one pair is identical */
    double psnr_mean_finite; /* over the other pairs */
    double ssim_mean, lpips_mean, fid, kid;
    double *bits_mean; /* (S) */
} skv_eval_side;

typedef struct {
    int64_t n;
    int n_sides, n_scales;
    skv_eval_side *side; /* (n_sides) the first, the reference, is left empty */
} skv_eval_result;

/* Collective. The result is filled at rank 0 alone, and cleared with skv_eval_result_clear.
 * Pictures of a pair that differ in size, or cannot be read, fail the whole. */
SKV_MUST skv_status skv_evaluate(skv_eval_result *out, const skv_eval_setup *setup);
void skv_eval_result_clear(skv_eval_result *r);

#endif
