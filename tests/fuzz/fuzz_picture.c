/* JPEG and WebP; fuzz_png.c has PNG. */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>

#include "io/picture_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    skv_picture picture = {0};

    if (skv_picture_read(&picture, fuzz_file("input", data, n)) != SKV_OK) {
        fuzz_refused();
        assert(!picture.rgb);
        return 0;
    }
    assert(0 < picture.width && 0 < picture.height);
    fuzz_touch(picture.rgb, (size_t)picture.width * (size_t)picture.height * 3);
    free(picture.rgb);
    return 0;
}
