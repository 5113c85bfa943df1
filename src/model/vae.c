/* The decoder is a chain of residual blocks and doublings over three buffers. Easy to get
 * wrong: a stage's width changes in its first block only. */
#include "model/vae.h"

#include <stdio.h>
#include <stdlib.h>

#include "kernels/ops.h"

#define BLOCKS_A_LEVEL 3
#define NORM_GROUPS    32
#define NORM_EPS       1e-6f

typedef struct {
    int ci, co;
    skv_tensor norm1_w, norm1_b, conv1, conv1_b; /* (ci) (ci) (co,3,3,ci) (co) */
    skv_tensor norm2_w, norm2_b, conv2, conv2_b;
    skv_tensor shortcut, shortcut_b; /* (co,ci) (co), where ci != co */
} resnet;

typedef struct {
    resnet block[BLOCKS_A_LEVEL];
    skv_tensor up, up_b; /* levels >= 1: (co,4,4,co) (co) */
} level;

struct skv_vae {
    skv_backend *be;
    skv_dims dims;
    void *memory;
    skv_arena weights;
    skv_tensor conv_in, conv_in_b, norm_out_w, norm_out_b, conv_out, conv_out_b;
    resnet mid[2];
    level levels[SKV_MAX_VAE_LEVELS];
};

static void bind_vector(skv_loader *l, skv_tensor *out, int n, const char *stem, const char *what)
{
    skv_loader_array(l, out, 1, (int64_t[]){n}, "%s.%s", stem, what);
}

static void bind_resnet(skv_loader *l, resnet *r, int ci, int co, const char *n)
{
    r->ci = ci;
    r->co = co;
    bind_vector(l, &r->norm1_w, ci, n, "norm1.norm.weight");
    bind_vector(l, &r->norm1_b, ci, n, "norm1.norm.bias");
    skv_loader_conv(l, &r->conv1, co, ci, "%s.conv1.conv.weight", n);
    bind_vector(l, &r->conv1_b, co, n, "conv1.conv.bias");
    bind_vector(l, &r->norm2_w, co, n, "norm2.norm.weight");
    bind_vector(l, &r->norm2_b, co, n, "norm2.norm.bias");
    skv_loader_conv(l, &r->conv2, co, co, "%s.conv2.conv.weight", n);
    bind_vector(l, &r->conv2_b, co, n, "conv2.conv.bias");
    if (ci == co)
        return;
    skv_loader_conv1x1(l, &r->shortcut, co, ci, "%s.nin_shortcut.conv.weight", n);
    skv_loader_bias(l, &r->shortcut_b, co, "%s.nin_shortcut.conv.bias", n);
}

static void bind(skv_loader *l, skv_vae *v)
{
    const skv_dims *d = &v->dims;
    const int top = d->vae_base * d->vae_mult[d->vae_levels - 1];
    int width = top;
    char stem[64];

    skv_loader_accept_old_vae_names(l);
    skv_loader_conv(l, &v->conv_in, top, d->bits, "decoder.conv_in.conv.weight");
    bind_vector(l, &v->conv_in_b, top, "decoder", "conv_in.conv.bias");
    bind_resnet(l, &v->mid[0], top, top, "decoder.mid.block_1");
    bind_resnet(l, &v->mid[1], top, top, "decoder.mid.block_2");
    for (int i = d->vae_levels - 1; i >= 0; i--) {
        const int co = d->vae_base * d->vae_mult[i];

        for (int j = 0; j < BLOCKS_A_LEVEL; j++) {
            snprintf(stem, sizeof stem, "decoder.up.%d.block.%d", i, j);
            bind_resnet(l, &v->levels[i].block[j], width, co, stem);
            width = co;
        }
        if (i == 0)
            break;
        snprintf(stem, sizeof stem, "decoder.up.%d.upsample", i);
        skv_loader_upsample_conv(l, &v->levels[i].up, co, co, "%s.conv.conv.weight", stem);
        bind_vector(l, &v->levels[i].up_b, co, stem, "conv.conv.bias");
    }
    bind_vector(l, &v->norm_out_w, width, "decoder", "norm_out.norm.weight");
    bind_vector(l, &v->norm_out_b, width, "decoder", "norm_out.norm.bias");
    skv_loader_conv(l, &v->conv_out, 3, width, "decoder.conv_out.conv.weight");
    bind_vector(l, &v->conv_out_b, 3, "decoder", "conv_out.conv.bias");
}

