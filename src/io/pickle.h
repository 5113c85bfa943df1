/* Pickles as torch.save writes them (protocols 1 to 5), read by a machine that calls nothing: an
 * allow-list of opcodes, a few names that stand for values of ours, everything else opaque; bounded
 * stack, memo and depth.
 * Opcodes: src/io/README.md, PyTorch files. */
#ifndef SKV_IO_PICKLE_H
#define SKV_IO_PICKLE_H

#include "core/status.h"
#include "io/pickle_values.h"

typedef struct skv_pickle skv_pickle;

/* Runs one pickle from data[0..bytes) to its STOP; *used: bytes read. *root lives as long as the
 * pickle, and its texts as long as data. SKV_E_FORMAT names the file, the fault and the byte. */
SKV_MUST skv_status skv_pickle_run(skv_pickle **out, const skv_pickle_value **root, size_t *used,
                                   const uint8_t *data, size_t bytes, const char *path);

/* Every storage that the pickle names, in the order of the file; *n of them. */
const skv_pickle_value *const *skv_pickle_storages(const skv_pickle *p, size_t *n);

void skv_pickle_destroy(skv_pickle *p); /* accepts NULL */

#endif
