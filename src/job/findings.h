/* What skv doctor finds: facts worth a line, and traps with their cures. */
#ifndef SKV_JOB_FINDINGS_H
#define SKV_JOB_FINDINGS_H

#include <stdbool.h>

#include "core/status.h"

typedef struct {
    const char *check; /* what was looked at, one word; static */
    bool trap;
    char text[768];
    char cure[256]; /* "": none, or the text says it */
} skv_finding;

typedef struct {
    skv_finding *finding;
    int n, n_traps;
    bool failed; /* there was no memory for one: skv_findings_check */
} skv_findings;

/* Adds what is well. */
void skv_findings_fact(skv_findings *f, const char *check, const char *fmt, ...) SKV_PRINTF(3, 4);

/* Adds what would go wrong. cure NULL: the text says it. */
void skv_findings_trap(skv_findings *f, const char *check, const char *cure, const char *fmt, ...)
    SKV_PRINTF(4, 5);

/* SKV_E_MEM where one could not be added. */
SKV_MUST skv_status skv_findings_check(const skv_findings *f);

void skv_findings_clear(skv_findings *f);

#endif
