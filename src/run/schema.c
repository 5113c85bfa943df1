#include "run/schema.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "run/group_file.h"

#define IN(member) offsetof(skv_group_record, member)

/* name, type, shape, how, part, member; units, long name */
const skv_schema_set skv_schema[SKV_N_SETS] = {
    [SKV_SET_ROW] = {"row", SKV_H5_I64, "n", SKV_GATHER_SAMPLES, SKV_GROUP_ROWS, IN(row), "1",
                     "row of the run"},
    [SKV_SET_ID] = {"id", SKV_H5_TEXT, "n", SKV_GATHER_SAMPLES, SKV_GROUP_ROWS, IN(id), "",
                    "id of the picture"},
    [SKV_SET_GIVEN_ID] = {"given_id", SKV_H5_TEXT, "n", SKV_GATHER_SAMPLES, SKV_GROUP_ROWS,
                          IN(given_id), "", "id of the prompt as the list has it", true},
    [SKV_SET_PROMPT] = {"prompt", SKV_H5_TEXT, "n", SKV_GATHER_SAMPLES, SKV_GROUP_ROWS, IN(prompt),
                        "", "prompt as given"},
    [SKV_SET_PROMPT_USED] = {"prompt_used", SKV_H5_TEXT, "n", SKV_GATHER_SAMPLES, SKV_GROUP_ROWS,
                             IN(prompt_used), "", "prompt as encoded"},
    [SKV_SET_NEGATIVE] = {"negative", SKV_H5_TEXT, "n", SKV_GATHER_SAMPLES, SKV_GROUP_ROWS,
                          IN(negative), "", "negative prompt, its own or the run's", true},
    [SKV_SET_SAMPLE] = {"sample", SKV_H5_I32, "n", SKV_GATHER_SAMPLES, SKV_GROUP_ROWS, IN(sample),
                        "1", "sample of the prompt"},
    [SKV_SET_SEED] = {"seed", SKV_H5_U64, "n", SKV_GATHER_SAMPLES, SKV_GROUP_ROWS, IN(seed), "1",
                      "seed of the picture"},
    [SKV_SET_OFFSET] = {"offset", SKV_H5_U64, "n", SKV_GATHER_SAMPLES, SKV_GROUP_ROWS, IN(offset),
                        "1", "offset of the seed's generator before the picture, as torch counts",
                        true},
    [SKV_SET_TOKENS] = {"tokens", SKV_H5_I32, "n", SKV_GATHER_SAMPLES, SKV_GROUP_ROWS, IN(tokens),
                        "tokens", "text tokens, </s> included"},
    [SKV_SET_TRUNCATED] = {"truncated", SKV_H5_U8, "n", SKV_GATHER_SAMPLES, SKV_GROUP_ROWS,
                           IN(truncated), "1", "1: the prompt was cut to 512 tokens"},
    [SKV_SET_STATUS] = {"status", SKV_H5_I32, "n", SKV_GATHER_SAMPLES, SKV_GROUP_ROWS, IN(status),
                        "1", "0 done, else a negative status"},
    [SKV_SET_ERROR] = {"error", SKV_H5_TEXT, "n", SKV_GATHER_SAMPLES, SKV_GROUP_ROWS, IN(error), "",
                       "why a row failed, after \"path NAME: \" where not on the first"},
    [SKV_SET_GROUP] = {"group", SKV_H5_I64, "n", SKV_GATHER_SAMPLES, 0, SKV_SCHEMA_NO_MEMBER, "1",
                       "group the row was computed in"},
    [SKV_SET_BITS] = {"bits", SKV_H5_U8, "nb", SKV_GATHER_ROWS, SKV_GROUP_BITS, IN(bits), "1",
                      "bits of all scales, least significant first"},
    [SKV_SET_IMAGE] = {"image", SKV_H5_U8, "nHW3", SKV_GATHER_ROWS, SKV_GROUP_IMAGE, IN(image), "1",
                       "picture, RGB"},
    [SKV_SET_CACHE_LENGTH] = {"cache/length", SKV_H5_I64, "cl", SKV_GATHER_FIRST, SKV_GROUP_CACHE,
                              IN(cache_length), "tokens",
                              "tokens a layer holds after the cut that follows the scale, mean of "
                              "its heads, rounded"},
    [SKV_SET_CACHE_CAPACITY] = {"cache/capacity", SKV_H5_I64, "cl", SKV_GATHER_FIRST,
                                SKV_GROUP_CACHE, IN(cache_capacity), "tokens",
                                "tokens a layer may hold there, mean of its heads, rounded; -1: no "
                                "bound"},
    [SKV_SET_CACHE_BYTES] = {"cache/bytes", SKV_H5_I64, "cl", SKV_GATHER_FIRST, SKV_GROUP_CACHE,
                             IN(cache_bytes), "byte", "K and V of one picture, all rows and heads"},
    [SKV_SET_LENGTH_BY_HEAD] = {"cache/length_by_head", SKV_H5_I64, "clh", SKV_GATHER_FIRST,
                                SKV_GROUP_CACHE, IN(length_by_head), "tokens",
                                "tokens a head holds, where heads differ"},
    [SKV_SET_CAPACITY_BY_HEAD] = {"cache/capacity_by_head", SKV_H5_I64, "clh", SKV_GATHER_FIRST,
                                  SKV_GROUP_CACHE, IN(capacity_by_head), "tokens",
                                  "tokens a head may hold, where heads differ; -1: no bound"},
    [SKV_SET_KEPT_BY_SOURCE] = {"cache/kept_by_source", SKV_H5_F32, "clS", SKV_GATHER_MEAN,
                                SKV_GROUP_CACHE, IN(kept_by_source), "tokens",
                                "kept tokens by scale of origin, mean of rows and heads"},
    [SKV_SET_SECONDS] = {"seconds", SKV_H5_F64, "p", SKV_GATHER_GROUPS, SKV_GROUP_SECONDS,
                         IN(seconds), "s", "wall time of each group by phase"},
    [SKV_SET_BUDGET] = {"budget", SKV_H5_TEXT, "1", SKV_GATHER_NOT, 0, IN(budget), "",
                        "policy, budget and options of the path, JSON"},
};

