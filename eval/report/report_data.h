/* What a report tells, read from run.h5 and metrics.h5 and summed up. Sections only format it.
 *
 * Sizes are of one picture, all its rows (with and without the prompt); NaN: not known. */
#ifndef SKV_EVAL_REPORT_DATA_H
#define SKV_EVAL_REPORT_DATA_H

#include "run/run_file.h"

/* Numbers against the reference path. */
typedef struct {
    bool there; /* false: not compared */
    int64_t n_pairs, n_identical;
    double psnr, psnr_finite, ssim, lpips, fid, kid; /* means */
    double *psnr_of, *ssim_of, *lpips_of;            /* (n) or NULL */
    double *bits;                                    /* (n_bits) share of equal bits, or NULL */
    int n_bits;
} skv_report_metrics;

typedef struct {
    const skv_run_path *run;
    char *policy, *options;             /* of its settings; options as JSON text */
    int series;                         /* paths of one policy and options: one line of a plot */
    bool compared;                      /* not the reference of the numbers */
    bool inactive;                      /* cuts, but never had to */
    int64_t *length, *capacity, *bytes; /* (S-1,l) */
    float *kept;                        /* (S-1,l,S) or NULL */
    double tokens;                      /* a layer after the last cut */
    double planned, peak, last; /* bytes: highest by capacity, highest taken, after the last cut */
    double share;               /* last, of all tokens' */
    double pool_peak;           /* bytes of a group's pool */
    double images_s, transformer_s; /* of one device; seconds a picture */
    bool first_groups_in;           /* there is no group that was not its rank's first */
    skv_report_metrics m;
} skv_report_path;

typedef enum { SKV_METRICS_NONE, SKV_METRICS_STALE, SKV_METRICS_READ } skv_metrics_state;

typedef struct {
    skv_run_file run;
    skv_metrics_state metrics;
    char *networks; /* "files", "formula" or "none" */
    int reference;  /* of the numbers and the pictures, -1 none */
    int n_stale;    /* paths made anew since metrics.h5 */
    int n_series;
    int64_t n_failed, n_truncated, *group; /* group: (n) of every row */
    double *sequence;      /* (S-1) tokens of the first scales, summed; S of the first path */
    double full;           /* bytes of all tokens but the last scale's */
    int width, height;     /* of the pictures, 0 not known */
    skv_report_path *path; /* (run.n_paths) */
} skv_report_data;

/* Cleared with skv_report_data_clear, also after a failure. */
SKV_MUST skv_status skv_report_data_read(skv_report_data *out, const char *folder);
void skv_report_data_clear(skv_report_data *d);

/* Called by skv_report_data_read: RUN/metrics.h5, where there is one. */
SKV_MUST skv_status skv_report__read_metrics(skv_report_data *d);

/* The first path of a series, what it is called, and its members' number. */
int skv_report_series_first(const skv_report_data *d, int series);
const char *skv_report_series_name(const skv_report_data *d, int series);

#endif
