/* Sources and loaders of parameters.
 *
 * The loader runs a model's list twice; the easy thing to get wrong is letting the two passes take
 * different bytes, so both go through place(), which is the only code that counts or takes. */
#include "model/weights.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "io/checkpoint.h"
#include "io/formula.h"
#include "kernels/ops.h"

#define NAME_BYTES   256
#define FAULT_BYTES  1800
#define DIGEST_BYTES ((size_t)64 << 10) /* of each tensor */

struct skv_weights {
    skv_checkpoint *file; /* NULL: the formula */
    char prefix[64];      /* of the formula's names */
    char *description;
    bool *taken; /* per entry of the file */
    skv_dtype dtype;
    bool dtype_known;
    const skv_weights_share *share;
    float **owned; /* host tensors made by the formula */
    size_t n_owned;
};

struct skv_loader {
    skv_backend *be;
    skv_weights *weights;
    skv_arena *arena;
    float *staging; /* host fp32 of the tensor at hand */
    size_t staging_bytes;
    size_t planned_bytes, largest;
    char faults[FAULT_BYTES];
    int n_faults;
    skv_status status; /* first failure of the loading pass */
    bool loading, old_vae_names;
};

/* ------------------------------------------------------------------ sources */

static skv_status describe(skv_weights *w, const char *format, const char *path)
{
    size_t n = strlen(format) + strlen(path) + 2;

    SKV_TRY(skv_alloc(&w->description, n, 1, path));
    snprintf(w->description, n, "%s%s%s", format, path[0] ? " " : "", path);
    return SKV_OK;
}

skv_status skv_weights_open(skv_weights **out, const char *path, skv_kind kind)
{
    skv_status st;
    skv_weights *w = NULL;

    SKV_TRY(skv_alloc(&w, 1, sizeof *w, path));
    SKV_TRY_GOTO(skv_checkpoint_open(&w->file, path), done);
    SKV_TRY_GOTO(skv_checkpoint_enter(w->file, kind, path), done);
    if (skv_checkpoint_taken_off(w->file))
        skv_info("%s: %s", path, skv_checkpoint_taken_off(w->file));
    SKV_TRY_GOTO(skv_alloc(&w->taken, skv_checkpoint_count(w->file), sizeof *w->taken, path), done);
    SKV_TRY_GOTO(describe(w, skv_checkpoint_format(w->file), path), done);
    *out = w;
    w = NULL;
done:
    skv_weights_close(w);
    return st;
}

skv_status skv_weights_open_formula(skv_weights **out, const char *prefix)
{
    skv_status st;
    skv_weights *w = NULL;

    SKV_TRY(skv_alloc(&w, 1, sizeof *w, "formula weights"));
    snprintf(w->prefix, sizeof w->prefix, "%s", prefix);
    SKV_TRY_GOTO(describe(w, "formula", ""), done);
    *out = w;
    w = NULL;
done:
    skv_weights_close(w);
    return st;
}

void skv_weights_close(skv_weights *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->n_owned; i++)
        free(w->owned[i]);
    free(w->owned);
    free(w->taken);
    free(w->description);
    skv_checkpoint_close(w->file);
    free(w);
}

const char *skv_weights_describe(const skv_weights *w)
{
    return w->description;
}

bool skv_weights_is_formula(const skv_weights *w)
{
    return !w->file;
}

skv_dtype skv_weights_dtype(const skv_weights *w)
{
    return w->dtype_known ? w->dtype : SKV_F32;
}

/* A quarter of DIGEST_BYTES from the tensor's start, half from its middle, a quarter from its end;
 * all of a smaller tensor. */
static skv_digest add_values(skv_digest d, const skv_entry *e)
{
    const uint8_t *data = e->data;
    const size_t half = DIGEST_BYTES / 2, quarter = DIGEST_BYTES / 4;

    if (e->bytes <= DIGEST_BYTES)
        return skv_digest_add(d, data, e->bytes);
    d = skv_digest_add(d, data, quarter);
    d = skv_digest_add(d, data + (e->bytes - half) / 2, half);
    return skv_digest_add(d, data + e->bytes - quarter, quarter);
}

