/* Archives whose checksums and sizes are made to agree again after damage. */
#ifndef SKV_TESTS_FUZZ_ZIP_H
#define SKV_TESTS_FUZZ_ZIP_H

#include <stddef.h>
#include <stdint.h>

/* Every header of the central directory says one size, the local header that it names says the
 * same, and both have the CRC-32 of the member's bytes, if these are in the file. */
void fuzz_zip_repair(uint8_t *data, size_t n);

#endif
