#include "fuzz_zip.h"

#include <stdbool.h>
#include <string.h>
#include <zlib.h>

#define LOCAL_BYTES   30u
#define CENTRAL_BYTES 46u
#define MOST          ((size_t)1 << 20)

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

/* Sizes and CRC-32 of what a deflated member inflates to. */
static void repair_deflated(const uint8_t *data, size_t bytes, uint8_t *central, uint8_t *local)
{
    static uint8_t out[MOST];
    z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)data,
                  .avail_in = (uInt)bytes,
                  .next_out = out,
                  .avail_out = sizeof out};

    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return;
    (void)inflate(&z, Z_FINISH);
    put(central + 16, crc32(0, out, (uInt)z.total_out));
    put(local + 14, number(central + 16, 4));
    put(central + 24, z.total_out);
    put(local + 22, z.total_out);
    put(central + 20, z.total_in);
    put(local + 18, z.total_in);
    (void)inflateEnd(&z);
}

static void repair(uint8_t *data, size_t n, uint8_t *central)
{
    const bool deflated = number(central + 10, 2) == 8;
    const size_t begin = number(central + 42, 4), bytes = number(central + (deflated ? 20 : 24), 4);
    uint8_t *local = data + (begin < n ? begin : n);
    size_t at, crc;

    if (begin > n || n - begin < LOCAL_BYTES)
        return;
    at = begin + LOCAL_BYTES + number(local + 26, 2) + number(local + 28, 2);
    if (deflated && at <= n && n - at >= bytes)
        repair_deflated(data + at, bytes, central, local);
    if (deflated)
        return;
    put(central + 20, bytes);
    put(local + 18, bytes);
    put(local + 22, bytes);
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
