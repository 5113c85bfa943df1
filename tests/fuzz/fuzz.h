/* Fuzz targets: fuzz_<reader>.c defines libFuzzer's entry point, which hands the bytes to the
 * reader and asserts what the reader promises of what it accepts. Linked with libFuzzer (preset
 * fuzz) or with replay.c, which feeds the corpus and a few thousand damaged copies of it.
 *
 * Where checksums would refuse all damage, the target runs the bytes as they are and once more with
 * the checksums made right. */
#ifndef SKV_TESTS_FUZZ_H
#define SKV_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Called once, before the first input, where a target has it. */
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

/* A folder of this process, in memory where there is /dev/shm and TMPDIR names no other place;
 * removed when the process ends. */
const char *fuzz_folder(void);

/* Writes the file "<folder>/<name>"; returns its path, as temp_path of temp_folder.h does. */
const char *fuzz_file(const char *name, const void *data, size_t n);

/* A copy of the bytes (free()), with a NUL behind them that is not counted. */
void *fuzz_copy(const uint8_t *data, size_t n);

/* Runs the bytes as they are, and a copy whose checksums were made right by `repair`. */
void fuzz_twice(const uint8_t *data, size_t n, void (*repair)(uint8_t *copy, size_t n),
                void (*run)(const uint8_t *data, size_t n));

/* Asserts that a refusal has said why. */
void fuzz_refused(void);

/* Reads every byte, so that the address sanitizer sees those that are not there. */
void fuzz_touch(const void *data, size_t n);

#endif
