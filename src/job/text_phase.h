/* --text-cache: prompts are encoded in a phase of their own, before the transformer is loaded, and
 * read from a file afterwards; T5 is in memory only in between, and only where the file lacks
 * texts. Pictures are the same bytes as without. */
#ifndef SKV_JOB_TEXT_PHASE_H
#define SKV_JOB_TEXT_PHASE_H

#include "core/flag.h"
#include "core/digest.h"
#include "mpi/comm.h"
#include "run/claims.h"
#include "sample/run_setup.h"
#include "sample/text_list.h"
#include "sample/writer.h"

typedef struct {
    skv_comm *comm;
    skv_run_setup *setup;
    const skv_flag *stop; /* asked to stop: what is encoded is kept */
    skv_writer *writer; /* of this rank, whose HDF5 lock is held while a text is read; NULL: none */
    skv_claims *claims; /* on rank 0, while it encodes: the file's */
    char t5_digest[SKV_DIGEST_BYTES];
    skv_text_origin origin;
    skv_text_file *file; /* for sampling */
} skv_text_phase;

/* Collective: rank 0 looks which texts the file lacks, and the run is planned accordingly. Borrows
 * what p points to; comm, setup and stop are set. */
SKV_MUST skv_status skv_text_phase_plan(skv_text_phase *p);

/* Collective: encodes what the file lacks for the work that is left (as skv_run_folder_scan fills
 * it), on all ranks. The file is replaced whole or not at all; a stop keeps what is done. One job
 * at a time encodes into a file, by a claim in "<file>.claims": another waits, and finds the texts
 * there. What killed jobs left there and beside the file is removed. */
SKV_MUST skv_status skv_text_phase_run(skv_text_phase *p, const uint8_t *work);

/* Opens the file for skv_text_phase_read, whose ctx is the phase (skv_text_source). */
SKV_MUST skv_status skv_text_phase_open(skv_text_phase *p);
SKV_MUST skv_status skv_text_phase_read(void *phase, const int32_t *ids, int n, float *out);

void skv_text_phase_close(skv_text_phase *p);

#endif
