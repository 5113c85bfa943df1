/* One finished group of one path, on its way from the sampler to the writer: the record of its
 * group file and the memory behind it. */
#ifndef SKV_SAMPLE_RESULT_H
#define SKV_SAMPLE_RESULT_H

#include "run/group_file.h"
#include "run/run_folder.h"
#include "sample/engine.h"
#include "sample/rows.h"

#define SKV_FAULT_BYTES 40

enum { SKV_PHASE_TEXT, SKV_PHASE_TRANSFORMER, SKV_PHASE_VAE, SKV_N_PHASES };

typedef struct {
    skv_group_record rec; /* borrows from below */
    char (*id)[SKV_ID_BYTES];
    const char **id_list, **given_id, **prompt, **prompt_used, **negative, **error;
    skv_row_span span;               /* what these point to */
    char (*reason)[SKV_FAULT_BYTES]; /* texts of error, where a row is not finite */
    int64_t *row, *bit_offset, *cache_length, *cache_capacity, *cache_bytes;
    int64_t *length_by_head, *capacity_by_head;
    int32_t *sample, *tokens, *status;
    uint64_t *seed, *offset;
    uint8_t *truncated, *bits, *image;
    float *kept_by_source;
    double seconds[SKV_N_PHASES];
} skv_result;

/* Rows of group g filled in, pictures and bits zeroed (rows that fail stay so). with_image: room
 * for pictures. Caller destroys. */
SKV_MUST skv_status skv_result_create(skv_result **out, const skv_rows *rows,
                                      const skv_engine_setup *setup, const skv_path *path,
                                      int64_t g, bool with_image);
/* Row i of the group has this fault of the engine's: with SKV_E_NOT_FINITE and the reason, its bits
 * and picture zeros. */
void skv_result_fail(skv_result *r, int i, int32_t fault);
void skv_result_destroy(skv_result *r); /* accepts NULL */

#endif
