#include "run/segments.h"

#define MAX_ROWS ((int64_t)1 << 40)

skv_segments skv_segments_none(int64_t group_size)
{
    return (skv_segments){.group_size = group_size};
}

static skv_status add(skv_segments *s, skv_segment new)
{
    const int64_t n_rows = new.n_prompts *new.n_samples;

    if (new.n_prompts == 0 || new.n_samples == 0)
        return SKV_OK;
    if (s->n == SKV_MAX_SEGMENTS)
        return skv_fail(SKV_E_ARG, "a run can grow %d times and has", SKV_MAX_SEGMENTS - 1);
    new.row = s->n_rows;
    new.group = s->n_groups;
    s->segment[s->n++] = new;
    s->n_prompts = new.prompt + new.n_prompts;
    s->n_samples = new.sample + new.n_samples;
    s->n_rows += n_rows;
    s->n_groups += (n_rows + s->group_size - 1) / s->group_size;
    return SKV_OK;
}

skv_status skv_segments_grow(skv_segments *s, int64_t n_prompts, int64_t n_samples)
{
    const int64_t prompts = s->n_prompts, samples = s->n ? s->n_samples : n_samples;

    if (n_prompts < prompts || n_samples < samples)
        return skv_fail(SKV_E_ARG, "%lld prompts of %lld samples are fewer than %lld of %lld",
                        (long long)n_prompts, (long long)n_samples, (long long)prompts,
                        (long long)samples);
    if (n_prompts > MAX_ROWS || n_samples > MAX_ROWS / (n_prompts ? n_prompts : 1))
        return skv_fail(SKV_E_ARG, "%lld prompts of %lld samples are too many",
                        (long long)n_prompts, (long long)n_samples);
    SKV_TRY(add(s, (skv_segment){
                       .prompt = prompts, .n_prompts = n_prompts - prompts, .n_samples = samples}));
    return add(s, (skv_segment){
                      .n_prompts = n_prompts, .sample = samples, .n_samples = n_samples - samples});
}

/* ------------------------------------------------------------------------------ JSON */

json_t *skv_segments_json(const skv_segments *s)
{
    skv_json_maker list = skv_json_array();

    for (int i = 0; i < s->n; i++)
        skv_json_append(&list,
                        json_pack("{s:o, s:o}", "prompts",
                                  json_integer(s->segment[i].prompt + s->segment[i].n_prompts),
                                  "samples",
                                  json_integer(s->segment[i].sample + s->segment[i].n_samples)));
    return skv_json_take(&list);
}

/* What a list's entry says must be one segment more. */
static skv_status read_one(skv_segments *s, const json_t *entry, const char *name)
{
    const int before = s->n;
    int64_t prompts = 0, samples = 0;

    SKV_TRY(skv_json_int(&prompts, entry, "prompts", name));
    SKV_TRY(skv_json_int(&samples, entry, "samples", name));
    if (prompts < 1 || samples < 1 || skv_segments_grow(s, prompts, samples) != SKV_OK ||
        s->n != before + 1)
        return skv_fail(SKV_E_FORMAT, "%s: segment %d, %lld prompts of %lld samples, is impossible",
                        name, before, (long long)prompts, (long long)samples);
    return SKV_OK;
}

skv_status skv_segments_read(skv_segments *out, const json_t *list, int64_t group_size,
                             const char *name)
{
    const json_t *entry;
    size_t i;

    *out = skv_segments_none(group_size);
    if (!json_is_array(list) || json_array_size(list) == 0)
        return skv_fail(SKV_E_FORMAT, "%s: \"" SKV_SEGMENTS "\" is no list of segments", name);
    json_array_foreach((json_t *)(uintptr_t)list, i, entry)
    {
        SKV_TRY(read_one(out, entry, name));
    }
    return SKV_OK;
}

skv_status skv_segments_of_run(skv_segments *out, const json_t *root, const char *name)
{
    const json_t *common = json_object_get(root, "common");
    const json_t *list = json_object_get(root, SKV_SEGMENTS);
    int64_t rows = 0, samples = 0, size = 0;

    SKV_TRY(skv_json_int(&rows, root, "rows", name));
    SKV_TRY(skv_json_int(&samples, common, "samples", name));
    SKV_TRY(skv_json_int(&size, common, "group_size", name));
    if (size < 1 || size > SKV_RUN_MAX_GROUP || samples < 1 || rows < 1 || rows > MAX_ROWS ||
        rows % samples != 0)
        return skv_fail(SKV_E_FORMAT,
                        "%s: %lld rows, %lld of a prompt, in groups of %lld: that is "
                        "impossible",
                        name, (long long)rows, (long long)samples, (long long)size);
    if (list)
        return skv_segments_read(out, list, size, name);
    *out = skv_segments_none(size);
    return skv_segments_grow(out, rows / samples, samples);
}

/* --------------------------------------------------------------------- rows and groups */

int64_t skv_segments_row(const skv_segments *s, int64_t prompt, int64_t sample)
{
    for (const skv_segment *e = s->segment; e < s->segment + s->n; e++) {
        const int64_t p = prompt - e->prompt, k = sample - e->sample;

        if (p >= 0 && p < e->n_prompts && k >= 0 && k < e->n_samples)
            return e->row + p * e->n_samples + k;
    }
    return -1;
}

/* The last segment that begins at or before it. */
static const skv_segment *segment_of_row(const skv_segments *s, int64_t row)
{
    int i = s->n - 1;

    while (i > 0 && s->segment[i].row > row)
        i--;
    return &s->segment[i];
}

void skv_segments_of_row(const skv_segments *s, int64_t row, int64_t *prompt, int64_t *sample)
{
    const skv_segment *e = segment_of_row(s, row);

    *prompt = e->prompt + (row - e->row) / e->n_samples;
    *sample = e->sample + (row - e->row) % e->n_samples;
}

void skv_segments_group(const skv_segments *s, int64_t g, int64_t *first, int *n)
{
    int i = s->n - 1;
    int64_t end;

    while (i > 0 && s->segment[i].group > g)
        i--;
    end = i + 1 < s->n ? s->segment[i + 1].row : s->n_rows;
    *first = s->segment[i].row + (g - s->segment[i].group) * s->group_size;
    *n = (int)(end - *first < s->group_size ? end - *first : s->group_size);
}

int64_t skv_segments_group_of(const skv_segments *s, int64_t row)
{
    const skv_segment *e = segment_of_row(s, row);

    return e->group + (row - e->row) / s->group_size;
}
