/* A file or folder that cannot be opened at the moment. A program that links failing_open has its
 * openat() and that of our libraries come here. */
#ifndef SKV_TESTS_FAILING_OPEN_H
#define SKV_TESTS_FAILING_OPEN_H

#include <stdbool.h>

/* The next openat of the name (its last part) fails once with EMFILE; NULL: of none. */
void failing_open(const char *name);

/* Whether it came to that. */
bool failing_open_came(void);

#endif
