/* PyTorch checkpoint files: the zip archive of torch >= 1.6 and the older legacy stream
 * (src/io/README.md, PyTorch files). */
#ifndef SKV_IO_TORCH_FILE_H
#define SKV_IO_TORCH_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "io/entries.h"

/* What verify needs of an open file. */
typedef struct skv_torch_file skv_torch_file;

/* Whether the content begins like one of the two forms. */
bool skv_torch_file_is(const uint8_t *data, size_t bytes);

/* Appends the tensors of data[0..bytes), which must outlive them; nested dictionaries' names are
 * joined by '.'. *kind names the form. path must live as long as *file. */
SKV_MUST skv_status skv_torch_file_read(skv_entries *out, skv_torch_file **file, const char **kind,
                                        const uint8_t *data, size_t bytes, const char *path,
                                        int shard);

/* Compares the CRC-32 of a record, once. */
SKV_MUST skv_status skv_torch_file_verify(skv_torch_file *file, size_t record);
void skv_torch_file_close(skv_torch_file *file); /* accepts NULL */

#endif
