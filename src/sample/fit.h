/* Whether a run's largest group fits the memory, and if not, which size would: known before
 * anything is loaded. */
#ifndef SKV_SAMPLE_FIT_H
#define SKV_SAMPLE_FIT_H

#include "sample/engine.h"

typedef struct skv_fit {
    size_t limit;       /* bytes available */
    size_t beside;      /* bytes taken besides the engine's: the text encoder's weights */
    size_t beside_row;  /* the same for each row of a group: a probe's memory */
    int n;              /* rows of the largest group */
    const char *option; /* that says the rows of a group, for the message */
    /* Sets a copy of the engine's setup to groups of n rows. */
    skv_status (*resize)(const void *ctx, skv_engine_setup *setup, int n);
    const void *ctx;
    /* The same run with less in memory at a time, and the option for it; NULL: there is none. */
    const struct skv_fit *sparing;
    const char *sparing_option;
} skv_fit;

/* SKV_E_ARG where it does not fit, for the settings ask for more than there is; the message gives
 * the bytes needed, the bytes available, and the largest group that fits; and the sparing option
 * where larger groups fit with it. */
SKV_MUST skv_status skv_fit_check(const skv_engine_setup *setup, const skv_fit *fit);

/* *out = the largest group of at most fit->n rows that fits, 0: not even one row does. */
SKV_MUST skv_status skv_fit_largest(int *out, const skv_engine_setup *setup, const skv_fit *fit);

#endif
