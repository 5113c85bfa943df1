#include "sample/result.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/bits.h"

static const char *const phase_names[SKV_N_PHASES] = {"text", "transformer", "vae"};

static skv_status take_rows(skv_result *r, size_t n)
{
    SKV_TRY(skv_alloc(&r->id, n, sizeof *r->id, "group rows"));
    SKV_TRY(skv_alloc(&r->id_list, n, sizeof *r->id_list, "group rows"));
    SKV_TRY(skv_alloc(&r->given_id, n, sizeof *r->given_id, "group rows"));
    SKV_TRY(skv_alloc(&r->negative, n, sizeof *r->negative, "group rows"));
    SKV_TRY(skv_alloc(&r->offset, n, sizeof *r->offset, "group rows"));
    SKV_TRY(skv_alloc(&r->prompt, n, sizeof *r->prompt, "group rows"));
    SKV_TRY(skv_alloc(&r->prompt_used, n, sizeof *r->prompt_used, "group rows"));
    SKV_TRY(skv_alloc(&r->error, n, sizeof *r->error, "group rows"));
    SKV_TRY(skv_alloc(&r->reason, n, sizeof *r->reason, "group rows"));
    SKV_TRY(skv_alloc(&r->row, n, sizeof *r->row, "group rows"));
    SKV_TRY(skv_alloc(&r->sample, n, sizeof *r->sample, "group rows"));
    SKV_TRY(skv_alloc(&r->tokens, n, sizeof *r->tokens, "group rows"));
    SKV_TRY(skv_alloc(&r->status, n, sizeof *r->status, "group rows"));
    SKV_TRY(skv_alloc(&r->seed, n, sizeof *r->seed, "group rows"));
    return skv_alloc(&r->truncated, n, sizeof *r->truncated, "group rows");
}

static void fill_row(skv_result *r, const skv_engine_setup *s, int64_t row, int i)
{
    const skv_row at = skv_row_of(&r->span, row);
    const skv_row_prompt *p = at.prompt;

    r->row[i] = row;
    skv_row_id(&r->span, row, r->id[i], sizeof r->id[i]);
    r->id_list[i] = r->id[i];
    r->given_id[i] = p->given_id ? p->given_id : "";
    r->negative[i] = p->negative ? p->negative : "";
    r->offset[i] = skv_engine_generator(s, &(skv_seed){at.seed, at.before}).offset;
    r->prompt[i] = p->text;
    r->prompt_used[i] = p->error ? "" : p->used;
    r->error[i] = p->error ? p->error : "";
    r->status[i] = p->error ? SKV_E_FORMAT : SKV_OK;
    r->sample[i] = at.sample;
    r->seed[i] = at.seed;
    r->tokens[i] = p->n_tokens;
    r->truncated[i] = p->truncated;
}

/* The mean of a layer's heads, half up; -1 where one of them has no bound. */
static int64_t mean_of(const int64_t *by_head, int heads)
{
    int64_t sum = 0;

    for (int h = 0; h < heads; h++) {
        if (by_head[h] < 0)
            return -1;
        sum += by_head[h];
    }
    return (2 * sum + heads) / (2 * (int64_t)heads);
}

/* Whether heads differ anywhere in these n layers. */
static bool is_ragged(const int64_t *by_head, size_t n, int heads)
{
    for (size_t i = 0; i < n * (size_t)heads; i++)
        if (by_head[i] != by_head[i - i % (size_t)heads])
            return true;
    return false;
}

/* Lengths, capacities and bytes of one picture (its one or two rows) after every cut. */
static skv_status fill_cache(skv_result *r, const skv_engine_setup *s, const skv_path *path)
{
    const int layers = s->sources->dims.depth, heads = s->sources->dims.heads;
    const size_t n = (size_t)(s->schedule.n_scales - 1) * (size_t)layers, all = n * (size_t)heads;
    skv_kv_plan *plan = NULL;
    skv_status st;

    SKV_TRY(skv_engine_kv_plan(&plan, s, path, 1));
    SKV_TRY_GOTO(skv_alloc(&r->cache_length, n, sizeof *r->cache_length, "cache table"), done);
    SKV_TRY_GOTO(skv_alloc(&r->cache_capacity, n, sizeof *r->cache_capacity, "cache table"), done);
    SKV_TRY_GOTO(skv_alloc(&r->cache_bytes, n, sizeof *r->cache_bytes, "cache table"), done);
    SKV_TRY_GOTO(skv_alloc(&r->length_by_head, all, sizeof *r->length_by_head, "cache table"),
                 done);
    SKV_TRY_GOTO(skv_alloc(&r->capacity_by_head, all, sizeof *r->capacity_by_head, "cache table"),
                 done);
    for (size_t i = 0; i < n; i++) {
        const int si = (int)i / layers, layer = (int)i % layers;
        int64_t *length = r->length_by_head + i * (size_t)heads;
        int64_t *capacity = r->capacity_by_head + i * (size_t)heads;

        for (int h = 0; h < heads; h++) {
            const int most = skv_kv_plan_capacity(plan, layer, h, si);

            length[h] = skv_kv_plan_length(plan, layer, h, si);
            capacity[h] = most == SKV_KEEP_ALL ? -1 : most;
        }
        r->cache_length[i] = mean_of(length, heads);
        r->cache_capacity[i] = mean_of(capacity, heads);
        r->cache_bytes[i] = (int64_t)skv_kv_plan_bytes(plan, layer, si);
    }
    r->rec.length_by_head = is_ragged(r->length_by_head, n, heads) ? r->length_by_head : NULL;
    r->rec.capacity_by_head = is_ragged(r->capacity_by_head, n, heads) ? r->capacity_by_head : NULL;
done:
    skv_kv_plan_destroy(plan);
    return st;
}

