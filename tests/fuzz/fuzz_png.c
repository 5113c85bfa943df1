#include "fuzz.h"

#include <assert.h>
#include <string.h>
#include <zlib.h>

#include "core/text.h"
#include "io/png.h"

static size_t number(const uint8_t *p)
{
    return (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
}

/* Gives every chunk its CRC-32. */
static void repair(uint8_t *data, size_t n)
{
    for (size_t at = 8; at + 12 <= n;) {
        const size_t bytes = number(data + at);
        uint32_t crc;

        if (n - at - 12 < bytes)
            return;
        crc = (uint32_t)crc32(0, data + at + 4, (uInt)(bytes + 4));
        for (int i = 0; i < 4; i++)
            data[at + 8 + bytes + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += 12 + bytes;
    }
}

static void run(const uint8_t *data, size_t n)
{
    skv_png png = {0};

    if (skv_png_read(&png, fuzz_file("input.png", data, n)) != SKV_OK) {
        fuzz_refused();
        return;
    }
    assert(0 < png.width && png.width <= SKV_PNG_MAX_SIDE);
    assert(0 < png.height && png.height <= SKV_PNG_MAX_SIDE);
    fuzz_touch(png.rgb, (size_t)png.width * (size_t)png.height * 3);
    for (int i = 0; i < png.n_text; i++) {
        fuzz_touch(png.text[i].key, strlen(png.text[i].key));
        fuzz_touch(png.text[i].value, strlen(png.text[i].value));
    }
    skv_png_clear(&png);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_twice(data, n, repair, run);
    return 0;
}
