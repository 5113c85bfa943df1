/* What was chosen by measurement: which of a library's candidates serves a shape.
 *
 * A candidate is its number in the library's own list, which is the same for the same GPU and
 * library version. Without an entry the first candidate is taken, so that no result depends on a
 * measurement that is not in the table. */
#ifndef SKV_KERNELS_TUNING_H
#define SKV_KERNELS_TUNING_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

/* Version of the keys' form: raised when the same key comes to mean another shape. */
#define SKV_TUNING_VERSION 2
#define SKV_TUNING_KEY     256 /* bytes of a key, its end included */

typedef struct {
    char key[SKV_TUNING_KEY];
    int choice;
} skv_choice;

typedef struct {
    bool measuring;   /* shapes without an entry are measured at their first use */
    skv_choice *list; /* in the order they were made */
    size_t n;
} skv_tuning;

/* The choice for key, or -1. */
int skv_tuning_find(const skv_tuning *t, const char *key);
/* Adds it, or replaces the old one. SKV_E_ARG: the key is too long. */
SKV_MUST skv_status skv_tuning_set(skv_tuning *t, const char *key, int choice);
/* Empties the table and frees its list. */
void skv_tuning_clear(skv_tuning *t);

#endif
