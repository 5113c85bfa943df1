#include "io/io_libraries.h"

#include <hdf5.h>
#include <png.h>
#include <stdio.h>
#include <webp/decode.h>
#include <zlib.h>

static skv_library hdf5(void)
{
    char built[48], running[48] = "";
    unsigned major, minor, release;

    snprintf(built, sizeof built, "%d.%d.%d", H5_VERS_MAJOR, H5_VERS_MINOR, H5_VERS_RELEASE);
    if (H5get_libversion(&major, &minor, &release) >= 0)
        snprintf(running, sizeof running, "%u.%u.%u", major, minor, release);
    return skv_library_of("HDF5", built, running);
}

static skv_library webp(void)
{
    const int v = WebPGetDecoderVersion();
    char running[48];

    snprintf(running, sizeof running, "%d.%d.%d", v >> 16, v >> 8 & 0xff, v & 0xff);
    return skv_library_of("libwebp", SKV_WEBP, running);
}

int skv_io_libraries(skv_library *out)
{
    int n = 0;

    out[n++] = hdf5();
    out[n++] = skv_library_of("libpng", PNG_LIBPNG_VER_STRING, png_get_libpng_ver(NULL));
    out[n++] = skv_library_of("libjpeg", SKV_JPEG, ""); /* of pkg-config: it does not tell */
    out[n++] = webp();
    out[n++] = skv_library_of("zlib", ZLIB_VERSION, zlibVersion());
    out[n++] = skv_library_of("SentencePiece", SKV_SENTENCEPIECE, ""); /* likewise */
    return n;
}
