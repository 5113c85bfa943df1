/* The folder of a run: run.json says what every picture in it depends on; a second run must match.
 */
#ifndef SKV_SAMPLE_RUN_FOLDER_H
#define SKV_SAMPLE_RUN_FOLDER_H

#include "core/digest.h"
#include "sample/engine.h"
#include "sample/rows.h"

/* What pictures depend on, and its digests: the common part and one a path. */
typedef struct {
    json_t *common;
    char digest[SKV_DIGEST_BYTES];
    char (*path_digest)[SKV_DIGEST_BYTES];
    const char **path_digests; /* the same as a list */
} skv_identity;

typedef struct {
    const skv_settings *settings;
    const skv_sources *sources;
    const skv_paths *paths;
    const char *prompts; /* the list's bytes */
    size_t prompts_bytes;
    const skv_rewriting *rewriting; /* NULL: none asked for */
    uint64_t t5_digest, tokenizer_digest;
} skv_identity_setup;

SKV_MUST skv_status skv_identity_make(skv_identity *out, const skv_identity_setup *setup);
void skv_identity_clear(skv_identity *id);

/* Rank 0: makes the folder and its sub-folders, takes its lock (released at exit; another run in
 * the folder is refused), compares run.json with this run (another config is refused with the key
 * that differs, a path with other options by its name; another device is refused or warned of), and
 * writes it, with the paths that are new added. What a killed run left aside is removed. */
SKV_MUST skv_status skv_run_folder_open(const char *run, const skv_identity *id,
                                        const skv_rows *rows, const skv_paths *paths,
                                        const skv_backend *be);

/* Work left in a group, per path. */
#define SKV_WORK_COMPUTE 1u
#define SKV_WORK_PNG     2u

/* Fills work[g·n_paths + path]. Damaged and foreign group files are computed again (and said so).
 */
SKV_MUST skv_status skv_run_folder_scan(uint8_t *work, const char *run, const skv_identity *id,
                                        const skv_rows *rows, const skv_paths *paths,
                                        const skv_store *store);

#endif
