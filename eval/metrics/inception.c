/* The network is a table: stages of layers that read the stage's input or one of two temporaries
 * and write a temporary or the next channels of the stage's output. One walk over the table plans
 * the buffers, one loads the weights, one computes.
 *
 * Easy to get wrong: mean pools divide by the cells inside the map, and Mixed_7c pools by maximum:
 * the two differences from torchvision's network. */
#include "eval/metrics/inception.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "eval/metrics/network.h"
#include "eval/metrics/resize.h"
#include "kernels/ops.h"

#define NAME_BYTES 96
#define N_CONVS    94
#define BN_EPS     1e-3
#define OWN        0 /* channels, or kind of pool: the stage's */

typedef enum { CONV, MAX_POOL, MEAN_POOL, STAGE_POOL } kind;
typedef enum { IN, T, U, OUT, N_PLACES } place;

typedef struct {
    kind kind;
    const char *name;
    int co, kh, kw, stride, pad_h, pad_w;
    place from, to;
} layer;

#define CONV_1X1(name, co, from, to)                                                               \
    {                                                                                              \
        CONV, name, co, 1, 1, 1, 0, 0, from, to                                                    \
    }
#define CONV_SAME(name, co, kh, kw, from, to)                                                      \
    {                                                                                              \
        CONV, name, co, kh, kw, 1, (kh) / 2, (kw) / 2, from, to                                    \
    }
#define CONV_HALF(name, co, from, to)                                                              \
    {                                                                                              \
        CONV, name, co, 3, 3, 2, 0, 0, from, to                                                    \
    }
#define POOL_SAME(kind, from, to)                                                                  \
    {                                                                                              \
        kind, NULL, 0, 3, 3, 1, 1, 1, from, to                                                     \
    }
#define POOL_HALF                                                                                  \
    {                                                                                              \
        MAX_POOL, NULL, 0, 3, 3, 2, 0, 0, IN, OUT                                                  \
    }

static const layer stem_1a[] = {CONV_HALF("", 32, IN, OUT)};
static const layer stem_2a[] = {{CONV, "", 32, 3, 3, 1, 0, 0, IN, OUT}};
static const layer stem_2b[] = {CONV_SAME("", 64, 3, 3, IN, OUT)};
static const layer stem_3b[] = {CONV_1X1("", 80, IN, OUT)};
static const layer stem_4a[] = {{CONV, "", 192, 3, 3, 1, 0, 0, IN, OUT}};
static const layer stem_pool[] = {POOL_HALF};

static const layer block_a[] = {
    CONV_1X1(".branch1x1", 64, IN, OUT),
    CONV_1X1(".branch5x5_1", 48, IN, T),
    CONV_SAME(".branch5x5_2", 64, 5, 5, T, OUT),
    CONV_1X1(".branch3x3dbl_1", 64, IN, T),
    CONV_SAME(".branch3x3dbl_2", 96, 3, 3, T, U),
    CONV_SAME(".branch3x3dbl_3", 96, 3, 3, U, OUT),
    POOL_SAME(MEAN_POOL, IN, T),
    CONV_1X1(".branch_pool", OWN, T, OUT),
};

static const layer block_b[] = {
    CONV_HALF(".branch3x3", 384, IN, OUT),
    CONV_1X1(".branch3x3dbl_1", 64, IN, T),
    CONV_SAME(".branch3x3dbl_2", 96, 3, 3, T, U),
    CONV_HALF(".branch3x3dbl_3", 96, U, OUT),
    POOL_HALF,
};

static const layer block_c[] = {
    CONV_1X1(".branch1x1", 192, IN, OUT),
    CONV_1X1(".branch7x7_1", OWN, IN, T),
    CONV_SAME(".branch7x7_2", OWN, 1, 7, T, U),
    CONV_SAME(".branch7x7_3", 192, 7, 1, U, OUT),
    CONV_1X1(".branch7x7dbl_1", OWN, IN, T),
    CONV_SAME(".branch7x7dbl_2", OWN, 7, 1, T, U),
    CONV_SAME(".branch7x7dbl_3", OWN, 1, 7, U, T),
    CONV_SAME(".branch7x7dbl_4", OWN, 7, 1, T, U),
    CONV_SAME(".branch7x7dbl_5", 192, 1, 7, U, OUT),
    POOL_SAME(MEAN_POOL, IN, T),
    CONV_1X1(".branch_pool", 192, T, OUT),
};

