/* Wall time for measurements, and the time of day. */
#ifndef SKV_CORE_CLOCK_H
#define SKV_CORE_CLOCK_H

#include <time.h>

/* Seconds since some fixed moment; never goes back. */
double skv_seconds(void);

/* out = "43 s"; from 90 s on "5 min", "2 h 05 min", rounded to the next minute. */
#define SKV_DURATION_BYTES 32
void skv_duration_text(char out[SKV_DURATION_BYTES], double seconds);

/* out = "2026-11-30T14:05:00Z", the time of day in UTC. */
#define SKV_UTC_BYTES 32
void skv_utc_text(char out[SKV_UTC_BYTES], time_t when);

#endif
