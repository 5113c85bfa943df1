/* The transformer's parameters: one list (bind), run by the loader to plan and then to load. */
#include "model/infinity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/infinity_parts.h"
#include "model/names.h"

static void bind_block(skv_loader *l, skv_block_weights *w, const skv_dims *d, int layer)
{
    const int64_t c = d->width, hidden = d->hidden;
    const int64_t vec[1] = {c};
    char n[64];

    skv_names_layer(n, sizeof n, d, layer);
    skv_loader_array(l, &w->gss, 4, (int64_t[]){1, 1, N_MODS, c}, "%sada_gss", n);
    skv_loader_matrix(l, &w->qkv, 3 * c, c, "%ssa.mat_qkv.weight", n);
    skv_loader_array(l, &w->q_bias, 1, vec, "%ssa.q_bias", n);
    skv_loader_array(l, &w->v_bias, 1, vec, "%ssa.v_bias", n);
    skv_loader_array(l, &w->scale, 4, (int64_t[]){1, d->heads, 1, 1}, "%ssa.scale_mul_1H11", n);
    skv_loader_matrix(l, &w->proj, c, c, "%ssa.proj.weight", n);
    skv_loader_bias(l, &w->proj_bias, c, "%ssa.proj.bias", n);
    skv_loader_array(l, &w->ca_norm_w, 1, vec, "%sca_norm.weight", n);
    skv_loader_array(l, &w->ca_norm_b, 1, vec, "%sca_norm.bias", n);
    skv_loader_matrix(l, &w->ca_q, c, c, "%sca.mat_q.weight", n);
    skv_loader_bias(l, &w->ca_q_bias, c, "%sca.mat_q.bias", n);
    skv_loader_matrix(l, &w->ca_kv, 2 * c, c, "%sca.mat_kv.weight", n);
    skv_loader_array(l, &w->ca_kv_bias, 1, vec, "%sca.v_bias", n);
    skv_loader_matrix(l, &w->ca_proj, c, c, "%sca.proj.weight", n);
    skv_loader_bias(l, &w->ca_proj_bias, c, "%sca.proj.bias", n);
    skv_loader_matrix(l, &w->fc1, hidden, c, "%sffn.fc1.weight", n);
    skv_loader_bias(l, &w->fc1_bias, hidden, "%sffn.fc1.bias", n);
    skv_loader_matrix(l, &w->fc2, c, hidden, "%sffn.fc2.weight", n);
    skv_loader_bias(l, &w->fc2_bias, c, "%sffn.fc2.bias", n);
}

static void bind(skv_loader *l, skv_infinity *m, int levels)
{
    const skv_dims *d = &m->dims;
    const int64_t c = d->width, t5 = d->text_width, bits = skv_dims_token_bits(d);
    const int64_t vec[1] = {c};

    skv_loader_array(l, &m->cfg_uncond, 2, (int64_t[]){d->max_text, t5}, "cfg_uncond");
    skv_loader_array(l, &m->pos_start, 3, (int64_t[]){1, 1, c}, "pos_start");
    skv_loader_array(l, &m->text_norm, 1, (int64_t[]){t5}, "text_norm.weight");
    skv_loader_array(l, &m->pool_q, 3, (int64_t[]){1, d->pool_heads, c / d->pool_heads},
                     "text_proj_for_sos.ca.mat_q");
    skv_loader_matrix(l, &m->pool_kv, 2 * c, t5, "text_proj_for_sos.ca.mat_kv.weight");
    skv_loader_array(l, &m->pool_kv_bias, 1, vec, "text_proj_for_sos.ca.v_bias");
    skv_loader_matrix(l, &m->pool_proj, c, c, "text_proj_for_sos.ca.proj.weight");
    skv_loader_array(l, &m->pool_proj_bias, 1, vec, "text_proj_for_sos.ca.proj.bias");
    skv_loader_matrix(l, &m->text_fc1, c, t5, "text_proj_for_ca.0.weight");
    skv_loader_bias(l, &m->text_fc1_bias, c, "text_proj_for_ca.0.bias");
    skv_loader_matrix(l, &m->text_fc2, c, c, "text_proj_for_ca.2.weight");
    skv_loader_bias(l, &m->text_fc2_bias, c, "text_proj_for_ca.2.bias");
    skv_loader_array(l, &m->lvl_embed, 2, (int64_t[]){levels, c}, "lvl_embed.weight");
    skv_loader_matrix(l, &m->word_embed, c, bits, "word_embed.weight");
    skv_loader_array(l, &m->word_embed_bias, 1, vec, "word_embed.bias");
    skv_loader_matrix(l, &m->ada_lin, N_MODS * c, c, "shared_ada_lin.1.weight");
    skv_loader_array(l, &m->ada_lin_bias, 1, (int64_t[]){N_MODS * c}, "shared_ada_lin.1.bias");
    skv_loader_matrix(l, &m->head_ada_lin, 2 * c, c, "head_nm.ada_lin.1.weight");
    skv_loader_array(l, &m->head_ada_lin_bias, 1, (int64_t[]){2 * c}, "head_nm.ada_lin.1.bias");
    skv_loader_matrix(l, &m->head, 2 * bits, c, "head.weight");
    skv_loader_array(l, &m->head_bias, 1, (int64_t[]){2 * bits}, "head.bias");
    for (int layer = 0; layer < d->depth; layer++)
        bind_block(l, &m->block[layer], d, layer);
}

