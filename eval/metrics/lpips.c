#include "eval/metrics/lpips.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/mem.h"
#include "eval/metrics/network.h"
#include "kernels/ops.h"

#define NAME_BYTES 64

/* features.{0,3,6,8,10} of torchvision's AlexNet; some read a max-pooled map. */
static const struct {
    int layer, ci, co, kernel, stride, pad;
    bool pooled;
} layers[SKV_LPIPS_TAPS] = {
    {0, 3, 64, 11, 4, 2, false},   {3, 64, 192, 5, 1, 2, true},    {6, 192, 384, 3, 1, 1, true},
    {8, 384, 256, 3, 1, 1, false}, {10, 256, 256, 3, 1, 1, false},
};

struct skv_lpips {
    skv_backend *be;
    skv_conv conv[SKV_LPIPS_TAPS];
    skv_tensor lin[SKV_LPIPS_TAPS]; /* (co) */
    void *lin_memory[SKV_LPIPS_TAPS];
    int height, width; /* of the pictures the buffers are for; 0: none */
    int held[2][2];    /* size of each slot's picture, 0: none */
    void *memory;
    skv_tensor input, pooled[SKV_LPIPS_TAPS], tap[2][SKV_LPIPS_TAPS];
    skv_tensor distance; /* (taps) one number a tap */
    float *host;         /* a picture, scaled */
};

/* ---------------------------------------------------------------------- open */

static skv_status load_conv(skv_lpips *l, const skv_network_file *f, int i)
{
    const int64_t shape[] = {layers[i].co, layers[i].ci, layers[i].kernel, layers[i].kernel};
    const double fan_in = (double)(shape[1] * shape[2] * shape[3]);
    float *weight = NULL, *bias = NULL;
    char name[NAME_BYTES];
    skv_status st;

    l->conv[i] = (skv_conv){.ci = layers[i].ci,
                            .co = layers[i].co,
                            .kh = layers[i].kernel,
                            .kw = layers[i].kernel,
                            .stride = layers[i].stride,
                            .pad_h = layers[i].pad,
                            .pad_w = layers[i].pad};
    snprintf(name, sizeof name, "features.%d.weight", layers[i].layer);
    SKV_TRY_GOTO(
        skv_network_read(&weight, f, name, 4, shape, (skv_network_rule){.mul = sqrt(6.0 / fan_in)}),
        done);
    snprintf(name, sizeof name, "features.%d.bias", layers[i].layer);
    SKV_TRY_GOTO(skv_network_read(&bias, f, name, 1, shape, (skv_network_rule){.mul = 0.25}), done);
    st = skv_conv_upload(&l->conv[i], l->be, weight, bias);
done:
    free(weight);
    free(bias);
    return st;
}

static skv_status load_lin(skv_lpips *l, const skv_network_file *f, int i)
{
    const int64_t shape[] = {1, layers[i].co, 1, 1};
    const size_t bytes = (size_t)layers[i].co * sizeof(float);
    float *weight = NULL;
    char name[NAME_BYTES];
    skv_status st;

    snprintf(name, sizeof name, "lin%d.model.1.weight", i);
    SKV_TRY_GOTO(skv_network_read(&weight, f, name, 4, shape,
                                  (skv_network_rule){.mul = 2.0 / layers[i].co, .positive = true}),
                 done);
    SKV_TRY_GOTO(skv_backend_alloc(l->be, &l->lin_memory[i], bytes, "LPIPS weights"), done);
    l->lin[i] = SKV_TENSOR(l->lin_memory[i], SKV_F32, l->be->device, layers[i].co);
    st = skv_backend_upload(l->be, l->lin[i].data, weight, bytes);
done:
    free(weight);
    return st;
}

