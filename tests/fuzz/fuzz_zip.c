#include "fuzz_zip.h"

#include <string.h>
#include <zlib.h>

#define LOCAL_BYTES   30u
#define CENTRAL_BYTES 46u

static size_t number(const uint8_t *p, int bytes)
{
    size_t v = 0;

    while (bytes-- > 0)
        v = v << 8 | p[bytes];
    return v;
}

static void put(uint8_t *p, size_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static void repair(uint8_t *data, size_t n, uint8_t *central)
{
    const size_t begin = number(central + 42, 4), bytes = number(central + 24, 4);
    uint8_t *local = data + (begin < n ? begin : n);
    size_t at, crc;

    if (begin > n || n - begin < LOCAL_BYTES)
        return;
    put(central + 20, bytes);
    put(local + 18, bytes);
    put(local + 22, bytes);
    at = begin + LOCAL_BYTES + number(local + 26, 2) + number(local + 28, 2);
    if (at > n || n - at < bytes)
        return;
    crc = crc32(0, data + at, (uInt)bytes);
    put(central + 16, crc);
    put(local + 14, crc);
}

void fuzz_zip_repair(uint8_t *data, size_t n)
{
    for (size_t i = 0; i + CENTRAL_BYTES <= n; i++)
        if (memcmp(data + i, "PK\1\2", 4) == 0)
            repair(data, n, data + i);
}
