#include "kernels/cpu/bilinear.h"

skv_taps skv_cpu__taps(int64_t o, int64_t n_in, int64_t n_out)
{
    const float step = (float)n_in / (float)n_out;
    float at = ((float)o + 0.5f) * step - 0.5f;
    skv_taps t;

    if (n_in == n_out)
        return (skv_taps){o, o, 0.0f};
    at = at < 0.0f ? 0.0f : at;
    t.low = (int64_t)at;
    if (t.low > n_in - 1)
        t.low = n_in - 1;
    t.high = t.low + 1 < n_in ? t.low + 1 : t.low;
    t.weight = at - (float)t.low;
    return t;
}
