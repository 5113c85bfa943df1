/* What every reader of a checkpoint promises of the tensors that it lists. */
#ifndef SKV_TESTS_FUZZ_ENTRIES_H
#define SKV_TESTS_FUZZ_ENTRIES_H

#include "io/entries.h"

/* Asserts that names are there, and that the bytes of each supported tensor are as many as its
 * shape says and lie within the file data[0..n). */
void fuzz_check_entries(const skv_entries *list, const uint8_t *data, size_t n);

#endif
