/* A metric: what it is called, what it needs, and how it comes to its numbers.
 *
 * To add one: write metric_<name>.c ending in `const skv_metric skv_metric_<name> = {...};` (start
 * from metric_psnr.c) and add <name> to SKV_METRICS in this folder's CMakeLists.txt. The
 * evaluation, metrics.h5, metrics.json, tables, help and timings follow from the entry. */
#ifndef SKV_EVAL_METRICS_METRIC_H
#define SKV_EVAL_METRICS_METRIC_H

#include "eval/metrics/feature_set.h"
#include "eval/metrics/network.h"

/* A network whose weights some metrics need. */
typedef struct {
    const char *name;
    skv_weight_file file[SKV_NETWORK_FILES]; /* an option of NULL ends the list */
    /* path: one of each file, or "formula"; be: fp32, borrowed until close. */
    skv_status (*open)(void **state, skv_backend *be, const char *const *path);
    void (*close)(void *state); /* accepts NULL */

    /* Of a network that turns a picture into features; otherwise 0 and NULL. */
    int n_features;
    size_t n_inputs; /* floats of what `prepare` makes */
    /* Called by several threads at once. rgb (height,width,3) u8. */
    skv_status (*prepare)(float *input, const uint8_t *rgb, int height, int width);
    skv_status (*extract)(float *features, void *state, const float *input);
} skv_metric_network;

typedef enum { SKV_BETTER_NONE, SKV_BETTER_HIGHER, SKV_BETTER_LOWER } skv_better;

typedef enum {
    SKV_METRIC_OF_PICTURE, /* one number for a pair of pictures */
    SKV_METRIC_OF_SCALE,   /* one number for a pair and each scale of its bits */
    SKV_METRIC_OF_SET      /* one number for all pairs of a path */
} skv_metric_kind;

typedef enum {
    SKV_NEEDS_PICTURES,
    SKV_NEEDS_BITS,
    SKV_NEEDS_FEATURES, /* of both pictures, by the metric's network */
    SKV_NEEDS_AGAINST   /* of the picture, and those of a set from elsewhere (against.h) */
} skv_metric_needs;

/* One pair, as compare() gets it. */
typedef struct {
    int side;          /* 1 is the first compared side: the reference is a new one */
    int height, width; /* of both pictures */
    /* (height,width,3) u8, or the packed bits of all scales for a metric that needs bits */
    const uint8_t *reference, *compared;
    int n_scales;                /* of the bits */
    const int64_t *scale_offset; /* (n_scales + 1) first bit of each scale, and their number */
} skv_metric_pair;

/* Features of both sides, as reduce() gets them: of two pictures at least where it is known. */
typedef struct {
    int d;                               /* features of a picture */
    skv_feature_set reference, compared; /* reference: or the set from elsewhere */
    int threads;
} skv_feature_sets;

typedef struct {
    const char *name; /* in metrics.h5 and metrics.json: [a-z0-9_]+ */
    const char *title, *long_name, *units;
    skv_better better;
    skv_metric_kind kind;
    skv_metric_needs needs;
    bool infinite_when_equal;          /* so the mean over the other pairs is given, too */
    bool percent;                      /* tables show 100 times the value */
    int digits;                        /* behind the point, in tables */
    const skv_metric_network *network; /* NULL: none */

    /* A pair's number, or n_scales of them. network: its state. Without a network it is called by
     * several threads at once; with one by a single thread, all sides of a reference in a row. */
    skv_status (*compare)(double *out, void *network, const skv_metric_pair *pair);
    /* Of a set; `compare` is NULL then. NaN: cannot be had from what the sets keep. */
    skv_status (*reduce)(double *out, const skv_feature_sets *sets);
} skv_metric;

/* All metrics, NULL-terminated, in the order of SKV_METRICS. */
extern const skv_metric *const skv_metrics[];

/* Whether it compares with the reference path: all do but those of SKV_NEEDS_AGAINST. */
bool skv_metric_has_reference(const skv_metric *m);

/* For tests. NULL: there is none of this name. */
const skv_metric *skv_metric_find(const char *name);

const char *skv_better_word(skv_better better);         /* "higher", "lower", "none" */
const char *skv_metric_kind_word(skv_metric_kind kind); /* "picture", "scale", "set" */

#endif