/* -------------------------------------------- what is derived from parameters once, at load */

/* bias <- [0, bias] of twice the length, for products of this type: keys have none (device memory
 * starts zeroed). */
static skv_status widen_bias(skv_infinity *m, skv_tensor *bias, skv_dtype type)
{
    skv_tensor wide, half, flat = SKV_RESHAPE(bias, skv_tensor_count(bias));
    int64_t c = flat.shape[0];

    SKV_TRY(SKV_TAKE(&wide, &m->derived, type, m->be->device, 2 * c));
    half = skv_tensor_rows(&wide, c, c);
    SKV_TRY(skv_copy(m->be, &(skv_copy_args){.y = half, .x = flat}));
    *bias = wide;
    return SKV_OK;
}

/* (H) exp(min(s, ln 100)) in place of s: q is normalised, so this is the softmax's scale. */
static skv_status derive_scale(skv_infinity *m, skv_tensor *scale)
{
    float s[SKV_MAX_HEADS];
    size_t bytes = (size_t)m->dims.heads * sizeof *s;

    SKV_TRY(skv_backend_download(m->be, s, scale->data, bytes));
    for (int h = 0; h < m->dims.heads; h++)
        s[h] = expf(fminf(s[h], logf(100.0f)));
    *scale = SKV_RESHAPE(scale, m->dims.heads);
    return skv_backend_upload(m->be, scale->data, s, bytes);
}

/* A constant vector: 1 in [first, first+n), 0 elsewhere. */
static skv_status constant(skv_infinity *m, skv_tensor *out, int64_t length, int64_t first,
                           int64_t n)
{
    skv_status st;
    float *host = NULL;

    SKV_TRY(SKV_TAKE(out, &m->derived, SKV_F32, m->be->device, length));
    SKV_TRY(skv_alloc(&host, (size_t)length, sizeof *host, "constants"));
    for (int64_t i = first; i < first + n; i++)
        host[i] = 1.0f;
    st = skv_backend_upload(m->be, out->data, host, (size_t)length * sizeof *host);
    free(host);
    return st;
}

static skv_status derive(skv_infinity *m)
{
    const skv_dims *d = &m->dims;
    const int64_t c = d->width, levels = m->lvl_embed.shape[0];
    skv_tensor first_level = skv_tensor_rows(&m->lvl_embed, 0, 1), row;

    for (int l = 0; l < d->depth; l++) {
        skv_block_weights *w = &m->block[l];

        SKV_TRY(derive_scale(m, &w->scale));
        SKV_TRY(widen_bias(m, &w->ca_kv_bias, m->be->kv));
        w->gss = SKV_RESHAPE(&w->gss, N_MODS * c);
        w->ca_norm_w = SKV_RESHAPE(&w->ca_norm_w, 1, c);
        w->ca_norm_b = SKV_RESHAPE(&w->ca_norm_b, 1, c);
    }
    SKV_TRY(widen_bias(m, &m->pool_kv_bias, SKV_F32));
    m->pool_q = SKV_RESHAPE(&m->pool_q, d->pool_heads, c / d->pool_heads);
    m->pos_start = SKV_RESHAPE(&m->pos_start, c);
    SKV_TRY(
        constant(m, &m->six_ones, N_MODS * c, MOD_S1 * c, 2 * c)); /* s1 and s2 are neighbours */
    SKV_TRY(constant(m, &m->head_ones, 2 * c, 0, c));
    SKV_TRY(constant(m, &m->ones, c, 0, c));
    m->ones = SKV_RESHAPE(&m->ones, 1, c);
    SKV_TRY(SKV_TAKE(&m->first_bias, &m->derived, SKV_F32, m->be->device, c));
    row = SKV_RESHAPE(&m->first_bias, 1, c);
    SKV_TRY(
        skv_add_rows(m->be, &(skv_add_rows_args){.y = row, .x = first_level, .b = m->pos_start}));
    SKV_TRY(SKV_TAKE(&m->lvl_word_bias, &m->derived, SKV_F32, m->be->device, levels * c));
    m->lvl_word_bias = SKV_RESHAPE(&m->lvl_word_bias, levels, c);
    return skv_add_rows(
        m->be,
        &(skv_add_rows_args){.y = m->lvl_word_bias, .x = m->lvl_embed, .b = m->word_embed_bias});
}