static const layer block_d[] = {
    CONV_1X1(".branch3x3_1", 192, IN, T),
    CONV_HALF(".branch3x3_2", 320, T, OUT),
    CONV_1X1(".branch7x7x3_1", 192, IN, T),
    CONV_SAME(".branch7x7x3_2", 192, 1, 7, T, U),
    CONV_SAME(".branch7x7x3_3", 192, 7, 1, U, T),
    CONV_HALF(".branch7x7x3_4", 192, T, OUT),
    POOL_HALF,
};

static const layer block_e[] = {
    CONV_1X1(".branch1x1", 320, IN, OUT),
    CONV_1X1(".branch3x3_1", 384, IN, T),
    CONV_SAME(".branch3x3_2a", 384, 1, 3, T, OUT),
    CONV_SAME(".branch3x3_2b", 384, 3, 1, T, OUT),
    CONV_1X1(".branch3x3dbl_1", 448, IN, T),
    CONV_SAME(".branch3x3dbl_2", 384, 3, 3, T, U),
    CONV_SAME(".branch3x3dbl_3a", 384, 1, 3, U, OUT),
    CONV_SAME(".branch3x3dbl_3b", 384, 3, 1, U, OUT),
    POOL_SAME(STAGE_POOL, IN, T),
    CONV_1X1(".branch_pool", 192, T, OUT),
};

typedef struct {
    const char *name;
    const layer *layer;
    int n_layers;
    int own;   /* channels of its OWN layers */
    kind pool; /* of its STAGE_POOL */
} stage;

#define STAGE(name, layers, own, pool)                                                             \
    {                                                                                              \
        name, layers, sizeof(layers) / sizeof(layers)[0], own, pool                                \
    }

static const stage stages[] = {
    STAGE("Conv2d_1a_3x3", stem_1a, 0, MEAN_POOL), STAGE("Conv2d_2a_3x3", stem_2a, 0, MEAN_POOL),
    STAGE("Conv2d_2b_3x3", stem_2b, 0, MEAN_POOL), STAGE("maxpool1", stem_pool, 0, MEAN_POOL),
    STAGE("Conv2d_3b_1x1", stem_3b, 0, MEAN_POOL), STAGE("Conv2d_4a_3x3", stem_4a, 0, MEAN_POOL),
    STAGE("maxpool2", stem_pool, 0, MEAN_POOL),    STAGE("Mixed_5b", block_a, 32, MEAN_POOL),
    STAGE("Mixed_5c", block_a, 64, MEAN_POOL),     STAGE("Mixed_5d", block_a, 64, MEAN_POOL),
    STAGE("Mixed_6a", block_b, 0, MEAN_POOL),      STAGE("Mixed_6b", block_c, 128, MEAN_POOL),
    STAGE("Mixed_6c", block_c, 160, MEAN_POOL),    STAGE("Mixed_6d", block_c, 160, MEAN_POOL),
    STAGE("Mixed_6e", block_c, 192, MEAN_POOL),    STAGE("Mixed_7a", block_d, 0, MEAN_POOL),
    STAGE("Mixed_7b", block_e, 0, MEAN_POOL),      STAGE("Mixed_7c", block_e, 0, MAX_POOL),
};

#define N_STAGES (sizeof stages / sizeof stages[0])

typedef struct {
    int h, w, c;
} map;

/* A layer where it stands: what it reads and writes. */
typedef struct {
    const stage *stage;
    const layer *layer;
    int conv;     /* its number among the convolutions */
    int co;       /* channels it writes */
    map from, to; /* to.c: of the whole place, offset its first channel of ours */
    int offset;
    int buffer[N_PLACES]; /* which buffer each place of the stage is */
} site;

