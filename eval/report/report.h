/* RUN/report.html: what a run and its evaluation say, as one page. */
#ifndef SKV_EVAL_REPORT_H
#define SKV_EVAL_REPORT_H

#include "core/status.h"

/* Reads RUN/run.h5 and, where there is one, RUN/metrics.h5, and writes RUN/report.html: one file
 * that asks for no other, without scripts; whole or not at all. Equal files give equal bytes. Rank
 * 0 only. Metrics of another run, or of paths made anew since, are left out and said to be old. */
SKV_MUST skv_status skv_report_write(const char *run_folder);

#endif