static size_t derived_bytes(const skv_dims *d, int levels)
{
    const size_t c = (size_t)d->width * sizeof(float);

    return (size_t)d->depth * skv_align_up(2 * c) + skv_align_up(2 * c)       /* widened biases */
           + skv_align_up(N_MODS * c) + skv_align_up(2 * c) + skv_align_up(c) /* constants */
           + skv_align_up(c) + skv_align_up((size_t)levels * c);
}

/* --------------------------------------------------------------------- lifetime */

/* Rows of lvl_embed: 15 in the releases, the file's own otherwise. */
static int count_levels(const skv_weights *weights)
{
    int64_t shape[SKV_MAX_DIMS];
    int ndim = 0;

    if (skv_weights_shape(weights, "lvl_embed.weight", shape, &ndim) == SKV_OK && ndim == 2 &&
        shape[0] >= SKV_MAX_SCALES && shape[0] <= 64)
        return (int)shape[0];
    return 15;
}

skv_status skv_infinity_plan(size_t *bytes, skv_backend *be, skv_weights *weights,
                             const skv_dims *dims)
{
    skv_status st;
    skv_infinity *m = NULL;
    skv_loader *l = NULL;
    int levels = count_levels(weights);

    SKV_TRY(skv_alloc(&m, 1, sizeof *m, "transformer"));
    m->dims = *dims;
    SKV_TRY_GOTO(skv_loader_create(&l, be, weights), done);
    bind(l, m, levels);
    SKV_TRY_GOTO(skv_loader_planned(l, bytes), done);
    *bytes += derived_bytes(dims, levels);
done:
    skv_loader_destroy(l);
    free(m);
    return st;
}

skv_status skv_infinity_create(skv_infinity **out, skv_backend *be, skv_weights *weights,
                               const skv_dims *dims)
{
    skv_status st;
    skv_infinity *m = NULL;
    skv_loader *l = NULL;
    size_t bytes = 0;
    int levels = count_levels(weights);

    SKV_TRY(skv_alloc(&m, 1, sizeof *m, "transformer"));
    m->be = be;
    m->dims = *dims;
    SKV_TRY_GOTO(skv_loader_create(&l, be, weights), done);
    bind(l, m, levels);
    SKV_TRY_GOTO(skv_loader_planned(l, &bytes), done);
    SKV_TRY_GOTO(skv_backend_alloc(be, &m->memory, bytes, "transformer weights"), done);
    skv_arena_init(&m->weights, "weights", m->memory, bytes);
    skv_loader_set_arena(l, &m->weights);
    bind(l, m, levels);
    SKV_TRY_GOTO(skv_loader_done(l), done);
    bytes = derived_bytes(dims, levels);
    SKV_TRY_GOTO(skv_backend_alloc(be, &m->derived_memory, bytes, "derived weights"), done);
    skv_arena_init(&m->derived, "derived weights", m->derived_memory, bytes);
    SKV_TRY_GOTO(derive(m), done);
    *out = m;
    m = NULL;
done:
    skv_loader_destroy(l);
    skv_infinity_destroy(m);
    return st;
}

void skv_infinity_destroy(skv_infinity *m)
{
    if (!m)
        return;
    skv_backend_free(m->be, m->memory);
    skv_backend_free(m->be, m->derived_memory);
    free(m);
}
