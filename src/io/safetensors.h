/* The safetensors container: a JSON header and one buffer, checked as strictly as the format says,
 * so that no two readers can see different tensors. src/io/README.md, safetensors. */
#ifndef SKV_IO_SAFETENSORS_H
#define SKV_IO_SAFETENSORS_H

#include <stdint.h>

#include "io/entries.h"

/* Appends the tensors of the file data[0..bytes), which must outlive them. SKV_E_FORMAT names what
 * is wrong. */
SKV_MUST skv_status skv_safetensors_read(skv_entries *out, const uint8_t *data, size_t bytes,
                                         const char *path, int shard);

#endif
