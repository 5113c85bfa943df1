/* What a group file is made of: one table of datasets, which are the members of a record, and lists
 * of attributes, which one CRC-32 over their printed form covers. */
#include "run/group_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/mem.h"

const skv_group__set skv_group__sets[SKV_GROUP__N_SETS] = {
    {"row", SKV_H5_I64, SKV_GROUP_ROWS, "n", SKV_GROUP__AT(row), 0, "row of the run", "1"},
    {"id", SKV_H5_TEXT, SKV_GROUP_ROWS, "n", SKV_GROUP__AT(id), 0, "id of the sample", "1"},
    {"prompt", SKV_H5_TEXT, SKV_GROUP_ROWS, "n", SKV_GROUP__AT(prompt), 0, "prompt as given", "1"},
    {"prompt_used", SKV_H5_TEXT, SKV_GROUP_ROWS, "n", SKV_GROUP__AT(prompt_used), 0, "text encoded",
     "1"},
    {"sample", SKV_H5_I32, SKV_GROUP_ROWS, "n", SKV_GROUP__AT(sample), 0, "sample of the prompt",
     "1"},
    {"seed", SKV_H5_U64, SKV_GROUP_ROWS, "n", SKV_GROUP__AT(seed), 0, "seed of the sample", "1"},
    {"tokens", SKV_H5_I32, SKV_GROUP_ROWS, "n", SKV_GROUP__AT(tokens), 0,
     "text tokens, </s> included", "1"},
    {"truncated", SKV_H5_U8, SKV_GROUP_ROWS, "n", SKV_GROUP__AT(truncated), 0, "the text was cut",
     "1"},
    {"status", SKV_H5_I32, SKV_GROUP_ROWS, "n", SKV_GROUP__AT(status), 0, "0 done, else why not",
     "1"},
    {"error", SKV_H5_TEXT, SKV_GROUP_ROWS, "n", SKV_GROUP__AT(error), 0, "why not done", "1"},
    {"bits", SKV_H5_U8, SKV_GROUP_BITS, "nb", SKV_GROUP__AT(bits), 1,
     "bits of all scales, packed, least significant bit first", "1"},
    {"image", SKV_H5_U8, SKV_GROUP_IMAGE, "nHW3", SKV_GROUP__AT(image), 1, "picture, RGB", "1"},
    {"cache/length", SKV_H5_I64, SKV_GROUP_CACHE, "cl", SKV_GROUP__AT(cache_length), 0,
     "tokens cached after the cut that follows a scale", "tokens"},
    {"cache/capacity", SKV_H5_I64, SKV_GROUP_CACHE, "cl", SKV_GROUP__AT(cache_capacity), 0,
     "tokens the policy allows", "tokens"},
    {"cache/bytes", SKV_H5_I64, SKV_GROUP_CACHE, "cl", SKV_GROUP__AT(cache_bytes), 0,
     "bytes of keys and values, of all rows of a picture", "B"},
    {"cache/length_by_head", SKV_H5_I64, SKV_GROUP_CACHE, "clh", SKV_GROUP__AT(length_by_head), 0,
     "tokens cached, by head", "tokens"},
    {"cache/kept_by_source", SKV_H5_F32, SKV_GROUP_CACHE, "clS", SKV_GROUP__AT(kept_by_source), 0,
     "tokens kept, by the scale they come from, mean over rows and heads", "tokens"},
    {"seconds", SKV_H5_F64, SKV_GROUP_SECONDS, "p", SKV_GROUP__AT(seconds), 0, "time by phase",
     "s"},
    {"phase_names", SKV_H5_TEXT, SKV_GROUP_SECONDS, "p", SKV_GROUP__AT(phase_names), 0, "phases",
     "1"},
    {"budget", SKV_H5_TEXT, 0, "1", SKV_GROUP__AT(budget), 0, "budget of the path, JSON", "1"},
};

static int64_t extent(char axis, const skv_group_record *r)
{
    switch (axis) {
    case 'n':
        return r->n_rows;
    case 'b':
        return r->bits_bytes;
    case 'H':
        return r->height;
    case 'W':
        return r->width;
    case '3':
        return 3;
    case 'c':
        return r->n_scales - 1;
    case 'l':
        return r->n_layers;
    case 'h':
        return r->n_heads;
    case 'S':
        return r->n_scales;
    case 'p':
        return r->n_phases;
    default:
        return 1;
    }
}

skv_h5_layout skv_group__layout_of(const skv_group__set *d, const skv_group_record *r)
{
    skv_h5_layout l = {.type = d->type,
                       .n_dims = (int)strlen(d->shape),
                       .rows_per_chunk = d->rows_per_chunk,
                       .checksum = d->rows_per_chunk > 0,
                       .long_name = d->long_name,
                       .units = d->units};

    for (int i = 0; i < l.n_dims; i++)
        l.shape[i] = extent(d->shape[i], r);
    return l;
}

