/* A folder with results (metrics.h5, metrics.json), written by one process at a time. */
#ifndef SKV_CLI_RESULTS_FOLDER_H
#define SKV_CLI_RESULTS_FOLDER_H

#include "core/status.h"

/* Calls write(ctx, folder) while no other skv eval or skv scores reads, merges and writes the
 * results there: each keeps what the other wrote. Gathering and computing go on meanwhile. */
SKV_MUST skv_status skv_results_alone(const char *folder,
                                      skv_status (*write)(void *ctx, const char *folder),
                                      void *ctx);

#endif