struct skv_inception {
    skv_backend *be;
    int batch;
    skv_conv conv[N_CONVS];
    int64_t floats[N_PLACES]; /* of each buffer, one picture */
    void *memory;
    float *buffer[N_PLACES];
    skv_tensor features;
    float *host; /* scaled input */
    skv_inception_probe probe;
    void *probe_ctx;
    int n; /* pictures of the call at hand */
};

/* ---------------------------------------------------------------------- walk */

static int out_channels(const stage *s, int ci)
{
    int c = 0;

    for (int i = 0; i < s->n_layers; i++)
        if (s->layer[i].to == OUT)
            c += s->layer[i].kind == CONV ? (s->layer[i].co ? s->layer[i].co : s->own) : ci;
    return c;
}

typedef skv_status (*visit)(skv_inception *net, const site *at, const void *ctx);

static skv_status walk_stage(skv_inception *net, const stage *s, map *in, int flip, int *conv,
                             visit fn, const void *ctx)
{
    map here[N_PLACES] = {[IN] = *in};
    site at = {.stage = s, .buffer = {flip, T, U, flip ? IN : OUT}};
    int offset = 0;

    for (int i = 0; i < s->n_layers; i++) {
        const layer *l = &s->layer[i];

        at.layer = l;
        at.from = here[l->from];
        at.co = l->kind != CONV ? at.from.c : l->co ? l->co : s->own;
        at.to = (map){skv_conv_side(at.from.h, l->kh, l->stride, l->pad_h),
                      skv_conv_side(at.from.w, l->kw, l->stride, l->pad_w),
                      l->to == OUT ? out_channels(s, in->c) : at.co};
        at.offset = l->to == OUT ? offset : 0;
        at.conv = l->kind == CONV ? (*conv)++ : -1;
        offset += l->to == OUT ? at.co : 0;
        here[l->to] = at.to;
        SKV_TRY(fn(net, &at, ctx));
    }
    *in = here[OUT];
    return SKV_OK;
}

/* Input and output of the stages alternate between two buffers, IN and OUT. after: called after
 * every stage, may be NULL. */
static skv_status walk(skv_inception *net, visit fn, const void *ctx,
                       skv_status (*after)(skv_inception *, const stage *, map, int buffer))
{
    map in = {SKV_INCEPTION_SIDE, SKV_INCEPTION_SIDE, 3};
    int conv = 0;

    for (size_t i = 0; i < N_STAGES; i++) {
        const int flip = i % 2 ? OUT : IN;

        SKV_TRY(walk_stage(net, &stages[i], &in, flip, &conv, fn, ctx));
        if (after)
            SKV_TRY(after(net, &stages[i], in, flip ? IN : OUT));
    }
    return SKV_OK;
}

/* ------------------------------------------------------------- plan and load */

static skv_status plan(skv_inception *net, const site *at, const void *ctx)
{
    int64_t *in = &net->floats[at->buffer[at->layer->from]];
    int64_t *out = &net->floats[at->buffer[at->layer->to]];
    const int64_t from = (int64_t)at->from.h * at->from.w * at->from.c;
    const int64_t to = (int64_t)at->to.h * at->to.w * at->to.c;

    (void)ctx;
    *in = from > *in ? from : *in;
    *out = to > *out ? to : *out;
    return SKV_OK;
}

/* weight <- weight·s, bias = beta - mean·s, s = gamma / sqrt(var + eps), by output channel. */
static void fold(float *weight, float *bias, float *const bn[4], int co, int64_t per_channel)
{
    for (int o = 0; o < co; o++) {
        const double s = (double)bn[0][o] / sqrt((double)bn[3][o] + BN_EPS);

        for (int64_t i = 0; i < per_channel; i++)
            weight[o * per_channel + i] = (float)(weight[o * per_channel + i] * s);
        bias[o] = (float)(bn[1][o] - bn[2][o] * s);
    }
}

