/* libsentencepiece through C functions, and our own check of its model file beforehand.
 *
 * No exception crosses this line. The library trusts the file's framing more than it should, so
 * skv_spm_check must have accepted the bytes before skv_spm_open gets them. */
#ifndef SKV_IO_SPM_SHIM_H
#define SKV_IO_SPM_SHIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "core/status.h"

typedef struct skv_spm skv_spm;

/* What the check found. */
typedef struct {
    int n_pieces;
} skv_spm_info;

/* Walks the whole protobuf: lengths inside their parents, known fields of their types, a unigram
 * model of short UTF-8 pieces with finite scores, a sound normalisation map. SKV_E_FORMAT naming
 * `name`. */
SKV_MUST skv_status skv_spm_check(skv_spm_info *info, const void *bytes, size_t n,
                                  const char *name);

/* Hands checked bytes to the library. Caller closes. */
SKV_MUST skv_status skv_spm_open(skv_spm **out, const void *bytes, size_t n, const char *name);
void skv_spm_close(skv_spm *m); /* accepts NULL */

int skv_spm_size(const skv_spm *m);
int skv_spm_pad(const skv_spm *m), skv_spm_eos(const skv_spm *m), skv_spm_unk(const skv_spm *m);

/* Best path: up to `room` ids, *n how many there are. *end: bytes of the text up to where the last
 * piece ends; what follows was dropped as white space. 0 without pieces. Thread-safe. */
SKV_MUST skv_status skv_spm_encode(const skv_spm *m, const char *text, size_t bytes, int32_t *ids,
                                   int room, int *n, size_t *end);

/* The last bytes (at most SKV_SPM_ENDING) of the text's pieces, concatenated; *n: how many. */
#define SKV_SPM_ENDING 16
SKV_MUST skv_status skv_spm_ending(const skv_spm *m, const char *text, size_t bytes,
                                   char end[SKV_SPM_ENDING], int *n);

#ifdef __cplusplus
}
#endif

#endif