skv_digest skv_weights_digest(const skv_weights *w)
{
    const size_t n = w->file ? skv_checkpoint_count(w->file) : 0;
    skv_digest d = skv_digest_add((skv_digest){0}, w->prefix, strlen(w->prefix));

    for (size_t i = 0; i < n; i++) {
        const skv_entry *e = skv_checkpoint_at(w->file, i);

        d = skv_digest_add(d, e->name, strlen(e->name));
        d = skv_digest_add(d, e->dtype_name, strlen(e->dtype_name));
        d = skv_digest_add(d, e->shape, (size_t)e->ndim * sizeof e->shape[0]);
        d = add_values(d, e);
    }
    return d;
}

void skv_weights_set_share(skv_weights *w, const skv_weights_share *share)
{
    w->share = share;
}

static const skv_entry *find(const skv_weights *w, const char *name)
{
    return w->file ? skv_checkpoint_find(w->file, name) : NULL;
}

skv_status skv_weights_shape(const skv_weights *w, const char *name, int64_t shape[4], int *ndim)
{
    const skv_entry *e = find(w, name);
    const char *other = !e && w->file ? skv_checkpoint_find_other(w->file, name) : NULL;

    if (!e)
        return other ? skv_fail(SKV_E_NOTFOUND, "%s: %s is %s, not a tensor", w->description, name,
                                other)
                     : skv_fail(SKV_E_NOTFOUND, "%s: no tensor %s", w->description, name);
    if (e->ndim > SKV_MAX_DIMS)
        return skv_fail(SKV_E_SHAPE, "%s: %s has %d dimensions, want at most %d", w->description,
                        name, e->ndim, SKV_MAX_DIMS);
    *ndim = e->ndim;
    memcpy(shape, e->shape, (size_t)e->ndim * sizeof *shape);
    return SKV_OK;
}

static void mark_taken(skv_weights *w, const skv_entry *e)
{
    w->taken[e - skv_checkpoint_at(w->file, 0)] = true;
    if (!w->dtype_known || e->dtype == SKV_F32)
        w->dtype = e->dtype;
    w->dtype_known = true;
}

/* Buffers of the reference implementation, not parameters: never reported as unused. */
static bool is_buffer(const char *name)
{
    static const char *const buffers[] = {"lvl_1L", "attn_bias_for_masking",
                                          "Infinity_visible_kvlen", "Infinity_invisible_qlen",
                                          "zero_k_bias"};
    const char *dot = strrchr(name, '.');
    const char *last = dot ? dot + 1 : name;

    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; i++)
        if (strcmp(last, buffers[i]) == 0)
            return true;
    return false;
}

void skv_weights_extras(const skv_weights *w, const char **names, int room, int *n)
{
    size_t count = w->file ? skv_checkpoint_count(w->file) : 0;

    *n = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = skv_checkpoint_at(w->file, i)->name;

        if (w->taken[i] || is_buffer(name))
            continue;
        if (*n < room)
            names[*n] = name;
        (*n)++;
    }
}

/* ------------------------------------------------------------------- loader */

skv_status skv_loader_create(skv_loader **out, skv_backend *be, skv_weights *w)
{
    skv_loader *l = NULL;

    SKV_TRY(skv_alloc(&l, 1, sizeof *l, "loader"));
    l->be = be;
    l->weights = w;
    *out = l;
    return SKV_OK;
}

void skv_loader_destroy(skv_loader *l)
{
    if (!l)
        return;
    free(l->staging);
    free(l);
}

void skv_loader_accept_old_vae_names(skv_loader *l)
{
    l->old_vae_names = true;
}

/* "a.conv.weight" -> "a.weight": the name before the inner module was wrapped. False: no such part.
 */
static bool old_name(char *old, const char *name)
{
    const char *last = strrchr(name, '.');
    size_t head = last ? (size_t)(last - name) : 0;

    if (head < 5 || (strncmp(last - 5, ".conv", 5) != 0 && strncmp(last - 5, ".norm", 5) != 0))
        return false;
    snprintf(old, NAME_BYTES, "%.*s%s", (int)(head - 5), name, last);
    return true;
}

