/* What every form of a prompt list promises. */
#ifndef SKV_TESTS_FUZZ_PROMPTS_H
#define SKV_TESTS_FUZZ_PROMPTS_H

#include "io/prompts.h"

/* Parses the bytes of this form, asserts that ids are file names and texts UTF-8. */
void fuzz_parse_prompts(const char *bytes, size_t n, skv_prompts_form form);

/* Asserts the same of a list. */
void fuzz_check_prompts(const skv_prompts *p);

#endif
