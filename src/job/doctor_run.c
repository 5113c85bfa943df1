#include "job/doctor_run.h"

#include <stdio.h>
#include <sys/stat.h>

#include "run/run_lock.h"

/* RUN/name. */
static bool is_there(const char *run, const char *name)
{
    char path[4096 + 16];
    struct stat info;

    return snprintf(path, sizeof path, "%s/%s", run, name) < (int)sizeof path &&
           lstat(path, &info) == 0;
}

static void look_at_claims(skv_findings *f, const char *run)
{
    skv_claims *c = NULL;
    skv_claims_counts n = {0};
    skv_status st = skv_run_claims_open(&c, run);

    if (st == SKV_OK)
        st = skv_claims_count(&n, c);
    skv_claims_close(c);
    if (st != SKV_OK)
        skv_findings_trap(f, "claims", NULL, "%s", skv_message());
    if (n.living > 0)
        skv_findings_fact(f, "claims",
                          "%s: %d claimed by other processes, for instance %s: another job is at "
                          "work here, and this one would share its groups",
                          run, n.living, n.who);
    if (n.dead > 0)
        skv_findings_fact(f, "claims",
                          "%s: %d claimed by processes that have ended: the next start takes over",
                          run, n.dead);
}

void skv_doctor_run(skv_findings *f, const char *run)
{
    if (is_there(run, "stop"))
        skv_findings_fact(f, "stop", "%s/stop is there: the next start of skv sample removes it",
                          run);
    if (is_there(run, "claims"))
        look_at_claims(f, run);
}
