/* A process whose address space is limited (ulimit -v, some batch systems): OpenBLAS reserves a
 * buffer for each of its threads and ours, and asks without end where it gets none. */
#ifndef SKV_KERNELS_CPU_ADDRESS_SPACE_H
#define SKV_KERNELS_CPU_ADDRESS_SPACE_H

#include <stddef.h>

#define SKV_BLAS_BUFFER ((size_t)128 << 20) /* bytes; OpenBLAS 0.3.21, seen in its mappings */

/* Bytes that are left of `limit` (SIZE_MAX: none) for others than OpenBLAS, when `used` are mapped
 * now; 0: not even its buffers are sure. */
size_t skv_address_space_left(size_t limit, size_t used, int cores, int threads);

/* This process's limit and what it has mapped; a limit that cannot be read counts as none. */
void skv_address_space_read(size_t *limit, size_t *used);

#endif
