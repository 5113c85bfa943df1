#include "core/clock.h"

#include <math.h>
#include <stdio.h>

double skv_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void skv_duration_text(char out[SKV_DURATION_BYTES], double seconds)
{
    const double minutes = floor(seconds / 60) + 1;

    if (seconds < 90)
        snprintf(out, SKV_DURATION_BYTES, "%.0f s", seconds);
    else if (minutes < 60)
        snprintf(out, SKV_DURATION_BYTES, "%.0f min", minutes);
    else
        snprintf(out, SKV_DURATION_BYTES, "%.0f h %02.0f min", floor(minutes / 60),
                 fmod(minutes, 60));
}

void skv_utc_text(char out[SKV_UTC_BYTES], time_t when)
{
    struct tm tm;

    gmtime_r(&when, &tm);
    strftime(out, SKV_UTC_BYTES, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
