#include "model/rope.h"

#include <math.h>
#include <stddef.h>

int skv_rope_position(int i, int n, int last)
{
    /* The reference multiplies in float32, and rounds halves to even: nearbyintf's default. */
    float step = (float)((double)last / (double)n);

    return (int)nearbyintf((float)i * step);
}

/* half/2 angles of one coordinate, as pairs (cos, sin). */
static void angles(float *out, int position, int half)
{
    for (int j = 0; j < half / 2; j++) {
        float inv_freq = (float)(1.0 / pow(10000.0, (double)((float)(2 * j) / (float)half)));
        float angle = (float)position * inv_freq;

        out[2 * j] = (float)cos((double)angle);
        out[2 * j + 1] = (float)sin((double)angle);
    }
}

void skv_rope_fill(float *table, const skv_schedule *schedule, int si, int head_dim)
{
    int h = schedule->h[si], w = schedule->w[si], half = head_dim / 2;

    for (int r = 0; r < h; r++)
        for (int c = 0; c < w; c++) {
            float *token = table + (size_t)(r * w + c) * (size_t)head_dim;

            angles(token, skv_rope_position(r, h, schedule->rope_h), half);
            angles(token + half, skv_rope_position(c, w, schedule->rope_w), half);
        }
}
