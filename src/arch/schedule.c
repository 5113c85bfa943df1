#include "arch/schedule.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    int h, w;
} side;

typedef struct {
    double ratio;
    side scale[SKV_MAX_SCALES];
} row;

/* Heights and widths at 1M; ratios below 1 are the transposes. */
static const row table[] = {
    {1.000,
     {{1, 1},
      {2, 2},
      {4, 4},
      {6, 6},
      {8, 8},
      {12, 12},
      {16, 16},
      {20, 20},
      {24, 24},
      {32, 32},
      {40, 40},
      {48, 48},
      {64, 64}}},
    {1.250,
     {{1, 1},
      {2, 2},
      {3, 3},
      {5, 4},
      {10, 8},
      {15, 12},
      {20, 16},
      {25, 20},
      {30, 24},
      {35, 28},
      {45, 36},
      {55, 44},
      {70, 56}}},
    {1.333,
     {{1, 1},
      {2, 2},
      {4, 3},
      {8, 6},
      {12, 9},
      {16, 12},
      {20, 15},
      {24, 18},
      {28, 21},
      {36, 27},
      {48, 36},
      {60, 45},
      {72, 54}}},
    {1.500,
     {{1, 1},
      {2, 2},
      {3, 2},
      {6, 4},
      {9, 6},
      {15, 10},
      {21, 14},
      {27, 18},
      {33, 22},
      {39, 26},
      {48, 32},
      {63, 42},
      {78, 52}}},
    {1.750,
     {{1, 1},
      {2, 2},
      {3, 3},
      {7, 4},
      {11, 6},
      {14, 8},
      {21, 12},
      {28, 16},
      {35, 20},
      {42, 24},
      {56, 32},
      {70, 40},
      {84, 48}}},
    {2.000,
     {{1, 1},
      {2, 2},
      {4, 2},
      {6, 3},
      {10, 5},
      {16, 8},
      {22, 11},
      {30, 15},
      {38, 19},
      {46, 23},
      {60, 30},
      {74, 37},
      {90, 45}}},
    {2.500,
     {{1, 1},
      {2, 2},
      {5, 2},
      {10, 4},
      {15, 6},
      {20, 8},
      {25, 10},
      {30, 12},
      {40, 16},
      {50, 20},
      {65, 26},
      {80, 32},
      {100, 40}}},
    {3.000,
     {{1, 1},
      {2, 2},
      {6, 2},
      {9, 3},
      {15, 5},
      {21, 7},
      {27, 9},
      {36, 12},
      {45, 15},
      {54, 18},
      {72, 24},
      {90, 30},
      {111, 37}}},
};

static const struct {
    const char *name;
    int n_scales;
} resolutions[] = {{"0.06M", 7}, {"0.25M", 10}, {"0.60M", 12}, {"1M", 13}};

/* The key of a transposed ratio: int(1000/ratio)/1000. */
static double transposed(double ratio)
{
    return floor(1000.0 / ratio + 1e-9) / 1000.0;
}

static const row *find(double ratio, int *flip)
{
    const double tolerance = 0.0010001; /* 1.333 and 4/3, 0.666 and 2/3 are the same ratio */

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        *flip = fabs(ratio - table[i].ratio) > tolerance;
        if (!*flip || fabs(ratio - transposed(table[i].ratio)) <= tolerance)
            return &table[i];
    }
    return NULL;
}

skv_status skv_schedule_make(skv_schedule *out, double ratio, const char *resolution)
{
    skv_schedule s = {.n_scales = 0};
    int flip = 0;
    const row *r = find(ratio, &flip);

    if (!r)
        return skv_fail(SKV_E_ARG,
                        "aspect ratio %g (height/width) is not one of 1, 1.25, 1.333, 1.5, 1.75, "
                        "2, 2.5, 3, 0.8, 0.75, 0.666, 0.571, 0.5, 0.4, 0.333",
                        ratio);
    for (size_t i = 0; i < sizeof resolutions / sizeof resolutions[0]; i++)
        if (strcmp(resolution, resolutions[i].name) == 0)
            s.n_scales = resolutions[i].n_scales;
    if (s.n_scales == 0)
        return skv_fail(SKV_E_ARG, "resolution %s is not one of 0.06M, 0.25M, 0.60M, 1M",
                        resolution);
    for (int si = 0; si < s.n_scales; si++) {
        s.h[si] = flip ? r->scale[si].w : r->scale[si].h;
        s.w[si] = flip ? r->scale[si].h : r->scale[si].w;
        s.start[si + 1] = s.start[si] + s.h[si] * s.w[si];
    }
    s.rope_h = flip ? r->scale[SKV_MAX_SCALES - 1].w : r->scale[SKV_MAX_SCALES - 1].h;
    s.rope_w = flip ? r->scale[SKV_MAX_SCALES - 1].h : r->scale[SKV_MAX_SCALES - 1].w;
    s.ratio = flip ? transposed(r->ratio) : r->ratio;
    snprintf(s.resolution, sizeof s.resolution, "%s", resolution);
    *out = s;
    return SKV_OK;
}
