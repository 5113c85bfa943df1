/* What earlier jobs have left in a run's folder, and whether others are at work there. */
#ifndef SKV_JOB_DOCTOR_RUN_H
#define SKV_JOB_DOCTOR_RUN_H

#include "job/findings.h"

/* On one rank. A run that is not there yet has no finding. */
void skv_doctor_run(skv_findings *f, const char *run);

#endif
