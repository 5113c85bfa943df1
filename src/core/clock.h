/* Wall time for measurements. */
#ifndef SKV_CORE_CLOCK_H
#define SKV_CORE_CLOCK_H

/* Seconds since some fixed moment; never goes back. */
double skv_seconds(void);

/* out = "43 s", or "2 h 05 min" from 90 s on, rounded to the next minute. */
#define SKV_DURATION_BYTES 32
void skv_duration_text(char out[SKV_DURATION_BYTES], double seconds);

#endif
