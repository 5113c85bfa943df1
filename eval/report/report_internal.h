/* Parts of the report: what is read from a run's files, and the JSON value that the page gets. */
#ifndef SKV_EVAL_REPORT_INTERNAL_H
#define SKV_EVAL_REPORT_INTERNAL_H

#include "eval/report/bootstrap.h"
#include "run/run_file.h"

/* A metric as metrics.h5 describes it (eval/metrics/README.md). */
typedef struct {
    char *name, *title, *long_name, *units;
    char *better, *kind; /* "higher", "lower", "none"; "picture", "scale", "set" */
    int64_t order;       /* among the metrics */
    bool percent;        /* 100 times the value is shown */
    bool formula;        /* some number comes from made-up weights */
} skv_report_metric;

/* A path's numbers of one metric; NaN: not measured. */
typedef struct {
    double *row;      /* (n) by row, of kind "picture"; otherwise NULL */
    double *row_mean; /* (n) means over scales, of kind "scale"; otherwise NULL */
    double *scale;    /* (n_scales) means by scale, of kind "scale"; otherwise NULL */
    int64_t n_scales;
    double all, differing; /* over all pairs; over those that are not identical */
    skv_interval spread;   /* of the rows whose number is finite */
    skv_interval less;     /* this path less ScaleKV's of the same budget, row by row */
} skv_report_value;

typedef struct {
    bool measured; /* has numbers, and was not made anew since */
    int64_t n_pairs, n_identical;
    int scalekv; /* the measured path of ScaleKV's with the same budget, -1: none, or itself */
    skv_report_value *value; /* (n_metrics) */
} skv_report_result;

typedef struct {
    skv_run_file run;
    int reference;     /* of the numbers and the pictures, -1: none */
    const char *state; /* of metrics.h5: "none", "old" (of other pictures) or "read" */
    char *networks;    /* "files", "formula", "none"; NULL unless read */
    int n_metrics;
    skv_report_metric *metric;
    skv_report_result *result; /* (run.n_paths) */
    bool *listed;              /* (run.n) rows whose texts and numbers go into the page */
    size_t n_by_head;          /* numbers of single heads, of the paths so far */
} skv_report;

/* Reads RUN/metrics.h5, where there is one, into state, reference, metric and result. */
SKV_MUST skv_status skv_report__read_metrics(skv_report *r);

/* Sets scalekv, spread and less, once the metrics were read. */
SKV_MUST skv_status skv_report__intervals(skv_report *r);

/* Adds picks, common and pictures to the page's JSON: which rows are shown, and their pictures as
 * data URLs. Marks those rows as listed. */
SKV_MUST skv_status skv_report__pictures(skv_json_maker *page, skv_report *r);

/* RUN/metrics.json: json_decref; NULL: there is none. file: its name. */
SKV_MUST skv_status skv_report__metrics_json(json_t **out, char file[4096], const skv_report *r);

/* Adds scores: RUN/metrics.json's scores of benchmarks, where there are any. */
SKV_MUST skv_status skv_report__scores(skv_json_maker *page, const skv_report *r);

/* Adds recall: RUN/metrics.json's, of the paths that are as they were, or null. */
SKV_MUST skv_status skv_report__recall(skv_json_maker *page, const skv_report *r);

/* Adds everything else; README.md here has the shape. */
SKV_MUST skv_status skv_report__data(skv_json_maker *page, skv_report *r);

/* A text of a file (UTF-8, as every reader checks) as a JSON string; what exceeds max_bytes becomes
 * an ellipsis. NULL: a failure for skv_json_put. */
json_t *skv_report__text(const char *text, size_t max_bytes);

/* page.html with its style and scripts, cut where the JSON goes: made from the files here when the
 * program is built. */
extern const unsigned char skv_report__page_head[], skv_report__page_tail[];
/* The same of calibration.html. */
extern const unsigned char skv_report__calibration_head[], skv_report__calibration_tail[];

/* Writes head, the JSON and tail to `file`, whole or not at all. */
SKV_MUST skv_status skv_report__write_page(const char *file, const unsigned char *head,
                                           const char *json, const unsigned char *tail);

#endif
