#include "job/phase.h"

#include <string.h>

#include "core/log.h"
#include "job/stop.h"

static skv_status own_part(const skv_phase *p, void *job, const skv_comm *comm,
                           const skv_phase_failure *failure)
{
    if (failure->phase && failure->rank == skv_comm_rank(comm) &&
        strcmp(failure->phase, p->name) == 0)
        return skv_fail(SKV_E_IO, "%s: a failure for a test", p->name);
    return p->own ? p->own(job) : SKV_OK;
}

static skv_status stopped(const skv_phase *p)
{
    return skv_fail(SKV_E_STOPPED,
                    "stopped by %s before this phase: %s; run the same command again",
                    skv_stop_name(skv_stop_why()), p->name);
}

skv_status skv_phases_run(const skv_phase *phases, int n, void *job, skv_comm *comm,
                          const skv_phase_failure *failure, const skv_flag *stop)
{
    for (const skv_phase *p = phases; p < phases + n; p++) {
        skv_status st;

        if (p->when && !p->when(job))
            continue;
        skv_debug("phase: %s", p->name);
        st = stop && *stop ? stopped(p) : own_part(p, job, comm, failure);
        SKV_TRY(skv_comm_agree(comm, st));
        if (p->together)
            SKV_TRY(p->together(job));
    }
    return SKV_OK;
}