skv_status skv_lpips_open(skv_lpips **out, skv_backend *be, const char *alexnet, const char *lin)
{
    skv_network_file net = {0}, linear = {0};
    skv_lpips *l = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&l, 1, sizeof *l, "LPIPS"), done);
    l->be = be;
    SKV_TRY_GOTO(skv_network_open(&net, alexnet, &skv_network_alexnet.file[0]), done);
    SKV_TRY_GOTO(skv_network_open(&linear, lin, &skv_network_alexnet.file[1]), done);
    for (int i = 0; i < SKV_LPIPS_TAPS; i++) {
        SKV_TRY_GOTO(load_conv(l, &net, i), done);
        SKV_TRY_GOTO(load_lin(l, &linear, i), done);
    }
    *out = l;
    l = NULL;
done:
    skv_network_close(&net);
    skv_network_close(&linear);
    skv_lpips_close(l);
    return st;
}

void skv_lpips_close(skv_lpips *l)
{
    if (!l)
        return;
    for (int i = 0; i < SKV_LPIPS_TAPS; i++) {
        skv_backend_free(l->be, l->conv[i].memory);
        skv_backend_free(l->be, l->lin_memory[i]);
    }
    skv_backend_free(l->be, l->memory);
    free(l->host);
    free(l);
}

/* ------------------------------------------------------------------- buffers */

/* Every map of a picture of this size; runs twice, to count and to take. */
static skv_status take_maps(skv_lpips *l, skv_arena *arena, int height, int width)
{
    const skv_device device = l->be->device;
    int h = height, w = width;

    SKV_TRY(SKV_TAKE(&l->input, arena, SKV_F32, device, 1, h, w, 3));
    for (int i = 0; i < SKV_LPIPS_TAPS; i++) {
        if (layers[i].pooled) {
            h = skv_conv_side(h, 3, 2, 0);
            w = skv_conv_side(w, 3, 2, 0);
            SKV_TRY(SKV_TAKE(&l->pooled[i], arena, SKV_F32, device, 1, h, w, layers[i].ci));
        }
        h = skv_conv_side(h, layers[i].kernel, layers[i].stride, layers[i].pad);
        w = skv_conv_side(w, layers[i].kernel, layers[i].stride, layers[i].pad);
        for (int slot = 0; slot < 2; slot++)
            SKV_TRY(SKV_TAKE(&l->tap[slot][i], arena, SKV_F32, device, 1, h, w, layers[i].co));
    }
    return SKV_TAKE(&l->distance, arena, SKV_F32, device, SKV_LPIPS_TAPS,
                    SKV_ALIGN / (int64_t)sizeof(float));
}

static skv_status resize(skv_lpips *l, int height, int width)
{
    skv_arena arena;

    if (height == l->height && width == l->width)
        return SKV_OK;
    if (height < SKV_LPIPS_LEAST || width < SKV_LPIPS_LEAST)
        return skv_fail(SKV_E_SHAPE, "LPIPS wants pictures of at least %d pixels a side, got %dx%d",
                        SKV_LPIPS_LEAST, width, height);
    skv_backend_free(l->be, l->memory);
    free(l->host);
    l->memory = NULL;
    l->host = NULL;
    l->height = l->width = 0;
    l->held[0][0] = l->held[1][0] = 0;
    skv_arena_init_counting(&arena, "LPIPS");
    SKV_TRY(take_maps(l, &arena, height, width));
    SKV_TRY(skv_alloc(&l->host, (size_t)height * (size_t)width * 3, sizeof *l->host, "a picture"));
    SKV_TRY(skv_backend_alloc(l->be, &l->memory, arena.high, "LPIPS maps"));
    skv_arena_init(&arena, "LPIPS", l->memory, arena.high);
    SKV_TRY(take_maps(l, &arena, height, width));
    l->height = height;
    l->width = width;
    return SKV_OK;
}

/* ------------------------------------------------------------------- compute */

/* (2·v/255 - 1 - shift) / scale, by channel */
static void scale_picture(float *out, const uint8_t *rgb, size_t pixels)
{
    static const float shift[3] = {-0.030f, -0.088f, -0.188f}, scale[3] = {0.458f, 0.448f, 0.450f};
    float table[256][3];

    for (int v = 0; v < 256; v++)
        for (int c = 0; c < 3; c++)
            table[v][c] = (2 * ((float)v / 255) - 1 - shift[c]) / scale[c];
    for (size_t i = 0; i < pixels; i++)
        for (int c = 0; c < 3; c++)
            out[3 * i + (size_t)c] = table[rgb[3 * i + (size_t)c]][c];
}