skv_status skv_vae_plan(size_t *bytes, skv_backend *be, skv_weights *weights, const skv_dims *dims)
{
    skv_status st;
    skv_vae *v = NULL;
    skv_loader *l = NULL;

    SKV_TRY(skv_alloc(&v, 1, sizeof *v, "VAE"));
    v->dims = *dims;
    SKV_TRY_GOTO(skv_loader_create(&l, be, weights), done);
    bind(l, v);
    SKV_TRY_GOTO(skv_loader_planned(l, bytes), done);
done:
    skv_loader_destroy(l);
    free(v);
    return st;
}

skv_status skv_vae_create(skv_vae **out, skv_backend *be, skv_weights *weights,
                          const skv_dims *dims)
{
    skv_status st;
    skv_vae *v = NULL;
    skv_loader *l = NULL;
    size_t bytes = 0;

    SKV_TRY(skv_alloc(&v, 1, sizeof *v, "VAE"));
    v->be = be;
    v->dims = *dims;
    SKV_TRY_GOTO(skv_loader_create(&l, be, weights), done);
    bind(l, v);
    SKV_TRY_GOTO(skv_loader_planned(l, &bytes), done);
    SKV_TRY_GOTO(skv_backend_alloc(be, &v->memory, bytes, "VAE weights"), done);
    skv_arena_init(&v->weights, "VAE weights", v->memory, bytes);
    skv_loader_set_arena(l, &v->weights);
    bind(l, v);
    SKV_TRY_GOTO(skv_loader_done(l), done);
    *out = v;
    v = NULL;
done:
    skv_loader_destroy(l);
    skv_vae_destroy(v);
    return st;
}

void skv_vae_destroy(skv_vae *vae)
{
    if (!vae)
        return;
    skv_backend_free(vae->be, vae->memory);
    free(vae);
}

/* Numbers of the largest activation of one picture from an (h,w) map. */
static size_t largest_stage(const skv_dims *d, int h, int w)
{
    size_t most = 0, area = (size_t)h * (size_t)w;
    size_t width = (size_t)d->vae_base * (size_t)d->vae_mult[d->vae_levels - 1];

    for (int i = d->vae_levels - 1; i >= 0; i--) {
        size_t co = (size_t)d->vae_base * (size_t)d->vae_mult[i];
        size_t wide = width > co ? width : co;

        most = area * wide > most ? area * wide : most;
        width = co;
        if (i > 0)
            area *= 4;
        most = area * width > most ? area * width : most;
    }
    return most;
}

/* Bytes of two of the buffers, and of the small one, which holds maps of a level's output width. */
static size_t buffer_bytes(const skv_dims *d, const skv_backend *be, int n, int h, int w)
{
    return (size_t)n * largest_stage(d, h, w) * skv_dtype_bytes(be->act);
}

static size_t inner_bytes(const skv_dims *d, const skv_backend *be, int n, int h, int w)
{
    size_t most = 0;

    for (int i = d->vae_levels - 1; i >= 0; i--, h *= 2, w *= 2) {
        const size_t numbers = (size_t)h * (size_t)w * (size_t)d->vae_base * (size_t)d->vae_mult[i];

        most = numbers > most ? numbers : most;
    }
    return (size_t)n * most * skv_dtype_bytes(be->act);
}

size_t skv_vae_scratch_bytes(const skv_dims *dims, const skv_backend *be, int n, int h, int w)
{
    return 2 * skv_align_up(buffer_bytes(dims, be, n, h, w)) +
           skv_align_up(inner_bytes(dims, be, n, h, w));
}

/* The chain's state: pictures of h × w × width in buffer x; s and t are free. */
typedef struct {
    skv_backend *be;
    void *x, *s, *t;
    const void *small; /* x or t: the buffer for maps of a block's output width */
    int n, h, w, width;
} chain;

static skv_tensor map(const chain *c, void *buffer, int width)
{
    return SKV_TENSOR(buffer, c->be->act, c->be->device, c->n, c->h, c->w, width);
}

static skv_status norm_silu(chain *c, const skv_tensor *y, const skv_tensor *x, const skv_tensor *w,
                            const skv_tensor *b)
{
    return skv_group_norm_silu(
        c->be, &(skv_group_norm_silu_args){
                   .y = *y, .x = *x, .w = *w, .b = *b, .groups = NORM_GROUPS, .eps = NORM_EPS});
}

static skv_status conv(chain *c, const skv_tensor *y, const skv_tensor *x, const skv_tensor *w,
                       const skv_tensor *b)
{
    return skv_conv3x3(c->be, &(skv_conv3x3_args){.y = *y, .x = *x, .w = *w, .b = *b});
}

