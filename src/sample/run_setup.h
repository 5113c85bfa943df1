/* From settings to a run: everything that is decided before a rank computes its first group. */
#ifndef SKV_SAMPLE_RUN_SETUP_H
#define SKV_SAMPLE_RUN_SETUP_H

#include "model/t5.h"
#include "run/run_folder.h"
#include "run/run_growth.h"
#include "sample/engine.h"
#include "sample/identity.h"
#include "sample/rows.h"

typedef struct {
    const skv_settings *settings;
    skv_store store;
    skv_tokenizer *tokenizer;
    skv_weights *t5_weights;
    skv_t5_dims t5_dims;
    skv_sources sources;
    skv_paths paths;
    skv_prompt_table *table; /* NULL: not opened yet on this rank */
    skv_run_begun begun;     /* the run that this one continues; set between open and rows */
    json_t *grown_from;      /* on rank 0: run.json's growing part as it was found; owned */
    skv_rows rows;
    skv_group_sizes sizes; /* of groups as in the settings */
    skv_row_span ids;      /* loaded last for the folder's plan */
    skv_identity identity;
    skv_run_plan folder; /* what the run puts into its folder */
    skv_run_plan_path *folder_paths;
    skv_engine_setup engine;
    skv_memory_plan memory;
    size_t t5_bytes;  /* the text encoder's weights */
    size_t probe_row; /* bytes for each row of a group that a probe takes beside the engine's */
    bool text_apart;  /* texts come from a file: the encoder is freed before the engine is made */
    size_t text_peak; /* text_apart: bytes for encoding the missing texts; 0: none is missing */
    int64_t n_texts_lacking;
    skv_backend *text_be;
} skv_run_setup;

/* Opens the checkpoints and the tokenizer and resolves the paths; loads nothing. text_be: the text
 * encoder's backend. settings must outlive it. */
SKV_MUST skv_status skv_run_setup_open(skv_run_setup *out, const skv_settings *settings,
                                       skv_backend *be, skv_backend *text_be);

/* Sets `rows`, from out->table where that is known, in the segments of `begun`. */
SKV_MUST skv_status skv_run_setup_rows(skv_run_setup *s, const skv_prompt_facts *facts);

/* Plans memory and folder, once `rows` and `sizes` are set. */
SKV_MUST skv_status skv_run_setup_plan(skv_run_setup *s);

/* Prompts are read from this table from now on; takes ownership, the old one is destroyed. */
void skv_run_setup_use_table(skv_run_setup *s, skv_prompt_table *table);

/* Plans for texts from a file. n_lacking of this run's are not in it yet, of at most `longest`
 * tokens. */
SKV_MUST skv_status skv_run_setup_text_apart(skv_run_setup *s, int64_t n_lacking, int longest);

/* SKV_E_MEM, and the group size that would do, where the plan is larger than limit bytes. Needs
 * `table` then. */
SKV_MUST skv_status skv_run_setup_fit(const skv_run_setup *s, size_t limit);

/* *out = the largest group of at most `most` rows that fits, 0: not even one row does. Needs
 * `table`. */
SKV_MUST skv_status skv_run_setup_largest(int *out, const skv_run_setup *s, size_t limit, int most);

void skv_run_setup_clear(skv_run_setup *s);

/* Upper bounds: disk bytes of all groups of one path, and of the PNGs of their pictures. */
void skv_run_setup_disk(const skv_run_setup *s, int64_t *group_bytes, int64_t *png_bytes);

#endif
