/* A small run.h5 and metrics.h5 of a test's making: 4 scales of 1, 4, 9 and 16 tokens, 2 layers,
 * pictures of 8x6. */
#ifndef SKV_TESTS_WRITE_RUN_H
#define SKV_TESTS_WRITE_RUN_H

#include <stdbool.h>
#include <stdint.h>

#define TEST_RUN_ROWS   4
#define TEST_RUN_SCALES 4
#define TEST_RUN_LAYERS 2

typedef struct {
    const char *name, *policy, *digest;
    int64_t capacity; /* tokens a layer, -1: no bound; else in its settings, too */
    int heads;        /* of its tables by head; 0: it has none */
    int64_t
        spread; /* in these, half of layer 1's heads may hold so many more, half so many fewer */
    const char *kv_dtype; /* NULL: none is named; else half the bytes, and an eighth a map */
} test_run_path;

typedef struct {
    const char *prompt[TEST_RUN_ROWS], *error[TEST_RUN_ROWS]; /* error: NULL, the row is done */
    int samples;        /* of a prompt, one after another; 0: 1 */
    const char *starts; /* JSON (run/starts.h); NULL: it does not say */
    int n_paths;
    test_run_path path[4]; /* the first is the reference */
    bool no_pictures;
    const char *partial; /* what it lacks; its second half, group 1, is missing. NULL: nothing */
} test_run;

/* <temp folder>/run.h5 */
void write_run(const test_run *run);

/* A path's numbers; means and fid: NaN, absent. */
typedef struct {
    const char *path, *digest;
    double psnr[TEST_RUN_ROWS], psnr_mean, psnr_mean_finite, fid;
    int64_t n_pairs, n_identical;
} test_result;

typedef struct {
    const char *networks;                         /* "files", "formula", "none" */
    const char *config_digest, *reference_digest; /* NULL: the run's */
    int64_t n_rows;                               /* of the datasets */
    int n_results;
    test_result result[3];
} test_metrics;

/* <temp folder>/metrics.h5; LPIPS of a row is 1 / PSNR. Bits equal are 1, 0.9, 0.8 and unknown,
 * scale by scale. A metric that no program knows, "new one", has the mean 1.5 nat. */
void write_metrics(const test_metrics *m);

#endif