static int64_t extent(char axis, const skv_extents *e)
{
    switch (axis) {
    case 'n':
        return e->rows;
    case 'b':
        return e->bits_bytes;
    case 'H':
        return e->height;
    case 'W':
        return e->width;
    case 'c':
        return e->scales < 0 ? -1 : e->scales - 1;
    case 'S':
        return e->scales;
    case 'l':
        return e->layers;
    case 'h':
        return e->heads;
    case 'p':
        return e->phases;
    default:
        return axis - '0';
    }
}

/* One chunk a picture, each with a checksum that the library verifies. */
skv_h5_layout skv_schema_group_layout(skv_set set, const skv_extents *e)
{
    const skv_schema_set *s = &skv_schema[set];
    const bool picture = set == SKV_SET_IMAGE;
    skv_h5_layout l = {.type = s->type,
                       .n_dims = (int)strlen(s->shape),
                       .rows_per_chunk = picture,
                       .checksum = picture,
                       .long_name = s->long_name,
                       .units = s->units};

    for (int i = 0; i < l.n_dims; i++)
        l.shape[i] = extent(s->shape[i], e);
    return l;
}

skv_h5_layout skv_schema_run_layout(skv_set set, const skv_extents *e)
{
    skv_h5_layout l = skv_schema_group_layout(set, e);

    assert(skv_schema[set].how != SKV_GATHER_NOT);
    if (skv_schema[set].how == SKV_GATHER_GROUPS) {
        memmove(l.shape + 1, l.shape, (size_t)l.n_dims++ * sizeof l.shape[0]);
        l.shape[0] = e->groups;
    }
    return l;
}

skv_schema_name skv_schema_in_group(skv_set set)
{
    skv_schema_name n;

    snprintf(n.text, sizeof n.text, "/%s", skv_schema[set].name);
    return n;
}

skv_schema_name skv_schema_in_run(skv_set set, const char *path)
{
    skv_schema_name n;

    assert((path == NULL) == (skv_schema[set].how == SKV_GATHER_SAMPLES));
    if (path)
        snprintf(n.text, sizeof n.text, SKV_SCHEMA_PATHS "/%s/%s", path, skv_schema[set].name);
    else
        snprintf(n.text, sizeof n.text, "/samples/%s", skv_schema[set].name);
    return n;
}

skv_schema_name skv_schema_path(const char *path)
{
    skv_schema_name n;

    snprintf(n.text, sizeof n.text, SKV_SCHEMA_PATHS "/%s", path);
    return n;
}

skv_schema_name skv_schema_cache(const char *path)
{
    skv_schema_name n;

    snprintf(n.text, sizeof n.text, SKV_SCHEMA_PATHS "/%s/cache", path);
    return n;
}

bool skv_path_name_is_valid(const char *name)
{
    const size_t n = strlen(name);

    return n > 0 && n <= 63 && name[0] != '-' && name[0] != '.' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.") == n;
}
