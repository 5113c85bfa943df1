/* Rows of a run that have no picture, counted by reason, for the last line that a command prints.
 */
#ifndef SKV_JOB_FAILED_ROWS_H
#define SKV_JOB_FAILED_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "run/run_file.h"
#include "run/run_json.h"

typedef struct {
    char *reason;
    int64_t n;
} skv_failed_reason;

typedef struct {
    skv_failed_reason *by_reason; /* in the order they came */
    int n_reasons;
    int64_t n; /* rows */
} skv_failed_rows;

/* Counts n more rows that failed with this error. The reason is the error without the place that it
 * may begin with: "P.txt: line 3: the line is empty" counts as "the line is empty". */
SKV_MUST skv_status skv_failed_rows_add(skv_failed_rows *f, const char *error, int64_t n);
void skv_failed_rows_clear(skv_failed_rows *f); /* also after a failure */

/* The most frequent reasons first, equal counts in the order they came:
 * 2 "not finite: text", 1 "the line is empty". Always ends with a NUL. */
void skv_failed_rows_text(char *out, size_t bytes, const skv_failed_rows *f);

/* New reference: {"the line is empty": 1, ...}; NULL: no memory. */
json_t *skv_failed_rows_json(const skv_failed_rows *f);

/* Those of run.h5; missing rows are none. */
SKV_MUST skv_status skv_failed_rows_of(skv_failed_rows *out, const skv_run_file *run);

/* Those known before all of a run is gathered, each row once: of run.h5 (run; NULL: there is none),
 * and those that ranks have noted (run/failed_list.h). */
SKV_MUST skv_status skv_failed_rows_so_far(skv_failed_rows *out, const skv_run_json *json,
                                           const char *folder, const skv_run_file *run);

/* Warns of the rows of RUN/run.h5 that failed: how many, and why. */
SKV_MUST skv_status skv_failed_rows_warn(const char *run);

#endif
