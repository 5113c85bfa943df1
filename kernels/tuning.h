/* What was chosen by measurement: which of a library's algorithms serves a shape.
 *
 * A choice is text that says all of the algorithm, "id=66 tile=20 stages=36": it does not depend on
 * the order in which a library offers its candidates. Without an entry the library's first
 * candidate is taken, so that no result depends on a measurement that is not in the table. */
#ifndef SKV_KERNELS_TUNING_H
#define SKV_KERNELS_TUNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* Version of keys and choices: raised when the same text comes to mean something else. */
#define SKV_TUNING_VERSION 3
#define SKV_TUNING_KEY     256 /* bytes of a key, its end included */
#define SKV_TUNING_CHOICE  512 /* bytes of a choice */

/* The choice where nothing of the library serves a shape: our own kernels do. */
#define SKV_TUNING_OURS "ours"

typedef struct {
    char key[SKV_TUNING_KEY];
    char choice[SKV_TUNING_CHOICE];
    bool measured; /* here, not read from a table */
    bool used;     /* its shape was met */
} skv_choice;

typedef struct {
    bool measuring;      /* shapes without an entry are measured at their first use */
    skv_choice *list;    /* in the order they were made */
    size_t n;            /* of list */
    skv_choice *skipped; /* candidates that are not tried */
    size_t n_skipped;
    /* Told of each candidate before it runs; may be NULL. */
    void (*trying)(void *ctx, const char *key, const char *choice);
    void *trying_ctx;
    char where[96]; /* how far the measuring is, for its lines in the log */
    double said;    /* when the last line was (core/clock.h) */
} skv_tuning;

/* The choice for key, or NULL; borrowed until the table changes. The entry counts as used. */
const char *skv_tuning_find(skv_tuning *t, const char *key);
/* Adds it, or replaces the old one; as measured here if t->measuring. SKV_E_ARG: too long. */
SKV_MUST skv_status skv_tuning_set(skv_tuning *t, const char *key, const char *choice);
/* From now on the candidate is not tried. */
SKV_MUST skv_status skv_tuning_skip(skv_tuning *t, const char *key, const char *choice);
/* Before a candidate runs: false, if it is not to be tried. Tells t->trying, and every few seconds
 * the log how far the measuring is. */
bool skv_tuning_try(skv_tuning *t, const char *key, const char *choice);
/* Entries measured here. */
size_t skv_tuning_measured(const skv_tuning *t);
/* Drops the entries whose shapes were not met. */
void skv_tuning_drop_unused(skv_tuning *t);
/* Frees both lists; all else stays. */
void skv_tuning_clear(skv_tuning *t);

/* Puts "name=value" at the end of a choice, which is empty at first. SKV_E_ARG: too long. */
SKV_MUST skv_status skv_choice_add(char choice[SKV_TUNING_CHOICE], const char *name, int64_t value);
/* The value that a choice has for a name; false: it has none. */
bool skv_choice_get(int64_t *value, const char *choice, const char *name);

/* Of n candidates' times in milliseconds, of which negative ones do not count: the place of the
 * least, -1: there is none. */
int skv_tuning_fastest(const float *ms, int n);
/* Whether a candidate that took `ms` need not run again, when the best so far took `best`
 * (negative: there is none yet). */
bool skv_tuning_is_slow(float ms, float best);

#endif