static void exchange(void **a, void **b)
{
    void *was = *a;

    *a = *b;
    *b = was;
}

/* x = x (through the 1×1 shortcut where the width changes) + conv2(swish(norm2(conv1(swish(norm1
 * x))))). The sum goes to t where x itself is added, to x where its shortcut, in t, is. */
static skv_status residual(chain *c, const resnet *r)
{
    const int64_t places = (int64_t)c->n * c->h * c->w;
    skv_tensor x = map(c, c->x, r->ci), s = map(c, c->s, r->ci), t = map(c, c->t, r->co);
    skv_tensor added = x, y = t;

    SKV_TRY(norm_silu(c, &s, &x, &r->norm1_w, &r->norm1_b));
    SKV_TRY(conv(c, &t, &s, &r->conv1, &r->conv1_b));
    s = map(c, c->s, r->co);
    SKV_TRY(norm_silu(c, &s, &t, &r->norm2_w, &r->norm2_b));
    c->width = r->co;
    if (r->ci != r->co) {
        SKV_TRY(skv_linear(c->be, &(skv_linear_args){.y = SKV_RESHAPE(&t, places, r->co),
                                                     .x = SKV_RESHAPE(&x, places, r->ci),
                                                     .w = r->shortcut,
                                                     .b = r->shortcut_b}));
        added = t;
        y = map(c, c->x, r->co);
    } else {
        exchange(&c->x, &c->t);
    }
    return skv_conv3x3(
        c->be, &(skv_conv3x3_args){.y = y, .x = s, .w = r->conv2, .b = r->conv2_b, .r = added});
}

/* Into s, which is never the small one; afterwards t is. */
static skv_status upsample(chain *c, const level *l)
{
    skv_tensor x = map(c, c->x, c->width), y;

    c->h *= 2;
    c->w *= 2;
    y = map(c, c->s, c->width);
    exchange(&c->x, &c->s);
    if (c->s == c->small)
        exchange(&c->s, &c->t);
    return skv_upsample_conv(c->be,
                             &(skv_upsample_conv_args){.y = y, .x = x, .w = l->up, .b = l->up_b});
}

static skv_status run(const skv_vae *v, chain *c, const skv_tensor *z, const skv_tensor *rgb)
{
    const skv_dims *d = &v->dims;
    skv_tensor in = map(c, c->s, d->bits), x, s;

    SKV_TRY(skv_copy(c->be, &(skv_copy_args){.y = in, .x = *z}));
    c->width = d->vae_base * d->vae_mult[d->vae_levels - 1];
    x = map(c, c->x, c->width);
    SKV_TRY(conv(c, &x, &in, &v->conv_in, &v->conv_in_b));
    SKV_TRY(residual(c, &v->mid[0]));
    SKV_TRY(residual(c, &v->mid[1]));
    for (int i = d->vae_levels - 1; i >= 0; i--) {
        for (int j = 0; j < BLOCKS_A_LEVEL; j++)
            SKV_TRY(residual(c, &v->levels[i].block[j]));
        if (i > 0)
            SKV_TRY(upsample(c, &v->levels[i]));
    }
    x = map(c, c->x, c->width);
    s = map(c, c->s, c->width);
    SKV_TRY(norm_silu(c, &s, &x, &v->norm_out_w, &v->norm_out_b));
    return conv(c, rgb, &s, &v->conv_out, &v->conv_out_b);
}

skv_status skv_vae_decode(const skv_vae *vae, const skv_tensor *z, const skv_decoded *out,
                          skv_arena *scratch)
{
    chain c = {.be = vae->be, .n = (int)z->shape[0], .h = (int)z->shape[1], .w = (int)z->shape[2]};
    const size_t mark = skv_arena_mark(scratch);
    const size_t bytes = buffer_bytes(&vae->dims, vae->be, c.n, c.h, c.w);

    SKV_TRY(skv_arena_take(&c.x, scratch, bytes));
    SKV_TRY(skv_arena_take(&c.s, scratch, bytes));
    SKV_TRY(skv_arena_take(&c.t, scratch, inner_bytes(&vae->dims, vae->be, c.n, c.h, c.w)));
    c.small = c.t;
    SKV_TRY(run(vae, &c, z, &out->rgb));
    if (out->pixels.data)
        SKV_TRY(skv_to_pixels(vae->be, &(skv_to_pixels_args){.y = out->pixels,
                                                             .x = out->rgb,
                                                             .fault = out->fault,
                                                             .code = SKV_FAULT_PICTURE}));
    skv_arena_reset(scratch, mark);
    return SKV_OK;
}