const void *skv_group__member(const skv_group_record *r, size_t offset)
{
    const void *p;

    memcpy(&p, (const char *)r + offset, sizeof p);
    return p;
}

/* The budget is the one member that is a text, not a list of them. */
const void *skv_group__data_of(const skv_group_record *r, const skv_group__set *d)
{
    return d->offset == SKV_GROUP__AT(budget) ? (const void *)&r->budget
                                              : skv_group__member(r, d->offset);
}

const skv_group__number skv_group__numbers[SKV_GROUP__N_NUMBERS] = {
    {"n_rows", SKV_GROUP__AT(n_rows), 1, 1 << 16},  {"n_scales", SKV_GROUP__AT(n_scales), 1, 64},
    {"n_layers", SKV_GROUP__AT(n_layers), 1, 1024}, {"n_heads", SKV_GROUP__AT(n_heads), 0, 1024},
    {"height", SKV_GROUP__AT(height), 0, 1 << 15},  {"width", SKV_GROUP__AT(width), 0, 1 << 15},
    {"n_phases", SKV_GROUP__AT(n_phases), 0, 64},
};

const skv_group__word skv_group__words[SKV_GROUP__N_WORDS] = {
    {"path_name", SKV_GROUP__AT(path_name)},     {"config_digest", SKV_GROUP__AT(config_digest)},
    {"path_digest", SKV_GROUP__AT(path_digest)}, {"version", SKV_GROUP__AT(version)},
    {"device", SKV_GROUP__AT(device)},
};

int skv_group__number_of(const skv_group_record *r, const skv_group__number *k)
{
    int v;

    memcpy(&v, (const char *)r + k->offset, sizeof v);
    return v;
}

skv_status skv_group__check_numbers(const skv_group_record *r, const char *file, skv_status code)
{
    for (size_t i = 0; i < SKV_GROUP__N_NUMBERS; i++) {
        const int v = skv_group__number_of(r, &skv_group__numbers[i]);

        if (v < skv_group__numbers[i].low || v > skv_group__numbers[i].high)
            return skv_fail(code, "%s: %s is %d, %d to %d are possible", file,
                            skv_group__numbers[i].key, v, skv_group__numbers[i].low,
                            skv_group__numbers[i].high);
    }
    if (r->group < 0 || r->bits_bytes < 0 || r->bits_bytes > INT32_MAX)
        return skv_fail(code, "%s: group %lld or %lld bytes of bits are impossible", file,
                        (long long)r->group, (long long)r->bits_bytes);
    return SKV_OK;
}

/* CRC-32 of all attributes and of the list of datasets. */
skv_status skv_group__header_crc(int64_t *out, const skv_group_record *r, const char *datasets)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);

    if (!f)
        return skv_fail(SKV_E_MEM, "out of memory for a group's attributes");
    for (size_t i = 0; i < SKV_GROUP__N_WORDS; i++) {
        const char *v = skv_group__member(r, skv_group__words[i].offset);

        fprintf(f, "%zu %s\n", strlen(v), v);
    }
    for (size_t i = 0; i < SKV_GROUP__N_NUMBERS; i++)
        fprintf(f, "%d\n", skv_group__number_of(r, &skv_group__numbers[i]));
    fprintf(f, "%lld %lld %d\n%s\n", (long long)r->group, (long long)r->bits_bytes, r->first,
            datasets);
    for (int i = 0; r->bit_offset && i <= r->n_scales; i++)
        fprintf(f, "%lld\n", (long long)r->bit_offset[i]);
    if (r->pool_planned != 0 || r->pool_peak != 0)
        fprintf(f, "pool %lld %lld\n", (long long)r->pool_planned, (long long)r->pool_peak);
    if (fclose(f) != 0) {
        free(text);
        return skv_fail(SKV_E_MEM, "out of memory for a group's attributes");
    }
    *out = (int64_t)crc32(0, (const unsigned char *)text, (uInt)bytes);
    free(text);
    return SKV_OK;
}

bool skv_group__is_listed(const char *datasets, const char *name)
{
    char word_of[64];

    snprintf(word_of, sizeof word_of, " %s ", name);
    return strstr(datasets, word_of) != NULL;
}

bool skv_group__names_path(const char *name)
{
    return name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

skv_status skv_group_file_path(char **out, const char *run, const char *path_name, int64_t group)
{
    const size_t bytes = strlen(run) + strlen(path_name) + 64;

    if (!skv_group__names_path(path_name) || group < 0)
        return skv_fail(SKV_E_ARG, "group %lld of path \"%s\" has no file name", (long long)group,
                        path_name);
    SKV_TRY(skv_alloc(out, bytes, 1, "a file name"));
    snprintf(*out, bytes, "%s/groups/%s/%06lld.h5", run, path_name, (long long)group);
    return SKV_OK;
}
