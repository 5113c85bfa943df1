/* Ranks that compute parts of one run must be the same program with the same settings on the same
 * kind of device: what each says of itself is held against what the others say. */
#ifndef SKV_JOB_COMPARE_RANKS_H
#define SKV_JOB_COMPARE_RANKS_H

#include <stdbool.h>

#include "core/options.h"
#include "mpi/comm.h"

/* What a rank says of itself, fact by fact: the same number, in the same order, on all ranks. */
typedef struct {
    char *what;  /* completes "ranks do not agree on ..." */
    char *value; /* as text */
} skv_fact;

typedef struct {
    skv_fact *fact;
    int n;
} skv_facts;

/* Both texts are copied. Cleared with skv_facts_clear, also after a failure. */
SKV_MUST skv_status skv_facts_add(skv_facts *f, const char *what, const char *value);
SKV_MUST skv_status skv_facts_add_json(skv_facts *f, const char *what, const json_t *value);

/* Every setting of a command, but those that are a rank's own affair: its device, its threads, its
 * memory. */
SKV_MUST skv_status skv_facts_add_settings(skv_facts *f, const skv_option *table,
                                           const void *settings);
void skv_facts_clear(skv_facts *f);

#define SKV_DIFFERENCE_BYTES 1024

/* Collective. Where all ranks say the same, *difference is empty; otherwise it is a sentence, the
 * same on all ranks, that names the first fact that differs, its values, and the ranks and hosts
 * that say so: "ranks do not agree on --seed: rank 0 (a): 0; ranks 1-3 (b): 5". */
SKV_MUST skv_status skv_ranks_compare(char difference[SKV_DIFFERENCE_BYTES], skv_comm *comm,
                                      const skv_facts *facts);

/* Collective: where ranks differ, all fail with `code` and that sentence. */
SKV_MUST skv_status skv_ranks_must_agree(skv_comm *comm, const skv_facts *facts, skv_status code);

/* Collective, the first things that ranks do together: whether all run the same command (SKV_E_ARG)
 * of the same build (SKV_E_UNSUPPORTED). Ranks of two commands would wait for each other for ever,
 * and those of two builds may not even understand each other. */
SKV_MUST skv_status skv_ranks_compare_commands(skv_comm *comm, const char *command);
SKV_MUST skv_status skv_ranks_compare_builds(skv_comm *comm);

/* The sentence for one fact; says[r]: of rank r. False, and nothing is written: all say the same.
 */
typedef struct {
    const char *host, *value;
} skv_rank_says;
bool skv_ranks_differ(char difference[SKV_DIFFERENCE_BYTES], const char *what,
                      const skv_rank_says *says, int n);

#endif