skv_status skv_lpips_set(skv_lpips *l, int slot, const uint8_t *rgb, int height, int width)
{
    const skv_tensor *x = &l->input;

    SKV_TRY(resize(l, height, width));
    scale_picture(l->host, rgb, (size_t)height * (size_t)width);
    SKV_TRY(skv_backend_upload(l->be, l->input.data, l->host, skv_tensor_bytes(&l->input)));
    for (int i = 0; i < SKV_LPIPS_TAPS; i++) {
        const skv_conv *c = &l->conv[i];

        if (layers[i].pooled) {
            SKV_TRY(skv_pool2d(
                l->be, &(skv_pool2d_args){.y = l->pooled[i], .x = *x, .kernel = 3, .stride = 2}));
            x = &l->pooled[i];
        }
        SKV_TRY(skv_conv_relu(l->be, &(skv_conv_relu_args){.y = l->tap[slot][i],
                                                           .x = *x,
                                                           .w = c->w,
                                                           .b = c->b,
                                                           .kh = c->kh,
                                                           .kw = c->kw,
                                                           .stride = c->stride,
                                                           .pad_h = c->pad_h,
                                                           .pad_w = c->pad_w}));
        x = &l->tap[slot][i];
    }
    l->held[slot][0] = height;
    l->held[slot][1] = width;
    return SKV_OK;
}

skv_status skv_lpips_distance(double *total, double *by_tap, skv_lpips *l)
{
    float row[SKV_LPIPS_TAPS * SKV_ALIGN / sizeof(float)];

    if (l->held[0][0] == 0 || l->held[0][0] != l->held[1][0] || l->held[0][1] != l->held[1][1])
        return skv_fail(SKV_E_SHAPE, "LPIPS: pictures of %dx%d and %dx%d", l->held[0][1],
                        l->held[0][0], l->held[1][1], l->held[1][0]);
    for (int i = 0; i < SKV_LPIPS_TAPS; i++) {
        const skv_tensor row_i = skv_tensor_rows(&l->distance, i, 1);
        const skv_tensor d = SKV_TENSOR(row_i.data, SKV_F32, l->be->device, 1);

        SKV_TRY(skv_lpips_layer(
            l->be,
            &(skv_lpips_layer_args){.d = d, .a = l->tap[0][i], .b = l->tap[1][i], .w = l->lin[i]}));
    }
    SKV_TRY(skv_backend_download(l->be, row, l->distance.data, sizeof row));
    *total = 0;
    for (int i = 0; i < SKV_LPIPS_TAPS; i++) {
        const double d = row[(size_t)i * SKV_ALIGN / sizeof(float)];

        *total += d;
        if (by_tap)
            by_tap[i] = d;
    }
    return SKV_OK;
}

skv_tensor skv_lpips_tap(const skv_lpips *l, int slot, int tap)
{
    return l->tap[slot][tap];
}

/* -------------------------------------------------------------------- network */

static skv_status open_network(void **state, skv_backend *be, const char *const *path)
{
    skv_lpips *l = NULL;

    SKV_TRY(skv_lpips_open(&l, be, path[0], path[1]));
    *state = l;
    return SKV_OK;
}

static void close_network(void *state)
{
    skv_lpips_close(state);
}

const skv_metric_network skv_network_alexnet = {
    .name = "alexnet_lpips",
    .file = {{"alexnet", "alexnet-owt-7be5be79.pth", "AlexNet's weights",
              "alexnet-owt-7be5be79.pth of download.pytorch.org/models", SKV_KIND_ALEXNET},
             {"lpips", "alex.pth", "LPIPS's linear layers",
              "weights/v0.1/alex.pth of the lpips package", SKV_KIND_LPIPS}},
    .open = open_network,
    .close = close_network,
};
