#include "sample/fit.h"

#include <stdio.h>

/* Bytes of a run with groups of n rows. */
static skv_status bytes_of(size_t *out, const skv_engine_setup *setup, const skv_fit *fit, int n)
{
    skv_engine_setup s = *setup;
    skv_memory_plan plan;

    SKV_TRY(fit->resize(fit->ctx, &s, n));
    SKV_TRY(skv_engine_plan(&plan, &s));
    if (!skv_add_size(out, plan.total, fit->beside) ||
        !skv_add_size(out, *out, fit->beside_row * (size_t)n))
        *out = SIZE_MAX;
    return SKV_OK;
}

/* The largest n below `bad` that fits, 0: not even one does. */
static skv_status largest(int *out, const skv_engine_setup *setup, const skv_fit *fit, int bad)
{
    int good = 0;
    size_t bytes = 0;

    while (bad - good > 1) {
        const int n = good + (bad - good) / 2;

        SKV_TRY(bytes_of(&bytes, setup, fit, n));
        *(bytes <= fit->limit ? &good : &bad) = n;
    }
    *out = good;
    return SKV_OK;
}

/* "; with --text-cache FILE groups of 5 fit"; empty: the option does not help. */
static skv_status sparing_words(char *out, size_t size, const skv_engine_setup *setup,
                                const skv_fit *fit, int n)
{
    size_t bytes = 0;
    int more = 0;

    out[0] = '\0';
    if (!fit->sparing)
        return SKV_OK;
    SKV_TRY(bytes_of(&bytes, setup, fit->sparing, fit->n));
    if (bytes <= fit->limit)
        more = fit->n;
    else
        SKV_TRY(largest(&more, setup, fit->sparing, fit->n));
    if (more > n)
        snprintf(out, size, "; with %s groups of %d fit", fit->sparing_option, more);
    return SKV_OK;
}

skv_status skv_fit_check(const skv_engine_setup *setup, const skv_fit *fit)
{
    char sparing[80];
    size_t bytes = 0;
    int n = 0;

    SKV_TRY(bytes_of(&bytes, setup, fit, fit->n));
    if (bytes <= fit->limit)
        return SKV_OK;
    SKV_TRY(largest(&n, setup, fit, fit->n));
    SKV_TRY(sparing_words(sparing, sizeof sparing, setup, fit, n));
    if (n == 0)
        return skv_fail(
            SKV_E_ARG,
            "groups of %d need %zu bytes of memory, %zu are available, and not even groups "
            "of one would fit%s",
            fit->n, bytes, fit->limit, sparing);
    return skv_fail(
        SKV_E_ARG,
        "groups of %d need %zu bytes of memory, %zu are available: the largest that fit "
        "are groups of %d (%s %d)%s",
        fit->n, bytes, fit->limit, n, fit->option, n, sparing);
}

skv_status skv_fit_largest(int *out, const skv_engine_setup *setup, const skv_fit *fit)
{
    return largest(out, setup, fit, fit->n + 1);
}