static skv_status take_results(skv_result *r, const skv_engine_setup *s, size_t n, bool with_image)
{
    const skv_schedule *sch = &s->schedule;
    const int token_bits = skv_dims_token_bits(&s->sources->dims), scales = sch->n_scales;

    SKV_TRY(skv_alloc(&r->bit_offset, (size_t)scales + 1, sizeof *r->bit_offset, "bits"));
    for (int si = 0; si <= scales; si++)
        r->bit_offset[si] = 8 * (int64_t)skv_bits_offset(sch, token_bits, si);
    SKV_TRY(skv_alloc(&r->bits, n, skv_engine_bits_bytes(s), "bits"));
    SKV_TRY(skv_alloc(&r->kept_by_source,
                      (size_t)(scales - 1) * (size_t)s->sources->dims.depth * (size_t)scales,
                      sizeof *r->kept_by_source, "cache table"));
    if (with_image)
        SKV_TRY(skv_alloc(&r->image, n,
                          (size_t)skv_picture_height(sch) * (size_t)skv_picture_width(sch) * 3,
                          "pictures"));
    return SKV_OK;
}

static void fill_record(skv_result *r, const skv_engine_setup *s, const skv_path *path, int64_t g,
                        int n)
{
    skv_group_record *rec = &r->rec;

    rec->path_name = path->name;
    rec->version = SKV_VERSION;
    rec->budget = path->digest_text;
    rec->device = skv_backend_describe(s->be);
    rec->group = g;
    rec->n_rows = n;
    rec->n_scales = s->schedule.n_scales;
    rec->n_layers = s->sources->dims.depth;
    rec->n_heads = s->sources->dims.heads;
    rec->height = skv_picture_height(&s->schedule);
    rec->width = skv_picture_width(&s->schedule);
    rec->row = r->row;
    rec->id = r->id_list;
    rec->given_id = r->given_id;
    rec->negative = r->negative;
    rec->offset = r->offset;
    rec->prompt = r->prompt;
    rec->prompt_used = r->prompt_used;
    rec->sample = r->sample;
    rec->seed = r->seed;
    rec->tokens = r->tokens;
    rec->truncated = r->truncated;
    rec->status = r->status;
    rec->error = r->error;
    rec->bits = r->bits;
    rec->bit_offset = r->bit_offset;
    rec->bits_bytes = (int64_t)skv_engine_bits_bytes(s);
    rec->image = r->image;
    rec->cache_length = r->cache_length;
    rec->cache_capacity = r->cache_capacity;
    rec->cache_bytes = r->cache_bytes;
    rec->kept_by_source = r->kept_by_source;
    rec->seconds = r->seconds;
    rec->phase_names = phase_names;
    rec->n_phases = SKV_N_PHASES;
}

skv_status skv_result_create(skv_result **out, const skv_rows *rows, const skv_engine_setup *setup,
                             const skv_path *path, int64_t g, bool with_image)
{
    skv_status st;
    skv_result *r = NULL;
    int64_t first;
    int n;

    skv_rows_group(rows, g, &first, &n);
    SKV_TRY(skv_alloc(&r, 1, sizeof *r, "group"));
    SKV_TRY_GOTO(take_rows(r, (size_t)n), done);
    SKV_TRY_GOTO(skv_rows_load_group(&r->span, rows, g), done);
    for (int i = 0; i < n; i++)
        fill_row(r, setup, first + i, i);
    SKV_TRY_GOTO(take_results(r, setup, (size_t)n, with_image), done);
    SKV_TRY_GOTO(fill_cache(r, setup, path), done);
    fill_record(r, setup, path, g, n);
    *out = r;
    r = NULL;
done:
    skv_result_destroy(r);
    return st;
}

void skv_result_fail(skv_result *r, int i, int32_t fault)
{
    const size_t row = (size_t)i, bits = (size_t)r->rec.bits_bytes;
    const size_t picture = (size_t)r->rec.height * (size_t)r->rec.width * 3;

    if (fault == SKV_FAULT_TEXT)
        snprintf(r->reason[i], sizeof r->reason[i], "not finite: text");
    else if (fault == SKV_FAULT_PICTURE)
        snprintf(r->reason[i], sizeof r->reason[i], "not finite: picture");
    else
        snprintf(r->reason[i], sizeof r->reason[i], "not finite: logits of scale %d",
                 (int)fault - 1);
    r->error[i] = r->reason[i];
    r->status[i] = SKV_E_NOT_FINITE;
    memset(r->bits + row * bits, 0, bits);
    if (r->image)
        memset(r->image + row * picture, 0, picture);
}

void skv_result_destroy(skv_result *r)
{
    if (!r)
        return;
    skv_row_span_clear(&r->span);
    free(r->id);
    free((void *)r->id_list);
    free((void *)r->given_id);
    free((void *)r->negative);
    free(r->offset);
    free((void *)r->prompt);
    free((void *)r->prompt_used);
    free((void *)r->error);
    free(r->reason);
    free(r->row);
    free(r->bit_offset);
    free(r->cache_length);
    free(r->cache_capacity);
    free(r->cache_bytes);
    free(r->length_by_head);
    free(r->capacity_by_head);
    free(r->sample);
    free(r->tokens);
    free(r->status);
    free(r->seed);
    free(r->truncated);
    free(r->bits);
    free(r->image);
    free(r->kept_by_source);
    free(r);
}
