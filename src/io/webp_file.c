#include "io/webp_file.h"

#include <stdlib.h>
#include <webp/decode.h>
#include <webp/encode.h>

#include "core/mem.h"

#define LEVEL 1 /* of 0 to 9: six times as fast as the default for 5 % more bytes */

static const char *reason(VP8StatusCode code)
{
    switch (code) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
        return "cut: the file ends before the picture does";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return "of a kind that libwebp does not read";
    default:
        return "damaged";
    }
}

static skv_status decode(skv_picture *out, const uint8_t *file, size_t bytes, const char *path)
{
    WebPDecoderConfig config;
    VP8StatusCode code;

    if (!WebPInitDecoderConfig(&config))
        return skv_fail(SKV_E_UNSUPPORTED, "%s: WebP: libwebp is older than its header", path);
    code = WebPGetFeatures(file, bytes, &config.input);
    if (code != VP8_STATUS_OK)
        return skv_fail(SKV_E_FORMAT, "%s: WebP: %s", path, reason(code));
    if (config.input.has_animation)
        return skv_fail(SKV_E_FORMAT, "%s: WebP: an animation, want one picture", path);
    out->width = config.input.width;
    out->height = config.input.height;
    if ((int64_t)out->width * out->height > SKV_PICTURE_MAX_PIXELS)
        return skv_fail(SKV_E_FORMAT, "%s: WebP: %d x %d pixels: more than can be read", path,
                        out->width, out->height);
    SKV_TRY(skv_alloc(&out->rgb, (size_t)out->height, (size_t)out->width * 3, path));
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = out->rgb;
    config.output.u.RGBA.stride = out->width * 3;
    config.output.u.RGBA.size = (size_t)out->height * (size_t)out->width * 3;
    code = WebPDecode(file, bytes, &config);
    WebPFreeDecBuffer(&config.output);
    if (code == VP8_STATUS_OUT_OF_MEMORY)
        return skv_fail(SKV_E_MEM, "%s: out of memory for WebP", path);
    return code == VP8_STATUS_OK ? SKV_OK
                                 : skv_fail(SKV_E_FORMAT, "%s: WebP: %s", path, reason(code));
}

skv_status skv_webp_decode(skv_picture *out, const void *file, size_t bytes, const char *path)
{
    skv_status st;

    *out = (skv_picture){0};
    st = decode(out, file, bytes, path);
    if (st != SKV_OK) {
        free(out->rgb);
        *out = (skv_picture){0};
    }
    return st;
}

skv_status skv_webp_encode(uint8_t **out, size_t *bytes, const skv_picture *picture,
                           const char *name)
{
    WebPConfig config;
    WebPMemoryWriter to;
    WebPPicture webp;
    int good;

    if (picture->width < 1 || picture->height < 1 || picture->width > WEBP_MAX_DIMENSION ||
        picture->height > WEBP_MAX_DIMENSION)
        return skv_fail(SKV_E_ARG, "%s: a WebP of %d x %d pixels, sides 1 to %d are possible", name,
                        picture->width, picture->height, WEBP_MAX_DIMENSION);
    if (!WebPConfigInit(&config) || !WebPConfigLosslessPreset(&config, LEVEL) ||
        !WebPPictureInit(&webp))
        return skv_fail(SKV_E_UNSUPPORTED, "%s: WebP: libwebp is older than its header", name);
    WebPMemoryWriterInit(&to);
    webp.use_argb = 1;
    webp.width = picture->width;
    webp.height = picture->height;
    webp.writer = WebPMemoryWrite;
    webp.custom_ptr = &to;
    good =
        WebPPictureImportRGB(&webp, picture->rgb, picture->width * 3) && WebPEncode(&config, &webp);
    WebPPictureFree(&webp);
    if (!good) { /* the sizes are right, so it is memory */
        WebPMemoryWriterClear(&to);
        return skv_fail(SKV_E_MEM, "%s: out of memory for WebP (error %d)", name, webp.error_code);
    }
    *out = to.mem;
    *bytes = to.size;
    return SKV_OK;
}
