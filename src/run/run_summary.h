/* A path of run.h5 in four numbers, for a table. */
#ifndef SKV_RUN_RUN_SUMMARY_H
#define SKV_RUN_RUN_SUMMARY_H

#include <stdint.h>

#include "io/h5.h"

typedef struct {
    double tokens_kept;  /* after the last cut, mean of the layers */
    int64_t cache_bytes; /* of a picture, all layers, after the cut that leaves most */
    double transformer_seconds, vae_seconds; /* of all groups; 0: the phase was not recorded */
} skv_path_summary;

/* h5: a run.h5 opened for reading. path: a member of its group /paths. */
SKV_MUST skv_status skv_path_summary_read(skv_path_summary *out, skv_h5 *h5, const char *path);

#endif
