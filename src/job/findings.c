#include "job/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* The next finding, to be filled; NULL: no memory. */
static skv_finding *next(skv_findings *f, const char *check, const char *fmt, va_list args)
{
    skv_finding *to;

    if (skv_grow(&f->finding, (size_t)f->n, sizeof *f->finding, "findings") != SKV_OK) {
        f->failed = true;
        return NULL;
    }
    to = &f->finding[f->n++];
    memset(to, 0, sizeof *to);
    to->check = check;
    vsnprintf(to->text, sizeof to->text, fmt, args);
    return to;
}

void skv_findings_fact(skv_findings *f, const char *check, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)next(f, check, fmt, args);
    va_end(args);
}

void skv_findings_trap(skv_findings *f, const char *check, const char *cure, const char *fmt, ...)
{
    skv_finding *to;
    va_list args;

    f->n_traps++;
    va_start(args, fmt);
    to = next(f, check, fmt, args);
    va_end(args);
    if (!to)
        return;
    to->trap = true;
    if (cure)
        snprintf(to->cure, sizeof to->cure, "%s", cure);
}

skv_status skv_findings_check(const skv_findings *f)
{
    return f->failed ? skv_fail(SKV_E_MEM, "no memory for what was found") : SKV_OK;
}

void skv_findings_clear(skv_findings *f)
{
    free(f->finding);
    *f = (skv_findings){0};
}
