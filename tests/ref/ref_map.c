/* Bilinear interpolation between the centres of places. */
#include "ref/ref.h"

#include <math.h>

static void taps(int64_t at, int64_t in, int64_t out, int64_t index[2], double weight[2])
{
    const double place = ((double)at + 0.5) * (double)in / (double)out - 0.5;
    const double floor_of = floor(place);

    for (int i = 0; i < 2; i++) {
        double k = floor_of + i;

        k = k < 0 ? 0 : k > (double)(in - 1) ? (double)(in - 1) : k;
        index[i] = (int64_t)k;
    }
    weight[1] = place - floor_of;
    weight[0] = 1.0 - weight[1];
}

void ref_bilinear(double *out, const ref_map *m, int64_t y, int64_t x)
{
    int64_t iy[2], ix[2];
    double wy[2], wx[2];

    taps(y, m->height, m->out_height, iy, wy);
    taps(x, m->width, m->out_width, ix, wx);
    for (int64_t c = 0; c < m->d; c++) {
        out[c] = 0;
        for (int i = 0; i < 2; i++)
            for (int j = 0; j < 2; j++)
                out[c] += wy[i] * wx[j] * m->map[(iy[i] * m->width + ix[j]) * m->d + c];
    }
}