static void fault(skv_loader *l, const char *fmt, ...) SKV_PRINTF(2, 3);

static void fault(skv_loader *l, const char *fmt, ...)
{
    size_t used = strlen(l->faults);
    va_list args;

    l->n_faults++;
    if (used + NAME_BYTES + 64 > sizeof l->faults)
        return; /* the count still says how many */
    if (used > 0)
        used += (size_t)snprintf(l->faults + used, sizeof l->faults - used, "; ");
    va_start(args, fmt);
    vsnprintf(l->faults + used, sizeof l->faults - used, fmt, args);
    va_end(args);
}

static const char *shape_text(char *buf, size_t bytes, int ndim, const int64_t *shape)
{
    size_t used = (size_t)snprintf(buf, bytes, "(");

    for (int i = 0; i < ndim && used < bytes; i++)
        used +=
            (size_t)snprintf(buf + used, bytes - used, "%s%lld", i ? "," : "", (long long)shape[i]);
    if (used < bytes)
        snprintf(buf + used, bytes - used, ")");
    return buf;
}

/* The file's entry of this name and shape, NULL for the formula; false: a fault was recorded. */
static bool look_up(skv_loader *l, const skv_entry **entry, const char *name, int ndim,
                    const int64_t *shape)
{
    char old[NAME_BYTES], want[96], have[96];
    const skv_entry *e;

    *entry = NULL;
    if (!l->weights->file)
        return true;
    e = find(l->weights, name);
    if (!e && l->old_vae_names && old_name(old, name))
        e = find(l->weights, old);
    if (!e) {
        const char *other = skv_checkpoint_find_other(l->weights->file, name);

        fault(l, "%s is %s%s", name, other ? other : "missing", other ? ", not a tensor" : "");
        return false;
    }
    mark_taken(l->weights, e);
    if (e->ndim != ndim || memcmp(e->shape, shape, (size_t)ndim * sizeof *shape) != 0) {
        fault(l, "%s is %s, want %s", name, shape_text(have, sizeof have, e->ndim, e->shape),
              shape_text(want, sizeof want, ndim, shape));
        return false;
    }
    if (!e->supported) {
        fault(l, "%s is %s, want contiguous fp32, fp16 or bf16", name, e->dtype_name);
        return false;
    }
    *entry = e;
    return true;
}

static skv_status staging(skv_loader *l, size_t bytes)
{
    if (bytes <= l->staging_bytes)
        return SKV_OK;
    free(l->staging);
    l->staging = NULL;
    l->staging_bytes = 0;
    SKV_TRY(skv_alloc(&l->staging, bytes, 1, "staging of a tensor"));
    l->staging_bytes = bytes;
    return SKV_OK;
}

/* Host data of the parameter: the mapped bytes, or the formula's values in the staging buffer. */
static skv_status fetch(skv_loader *l, const void **data, skv_dtype *type, const skv_entry *e,
                        const char *name, int ndim, const int64_t *shape)
{
    char full[NAME_BYTES + 64];
    int64_t n = 1;

    if (e) {
        SKV_TRY(skv_checkpoint_verify(l->weights->file, e));
        *data = e->data;
        *type = e->dtype;
        return SKV_OK;
    }
    for (int i = 0; i < ndim; i++)
        n *= shape[i];
    SKV_TRY(staging(l, (size_t)n * sizeof(float)));
    snprintf(full, sizeof full, "%s%s", l->weights->prefix, name);
    skv_formula_fill(l->staging, full, ndim, shape, 0, n);
    *data = l->staging;
    *type = SKV_F32;
    return SKV_OK;
}

/* Whether this rank reads the file; otherwise another rank reads and sends it. */
static bool reads(const skv_loader *l)
{
    return !l->weights->share || l->weights->share->reader;
}

typedef enum { AS_MATRIX, AS_CONV, AS_UPSAMPLE_CONV, AS_CONV1X1, AS_ARRAY, AS_BIAS } placement;