static skv_status load(skv_inception *net, const site *at, const void *ctx)
{
    static const struct {
        const char *name;
        skv_network_rule rule;
    } bn_parts[4] = {{"bn.weight", {1, 0.25, false}},
                     {"bn.bias", {0, 0.25, false}},
                     {"bn.running_mean", {0, 0.25, false}},
                     {"bn.running_var", {1, 0.5, false}}};
    const layer *l = at->layer;
    const int64_t shape[] = {at->co, at->from.c, l->kh, l->kw};
    const int64_t fan_in = shape[1] * shape[2] * shape[3];
    float *weight = NULL, *bias = NULL, *bn[4] = {NULL};
    char name[NAME_BYTES];
    skv_status st = SKV_OK;

    if (l->kind != CONV)
        return SKV_OK;
    net->conv[at->conv] = (skv_conv){.ci = at->from.c,
                                     .co = at->co,
                                     .kh = l->kh,
                                     .kw = l->kw,
                                     .stride = l->stride,
                                     .pad_h = l->pad_h,
                                     .pad_w = l->pad_w};
    snprintf(name, sizeof name, "%s%s.conv.weight", at->stage->name, l->name);
    SKV_TRY_GOTO(skv_network_read(&weight, ctx, name, 4, shape,
                                  (skv_network_rule){.mul = sqrt(6.0 / (double)fan_in)}),
                 done);
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s%s.%s", at->stage->name, l->name, bn_parts[i].name);
        SKV_TRY_GOTO(skv_network_read(&bn[i], ctx, name, 1, shape, bn_parts[i].rule), done);
    }
    SKV_TRY_GOTO(skv_alloc(&bias, (size_t)at->co, sizeof *bias, "Inception"), done);
    fold(weight, bias, bn, at->co, fan_in);
    st = skv_conv_upload(&net->conv[at->conv], net->be, weight, bias);
done:
    free(weight);
    free(bias);
    for (int i = 0; i < 4; i++)
        free(bn[i]);
    return st;
}

static skv_status take_buffers(skv_inception *net, skv_arena *arena)
{
    void *data = NULL;

    for (int i = 0; i < N_PLACES; i++) {
        SKV_TRY(skv_arena_take(&data, arena,
                               (size_t)net->batch * (size_t)net->floats[i] * sizeof(float)));
        net->buffer[i] = data;
    }
    SKV_TRY(skv_arena_take(&data, arena, (size_t)net->batch * SKV_FEATURES * sizeof(float)));
    net->features = SKV_TENSOR(data, SKV_F32, net->be->device, net->batch, SKV_FEATURES);
    return SKV_OK;
}

skv_status skv_inception_open(skv_inception **out, skv_backend *be, const char *path, int batch)
{
    const size_t input = (size_t)SKV_INCEPTION_SIDE * SKV_INCEPTION_SIDE * 3;
    skv_network_file file = {0};
    skv_inception *net = NULL;
    skv_arena arena;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&net, 1, sizeof *net, "Inception"), done);
    net->be = be;
    net->batch = batch;
    SKV_TRY_GOTO(skv_network_open(&file, path, &skv_network_inception.file[0]), done);
    SKV_TRY_GOTO(walk(net, plan, NULL, NULL), done);
    SKV_TRY_GOTO(walk(net, load, &file, NULL), done);
    SKV_TRY_GOTO(skv_alloc(&net->host, (size_t)batch * input, sizeof *net->host, "Inception"),
                 done);
    skv_arena_init_counting(&arena, "Inception");
    SKV_TRY_GOTO(take_buffers(net, &arena), done);
    SKV_TRY_GOTO(skv_backend_alloc(be, &net->memory, arena.high, "Inception's maps"), done);
    skv_arena_init(&arena, "Inception", net->memory, arena.high);
    SKV_TRY_GOTO(take_buffers(net, &arena), done);
    *out = net;
    net = NULL;
done:
    skv_network_close(&file);
    skv_inception_close(net);
    return st;
}

void skv_inception_close(skv_inception *net)
{
    if (!net)
        return;
    for (int i = 0; i < N_CONVS; i++)
        skv_backend_free(net->be, net->conv[i].memory);
    skv_backend_free(net->be, net->memory);
    free(net->host);
    free(net);
}

