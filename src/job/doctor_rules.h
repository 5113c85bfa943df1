/* What skv doctor makes of the facts of all ranks. Pure: no calls to the system. */
#ifndef SKV_JOB_DOCTOR_RULES_H
#define SKV_JOB_DOCTOR_RULES_H

#include "job/findings.h"
#include "job/host_facts.h"
#include "mpi/spread.h"

/* How the job was started. Times in seconds since 1970; 0: not known. */
typedef struct {
    const char *form;  /* of the communicator */
    bool in_slurm_job; /* SLURM_JOB_ID is set */
    int64_t slurm_tasks;
    int64_t now, end; /* of the job's time */
} skv_launch_facts;

void skv_doctor_launcher(skv_findings *f, const skv_launch_facts *l, const skv_host_facts *rank,
                         int n);
void skv_doctor_devices(skv_findings *f, const skv_host_facts *rank, int n);
void skv_doctor_cores(skv_findings *f, const skv_host_facts *rank, int n);
void skv_doctor_limits(skv_findings *f, const skv_host_facts *rank, int n);

/* way, why: of a trial of spread (mpi/spread.h) between n GPUs. */
void skv_doctor_nccl(skv_findings *f, const char *way, const char *why, int n);
/* p: of the same GPUs. */
void skv_doctor_pairs(skv_findings *f, const skv_spread_pairs *p, const skv_host_facts *rank,
                      int n);
void skv_doctor_time(skv_findings *f, const skv_launch_facts *l);

#endif
