#include "eval/metrics/network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "io/formula.h"

skv_status skv_network_open(skv_network_file *out, const char *path, const skv_weight_file *file)
{
    char reason[1024];
    skv_status st;

    *out = (skv_network_file){.path = path};
    if (strcmp(path, "formula") == 0)
        return SKV_OK;
    st = skv_checkpoint_open(&out->file, path);
    if (st == SKV_E_NOTFOUND)
        return skv_fail(st, "%s is missing: %s are %s", path, file->what, file->from);
    SKV_TRY(st);
    st = skv_checkpoint_enter(out->file, file->kind, path);
    if (st == SKV_E_ARG || st == SKV_E_NOTFOUND) {
        snprintf(reason, sizeof reason, "%s", skv_message());
        return skv_fail(SKV_E_ARG, "%s; %s are %s", reason, file->what, file->from);
    }
    if (st == SKV_OK && skv_checkpoint_taken_off(out->file))
        skv_info("%s: %s", path, skv_checkpoint_taken_off(out->file));
    return st;
}

void skv_network_close(skv_network_file *f)
{
    skv_checkpoint_close(f->file);
    *f = (skv_network_file){0};
}

static skv_status check_entry(const skv_network_file *f, const skv_entry *e, const char *name,
                              int ndim, const int64_t *shape)
{
    char want[96] = "";

    for (int i = 0; i < ndim; i++)
        snprintf(want + strlen(want), sizeof want - strlen(want), "%s%lld", i ? "," : "",
                 (long long)shape[i]);
    if (!e)
        return skv_fail(SKV_E_SHAPE, "%s has no tensor %s (%s)", f->path, name, want);
    if (!e->supported)
        return skv_fail(SKV_E_FORMAT, "%s: %s is %s, want fp32 (%s)", f->path, name, e->dtype_name,
                        want);
    if (e->ndim != ndim || memcmp(e->shape, shape, (size_t)ndim * sizeof *shape) != 0)
        return skv_fail(SKV_E_SHAPE, "%s: %s has another shape than (%s)", f->path, name, want);
    return skv_checkpoint_verify(f->file, e);
}

static void fill(float *out, const char *name, int64_t n, skv_network_rule rule)
{
    skv_formula_uniform(out, name, 0, n);
    for (int64_t i = 0; i < n; i++) {
        const double r = out[i];

        out[i] = (float)(rule.add + rule.mul * (rule.positive ? fabs(r) : r));
    }
}

skv_status skv_network_read(float **out, const skv_network_file *f, const char *name, int ndim,
                            const int64_t *shape, skv_network_rule rule)
{
    const skv_entry *e = f->file ? skv_checkpoint_find(f->file, name) : NULL;
    float *data = NULL;
    int64_t n = 1;

    for (int i = 0; i < ndim; i++)
        n *= shape[i];
    if (f->file)
        SKV_TRY(check_entry(f, e, name, ndim, shape));
    SKV_TRY(skv_alloc(&data, (size_t)n, sizeof *data, name));
    *out = data;
    if (!e) {
        fill(data, name, n, rule);
        return SKV_OK;
    }
    skv_to_f32(data, e->data, e->dtype, (size_t)n);
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(data[i])) {
            free(data);
            *out = NULL;
            return skv_fail(SKV_E_FORMAT, "%s: %s holds a number that is not finite", f->path,
                            name);
        }
    return SKV_OK;
}

skv_status skv_conv_upload(skv_conv *conv, skv_backend *be, const float *weight, const float *bias)
{
    const int taps = conv->kh * conv->kw;
    const size_t n = (size_t)conv->co * (size_t)taps * (size_t)conv->ci;
    const size_t bytes = skv_align_up(n * sizeof(float));
    float *turned = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&turned, n, sizeof *turned, "a convolution"), done);
    for (int o = 0; o < conv->co; o++)
        for (int c = 0; c < conv->ci; c++)
            for (int t = 0; t < taps; t++)
                turned[((size_t)o * (size_t)taps + (size_t)t) * (size_t)conv->ci + (size_t)c] =
                    weight[((size_t)o * (size_t)conv->ci + (size_t)c) * (size_t)taps + (size_t)t];
    SKV_TRY_GOTO(skv_backend_alloc(be, &conv->memory, bytes + (size_t)conv->co * sizeof(float),
                                   "a convolution"),
                 done);
    conv->w = SKV_TENSOR(conv->memory, SKV_F32, be->device, conv->co, (int64_t)taps * conv->ci);
    conv->b = SKV_TENSOR((char *)conv->memory + bytes, SKV_F32, be->device, conv->co);
    SKV_TRY_GOTO(skv_backend_upload(be, conv->w.data, turned, n * sizeof(float)), done);
    st = skv_backend_upload(be, conv->b.data, bias, (size_t)conv->co * sizeof(float));
done:
    free(turned);
    return st;
}
