/* Wall time for measurements. */
#ifndef SKV_CORE_CLOCK_H
#define SKV_CORE_CLOCK_H

/* Seconds since some fixed moment; never goes back. */
double skv_seconds(void);

#endif
