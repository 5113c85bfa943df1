/* The backend that a test runs on: the CPU, or what SKV_TEST_DEVICE names. */
#ifndef SKV_TESTS_TEST_DEVICE_H
#define SKV_TESTS_TEST_DEVICE_H

#include "kernels/backend.h"

/* SKV_TEST_DEVICE: cpu (default, with so many threads), cuda-bf16, cuda-fp32, cuda-tf32. Where
 * there is no GPU or no CUDA in the build, ends the program with 77: skipped. */
SKV_MUST skv_status test_backend_open(skv_backend **out, int n_threads);

/* The name; "cpu" where nothing is set. */
const char *test_device(void);

#endif
