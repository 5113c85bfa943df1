/* skv doctor: what would go wrong with a run started like this, before it is started. */
#ifndef SKV_JOB_DOCTOR_H
#define SKV_JOB_DOCTOR_H

#include "job/findings.h"
#include "job/host_facts.h"

typedef struct {
    skv_comm *comm;
    skv_device_wish wish; /* ranks' places are filled in */
    const char *run;      /* folder of the run; NULL: file systems are not looked at */
} skv_doctor;

/* Of rank 0, but one_build. */
typedef struct {
    bool one_build; /* on all ranks: a run may be tried */
    skv_host_facts
        *rank;         /* the facts of all (free()); NULL on other ranks, and where builds differ */
    int64_t free_disk; /* bytes where the run is to be; SKV_NO_LIMIT: not looked at */
} skv_doctor_facts;

/* Collective. Findings are added on rank 0. A trap is a finding, no error: ranks of different
 * builds end the examination early. */
SKV_MUST skv_status skv_doctor_examine(skv_findings *f, skv_doctor_facts *out, const skv_doctor *d);

#endif
