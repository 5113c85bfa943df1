/* Codes of a byte by search through all that there are. */
#include <math.h>

#include "ref/ref.h"

double ref_byte_value(uint8_t code, int e4m3)
{
    const int exponent = (code >> 3) & 15, mantissa = code & 7;
    double x = exponent == 0 ? ldexp(mantissa, -9) : ldexp(8 + mantissa, exponent - 10);

    if (!e4m3)
        return code < 128 ? code : code - 256;
    if ((code & 127) == 127)
        return NAN;
    return code & 128 ? -x : x;
}

uint8_t ref_byte(double x, int e4m3)
{
    double least = INFINITY;
    uint8_t best = e4m3 ? 127 : 0; /* NaN's */

    if (fabs(x) > 1e9) /* where doubles are so coarse that all codes are as far away */
        x = copysign(1e9, x);
    for (int c = 0; c < 256; c++) {
        const double away = fabs(ref_byte_value((uint8_t)c, e4m3) - x);

        if (!e4m3 && c == 128) /* -128 is not used */
            continue;
        if (away < least || (away == least && c % 2 == 0)) {
            least = away;
            best = (uint8_t)c;
        }
    }
    return best;
}
