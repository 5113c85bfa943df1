/* What others have done since a run's folder was scanned for work (run/run_folder.h). */
#ifndef SKV_RUN_RUN_NEWS_H
#define SKV_RUN_RUN_NEWS_H

#include "run/run_folder.h"

/* Takes SKV_WORK_COMPUTE out of `work`, as a scan fills it, for the groups whose files are listed
 * in the folders now; SKV_WORK_PNG takes its place where the run has pictures: they were not looked
 * at. (With SKV_WORK_REPLACE a listing does not tell: these stay.) Any thread. */
SKV_MUST skv_status skv_run_news_list(uint8_t *work, const skv_run_place *run,
                                      const skv_run_plan *plan);

/* The same for one group, work[path], looking at its files. Any thread: no call of HDF5. */
SKV_MUST skv_status skv_run_news_group(uint8_t *work, const skv_run_place *run,
                                       const skv_run_plan *plan, int64_t group);

/* Whether a row's picture is there: whole, since pictures get their name last. */
bool skv_run_news_has_png(const skv_run_place *run, const char *path, int64_t row, const char *id);

#endif