/* n numbers of any file type onto the device as `type`; data NULL: the view alone. */
static skv_status upload_vector(skv_loader *l, skv_tensor *out, void *dst, skv_dtype type,
                                const void *data, skv_dtype data_type, int ndim,
                                const int64_t *shape)
{
    skv_status st;
    float *f32 = NULL;
    void *rounded = NULL;
    size_t n;

    *out = skv_tensor_view(dst, type, l->be->device, ndim, shape);
    n = (size_t)skv_tensor_count(out);
    if (!data)
        return SKV_OK;
    if (data_type == type)
        return skv_backend_upload(l->be, dst, data, skv_tensor_bytes(out));
    SKV_TRY_GOTO(skv_alloc(&f32, n, sizeof *f32, "a vector"), done);
    SKV_TRY_GOTO(skv_alloc(&rounded, n, sizeof *f32, "a vector"), done);
    skv_to_f32(f32, data, data_type, n);
    skv_from_f32(rounded, type, f32, n);
    st = skv_backend_upload(l->be, dst, rounded, skv_tensor_bytes(out));
done:
    free(f32);
    free(rounded);
    return st;
}

/* The one place that counts (planning) or takes (loading) device bytes. A backend may use a mapped
 * tensor in place (0 bytes), but never the staging buffer. */
static skv_status place(skv_loader *l, skv_tensor *out, placement how, const skv_entry *e,
                        const char *name, int ndim, const int64_t *shape)
{
    const skv_ops *ops = l->be->ops;
    const void *data = NULL;
    void *dst = NULL;
    skv_dtype type = SKV_F32;
    int64_t n = 1;
    bool in_place = e && e->dtype == SKV_F32 && ((uintptr_t)e->data % sizeof(float)) == 0;
    size_t bytes;

    for (int i = 0; i < ndim; i++)
        n *= shape[i];
    bytes = (size_t)n * sizeof(float);
    if (how == AS_MATRIX || how == AS_CONV1X1)
        bytes = in_place ? ops->packed_linear_bytes(l->be, shape[0], shape[1])
                         : (size_t)n * skv_dtype_bytes(l->be->weight);
    else if (how == AS_CONV)
        bytes = ops->packed_conv_bytes(l->be, shape[0], shape[1]);
    else if (how == AS_UPSAMPLE_CONV)
        bytes = skv_packed_upsample_conv_bytes(l->be, shape[0], shape[1]);
    else if (how == AS_BIAS)
        bytes = (size_t)n * skv_dtype_bytes(l->be->act);
    if (!l->loading) {
        l->planned_bytes += skv_align_up(bytes);
        return SKV_OK;
    }
    if (bytes == 0 || reads(l))
        SKV_TRY(fetch(l, &data, &type, e, name, ndim, shape));
    if (bytes > 0)
        SKV_TRY(skv_arena_take(&dst, l->arena, bytes));
    switch (how) {
    case AS_MATRIX:
    case AS_CONV1X1:
        return skv_pack_linear(l->be, out, dst, data, type, shape[0], shape[1]);
    case AS_CONV:
        return skv_pack_conv(l->be, out, dst, data, type, shape[0], shape[1]);
    case AS_UPSAMPLE_CONV:
        return skv_pack_upsample_conv(l->be, out, dst, data, type, shape[0], shape[1]);
    case AS_BIAS:
        return upload_vector(l, out, dst, l->be->act, data, type, ndim, shape);
    case AS_ARRAY:
        return upload_vector(l, out, dst, SKV_F32, data, type, ndim, shape);
    }
    return SKV_OK;
}

static void take(skv_loader *l, skv_tensor *out, placement how, int ndim, const int64_t *shape,
                 const char *fmt, va_list args)
{
    char name[NAME_BYTES];
    const skv_entry *e;

    vsnprintf(name, sizeof name, fmt, args);
    if (l->status != SKV_OK || !look_up(l, &e, name, ndim, shape))
        return;
    if (l->loading)
        l->status = skv_backend_go_on(l->be);
    if (l->status != SKV_OK)
        return;
    l->status = place(l, out, how, e, name, ndim, shape);
    if (l->status != SKV_OK)
        skv_context("%s: %s", l->weights->description, name);
}

