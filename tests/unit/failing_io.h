/* Reads and writes of regular files that fail on demand. A program that links failing_io.c gets its
 * read, write and pwrite, and so do the libraries that it loads, HDF5 among them. */
#ifndef SKV_TESTS_FAILING_IO_H
#define SKV_TESTS_FAILING_IO_H

#include <stdbool.h>

#include "core/status.h"

/* The n-th write from now on fails once with `error`, or, with 0, says that it has written and has
 * not; failing_write_came tells whether it came to that. n 0: none. */
void failing_write(long n, int error);
bool failing_write_came(void);

/* Lets `make` write the HDF5 file `path` once as it is, then in children that lose one write each
 * without a word, the first, the second and so on. `path` must hold the same bytes each time: the
 * loss was seen, or what was lost was written again. Returns how many were seen. */
int lose_each_write(skv_status (*make)(void), const char *path);

/* The next reads of a file: each fails with its errno, or is short where that is 0. */
void failing_reads(const int *errors, int n);

#endif
