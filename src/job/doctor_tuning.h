/* skv doctor: what is known of a GPU's algorithms (sample/tune_cache.h). */
#ifndef SKV_JOB_DOCTOR_TUNING_H
#define SKV_JOB_DOCTOR_TUNING_H

#include "job/findings.h"
#include "job/host_facts.h"

/* Where choices for the rank's GPU are kept, and whether there are any. Nothing on the CPU. */
void skv_doctor_tuning(skv_findings *f, const skv_host_facts *rank);

#endif