void skv_loader_matrix(skv_loader *l, skv_tensor *out, int64_t n, int64_t k, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    take(l, out, AS_MATRIX, 2, (int64_t[]){n, k}, fmt, args);
    va_end(args);
}

void skv_loader_conv(skv_loader *l, skv_tensor *out, int64_t co, int64_t ci, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    take(l, out, AS_CONV, 4, (int64_t[]){co, ci, 3, 3}, fmt, args);
    va_end(args);
}

void skv_loader_upsample_conv(skv_loader *l, skv_tensor *out, int64_t co, int64_t ci,
                              const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    take(l, out, AS_UPSAMPLE_CONV, 4, (int64_t[]){co, ci, 3, 3}, fmt, args);
    va_end(args);
}

void skv_loader_conv1x1(skv_loader *l, skv_tensor *out, int64_t co, int64_t ci, const char *fmt,
                        ...)
{
    va_list args;

    va_start(args, fmt);
    take(l, out, AS_CONV1X1, 4, (int64_t[]){co, ci, 1, 1}, fmt, args);
    va_end(args);
}

void skv_loader_array(skv_loader *l, skv_tensor *out, int ndim, const int64_t *shape,
                      const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    take(l, out, AS_ARRAY, ndim, shape, fmt, args);
    va_end(args);
}

void skv_loader_bias(skv_loader *l, skv_tensor *out, int64_t n, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    take(l, out, AS_BIAS, 1, &n, fmt, args);
    va_end(args);
}

/* Formula values have no mapped file: the weights own them until they are closed. */
static skv_status own_host(skv_loader *l, skv_tensor *out, const char *name, const int64_t shape[2])
{
    skv_weights *w = l->weights;
    char full[NAME_BYTES + 64];

    SKV_TRY(skv_grow(&w->owned, w->n_owned, sizeof *w->owned, name));
    SKV_TRY(skv_alloc(&w->owned[w->n_owned], (size_t)(shape[0] * shape[1]), sizeof(float), name));
    snprintf(full, sizeof full, "%s%s", w->prefix, name);
    skv_formula_fill(w->owned[w->n_owned], full, 2, shape, 0, shape[0] * shape[1]);
    *out = skv_tensor_view(w->owned[w->n_owned++], SKV_F32, SKV_HOST, 2, shape);
    return SKV_OK;
}

void skv_loader_host(skv_loader *l, skv_tensor *out, int64_t n, int64_t k, const char *fmt, ...)
{
    const int64_t shape[2] = {n, k};
    char name[NAME_BYTES];
    const skv_entry *e;
    va_list args;

    va_start(args, fmt);
    vsnprintf(name, sizeof name, fmt, args);
    va_end(args);
    if (l->status != SKV_OK || !look_up(l, &e, name, 2, shape) || !l->loading)
        return;
    if (!e) {
        l->status = own_host(l, out, name, shape);
        return;
    }
    l->status = skv_checkpoint_verify(l->weights->file, e);
    /* Nothing writes through this view. */
    *out = skv_tensor_view((void *)(uintptr_t)e->data, e->dtype, SKV_HOST, 2, shape);
}

skv_status skv_loader_planned(skv_loader *l, size_t *bytes)
{
    SKV_TRY(l->status);
    if (l->n_faults > 0)
        return skv_fail(SKV_E_SHAPE, "%s: %d tensor%s: %s", l->weights->description, l->n_faults,
                        l->n_faults == 1 ? " does not fit" : "s do not fit", l->faults);
    *bytes = l->planned_bytes;
    l->loading = true;
    return SKV_OK;
}

void skv_loader_set_arena(skv_loader *l, skv_arena *arena)
{
    l->arena = arena;
}

skv_status skv_loader_done(skv_loader *l)
{
    const skv_weights_share *share = l->weights->share;

    return share ? share->spread(share->ctx, l->status, l->be, l->arena->base, l->arena->used)
                 : l->status;
}
