/* Allocations that fail on demand. A program that links failing_alloc has its calls of malloc,
 * calloc, realloc, strdup and strndup come here, those of our libraries and of jansson among
 * them. */
#ifndef SKV_TESTS_FAILING_ALLOC_H
#define SKV_TESTS_FAILING_ALLOC_H

/* The next n allocations succeed and all after them fail; n < 0: none fails. */
void failing_alloc(long n);

/* Allocations asked for since failing_alloc was called last. */
long failing_alloc_count(void);

/* jansson's allocations too from now on; before it is used. */
void failing_alloc_json(void);

#endif
