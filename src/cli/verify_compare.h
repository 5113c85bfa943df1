/* Errors of a run against a recording, gathered by the probe and judged at the end. */
#ifndef SKV_CLI_VERIFY_COMPARE_H
#define SKV_CLI_VERIFY_COMPARE_H

#include "cli/verify_draw.h"
#include "cli/verify_kept.h"
#include "core/json.h"
#include "sample/engine.h"
#include "sample/recording.h"

#define SKV_KEPT_HEADS 2 /* recorded of each layer in the full-size form */

/* One compared quantity. */
typedef struct {
    double largest;  /* |a - b| */
    double sum, ref; /* Σ(a-b)², Σb² */
    int64_t n;
} skv_error;

typedef struct {
    const skv_recording *recording;
    skv_backend *be;
    bool scalekv; /* which logits of a full-size recording */
    bool codes;   /* the cache is held in codes */
    bool adrift;  /* free-running in bf16 or codes: bits turn, and then everything differs */
    skv_drawn drawn;
    skv_error logits[SKV_MAX_SCALES], block0, z, decoded;
    int64_t bits_same[SKV_MAX_SCALES], bits_all[SKV_MAX_SCALES]; /* a bit's higher logit */
    int64_t rgb_off_by_one, rgb_worse, rgb_all;
    int64_t sets, sets_equal, sets_near, sets_bad; /* kept sets: equal, near-tie, beyond */
    double overlap_sum, overlap_least;             /* shares of the sets that both kept */
    skv_kept ours[SKV_MAX_DEPTH][SKV_KEPT_HEADS];  /* full-size form: the caches as tokens */
    skv_kept theirs[SKV_MAX_DEPTH][SKV_KEPT_HEADS];
    double tokens_sum, tokens_least;
    void *forced_memory; /* a recorded set on the device */
    size_t forced_bytes;
} skv_comparison;

void skv_comparison_init(skv_comparison *c, const skv_recording *r, skv_backend *be,
                         const skv_path *path, const skv_draws *draws);
void skv_comparison_deinit(skv_comparison *c);

/* The probe that compares on the way, and feeds bits (unless the run is free) and kept positions of
 * the recording back; borrows c. */
skv_probe skv_comparison_probe(skv_comparison *c);

/* Compares residual map, decoder output and picture of the run. */
void skv_comparison_picture(skv_comparison *c, const float *map, const float *rgb,
                            const uint8_t *image);

/* Prints the table to stdout, appends its rows to the JSON list; true: everything within tolerance.
 * reduced: the weights are not fp32, so errors are shown and not judged. */
bool skv_comparison_report(const skv_comparison *c, const char *title, bool reduced,
                           skv_json_maker *rows);

#endif
