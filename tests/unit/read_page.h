/* The report of the run in a test's folder, and the JSON inside it. */
#ifndef SKV_TESTS_READ_PAGE_H
#define SKV_TESTS_READ_PAGE_H

#include <jansson.h>

#define MAX_PAGE ((size_t)32 << 20)
#define DATA_TAG "<script type=\"application/json\" id=\"data\">" /* before the JSON */

/* Writes the report; the page as written (free()), its JSON, and both together (json_decref). */
char *page(void);
json_t *data_of(const char *text);
json_t *report(void);

/* The value at "paths/1/name"; it must be there, and be this. */
json_t *at(json_t *data, const char *where);
void assert_number(json_t *data, const char *where, double want);
void assert_text(json_t *data, const char *where, const char *want);
void assert_unknown(json_t *data, const char *where);
void assert_size(json_t *data, const char *where, size_t n);

#endif
