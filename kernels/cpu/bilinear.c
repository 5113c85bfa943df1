/* Positions in fp32, as in the reference, so that weights agree to the last bit. */
#include "kernels/cpu/bilinear.h"

skv_cpu__tap skv_cpu__tap_at(int64_t at, int64_t in, int64_t out)
{
    float place = ((float)at + 0.5f) * ((float)in / (float)out) - 0.5f;
    skv_cpu__tap t;

    place = place < 0.0f ? 0.0f : place;
    t.low = (int64_t)place < in ? (int64_t)place : in - 1;
    t.high = t.low + 1 < in ? t.low + 1 : t.low;
    t.weight = place - (float)t.low;
    return t;
}
