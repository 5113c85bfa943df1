/* HDF5 files are looked at by another process first, as in the program (io/h5_probe.h): what the
 * library does to that process is no finding. */
#ifndef SKV_TESTS_FUZZ_PROBE_H
#define SKV_TESTS_FUZZ_PROBE_H

/* For LLVMFuzzerInitialize: starts that process, or is it and ends. */
void fuzz_probe(int argc, char **argv);

#endif