void skv_inception_watch(skv_inception *net, skv_inception_probe probe, void *ctx)
{
    net->probe = probe;
    net->probe_ctx = ctx;
}

/* ------------------------------------------------------------------- compute */

static skv_tensor view(const skv_inception *net, int buffer, map m)
{
    return SKV_TENSOR(net->buffer[buffer], SKV_F32, net->be->device, net->n, m.h, m.w, m.c);
}

static skv_status compute(skv_inception *net, const site *at, const void *ctx)
{
    const layer *l = at->layer;
    const kind what = l->kind == STAGE_POOL ? at->stage->pool : l->kind;
    const skv_tensor x = view(net, at->buffer[l->from], at->from);
    skv_tensor y = view(net, at->buffer[l->to], at->to);

    (void)ctx;
    y.data = (float *)y.data + at->offset;
    y.shape[3] = at->co;
    if (what != CONV)
        return skv_pool2d(net->be, &(skv_pool2d_args){.y = y,
                                                      .x = x,
                                                      .kernel = l->kh,
                                                      .stride = l->stride,
                                                      .pad = l->pad_h,
                                                      .mean = what == MEAN_POOL});
    return skv_conv_relu(net->be, &(skv_conv_relu_args){.y = y,
                                                        .x = x,
                                                        .w = net->conv[at->conv].w,
                                                        .b = net->conv[at->conv].b,
                                                        .kh = l->kh,
                                                        .kw = l->kw,
                                                        .stride = l->stride,
                                                        .pad_h = l->pad_h,
                                                        .pad_w = l->pad_w});
}

static skv_status show(skv_inception *net, const stage *s, map out, int buffer)
{
    const skv_tensor y = view(net, buffer, out);

    if (net->probe)
        SKV_TRY(net->probe(net->probe_ctx, s->name, &y));
    if (s != &stages[N_STAGES - 1])
        return SKV_OK;
    return skv_mean_positions(
        net->be,
        &(skv_mean_positions_args){.y = skv_tensor_rows(&net->features, 0, net->n), .x = y});
}

skv_status skv_inception_features(skv_inception *net, const float *x, int n, float *features)
{
    const size_t count = (size_t)n * SKV_INCEPTION_SIDE * SKV_INCEPTION_SIDE * 3;

    if (n < 1 || n > net->batch)
        return skv_fail(SKV_E_ARG, "Inception: %d pictures in a batch of %d", n, net->batch);
    for (size_t i = 0; i < count; i++)
        net->host[i] = (x[i] - 128) / 128;
    net->n = n;
    SKV_TRY(skv_backend_upload(net->be, net->buffer[IN], net->host, count * sizeof(float)));
    SKV_TRY(walk(net, compute, NULL, show));
    return skv_backend_download(net->be, features, net->features.data,
                                (size_t)n * SKV_FEATURES * sizeof(float));
}

/* -------------------------------------------------------------------- network */

static skv_status open_network(void **state, skv_backend *be, const char *const *path)
{
    skv_inception *net = NULL;

    SKV_TRY(skv_inception_open(&net, be, path[0], 1));
    *state = net;
    return SKV_OK;
}

static void close_network(void *state)
{
    skv_inception_close(state);
}

static skv_status prepare(float *input, const uint8_t *rgb, int height, int width)
{
    return skv_resize_bicubic(input, rgb, height, width, SKV_INCEPTION_SIDE, SKV_INCEPTION_SIDE);
}

static skv_status extract(float *features, void *state, const float *input)
{
    return skv_inception_features(state, input, 1, features);
}

const skv_metric_network skv_network_inception = {
    .name = "inception",
    .file = {{"inception", "pt_inception-2015-12-05-6726825d.pth", "Inception's weights",
              "pt_inception-2015-12-05-6726825d.pth of pytorch-fid's releases",
              SKV_KIND_INCEPTION}},
    .open = open_network,
    .close = close_network,
    .n_features = SKV_FEATURES,
    .n_inputs = (size_t)SKV_INCEPTION_SIDE * SKV_INCEPTION_SIDE * 3,
    .prepare = prepare,
    .extract = extract,
};
