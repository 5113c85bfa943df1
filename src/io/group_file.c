/* A record's members and the file's datasets are one table; the attributes are covered by one
 * CRC-32 over their printed form; the file's label says which group of which run it is. */
#include "io/group_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/mem.h"
#include "io/h5.h"
#include "io/prompts.h"

#define KIND         "skv group 1" /* attribute "kind": the form of this file */
#define MAX_READ     ((size_t)64 << 30)
#define MAX_DATASETS 32

struct skv_group_owned {
    void *block[MAX_DATASETS + 16];
    int n;
    char *datasets; /* names of those in the file, a blank before and behind each */
    int64_t crc;    /* of the attributes */
};

/* shape: a letter an axis, see extent(). */
typedef struct {
    const char *name;
    skv_h5_type type;
    unsigned part;
    const char *shape;
    size_t offset;
    int rows_per_chunk;
    const char *long_name, *units;
} dataset;

#define AT(member) offsetof(skv_group_record, member)

static const dataset table[] = {
    {"row", SKV_H5_I64, SKV_GROUP_ROWS, "n", AT(row), 0, "row of the run", "1"},
    {"id", SKV_H5_TEXT, SKV_GROUP_ROWS, "n", AT(id), 0, "id of the sample", "1"},
    {"prompt", SKV_H5_TEXT, SKV_GROUP_ROWS, "n", AT(prompt), 0, "prompt as given", "1"},
    {"prompt_used", SKV_H5_TEXT, SKV_GROUP_ROWS, "n", AT(prompt_used), 0, "text encoded", "1"},
    {"sample", SKV_H5_I32, SKV_GROUP_ROWS, "n", AT(sample), 0, "sample of the prompt", "1"},
    {"seed", SKV_H5_U64, SKV_GROUP_ROWS, "n", AT(seed), 0, "seed of the sample", "1"},
    {"tokens", SKV_H5_I32, SKV_GROUP_ROWS, "n", AT(tokens), 0, "text tokens, </s> included", "1"},
    {"truncated", SKV_H5_U8, SKV_GROUP_ROWS, "n", AT(truncated), 0, "the text was cut", "1"},
    {"status", SKV_H5_I32, SKV_GROUP_ROWS, "n", AT(status), 0, "0 done, else why not", "1"},
    {"error", SKV_H5_TEXT, SKV_GROUP_ROWS, "n", AT(error), 0, "why not done", "1"},
    {"bits", SKV_H5_U8, SKV_GROUP_BITS, "nb", AT(bits), 1,
     "bits of all scales, packed, least significant bit first", "1"},
    {"image", SKV_H5_U8, SKV_GROUP_IMAGE, "nHW3", AT(image), 1, "picture, RGB", "1"},
    {"cache/length", SKV_H5_I64, SKV_GROUP_CACHE, "cl", AT(cache_length), 0,
     "tokens cached after the cut that follows a scale", "tokens"},
    {"cache/capacity", SKV_H5_I64, SKV_GROUP_CACHE, "cl", AT(cache_capacity), 0,
     "tokens the policy allows", "tokens"},
    {"cache/bytes", SKV_H5_I64, SKV_GROUP_CACHE, "cl", AT(cache_bytes), 0,
     "bytes of keys and values, of all rows of a picture", "B"},
    {"cache/length_by_head", SKV_H5_I64, SKV_GROUP_CACHE, "clh", AT(length_by_head), 0,
     "tokens cached, by head", "tokens"},
    {"cache/kept_by_source", SKV_H5_F32, SKV_GROUP_CACHE, "clS", AT(kept_by_source), 0,
     "tokens kept, by the scale they come from, mean over rows and heads", "tokens"},
    {"seconds", SKV_H5_F64, SKV_GROUP_SECONDS, "p", AT(seconds), 0, "time by phase", "s"},
    {"phase_names", SKV_H5_TEXT, SKV_GROUP_SECONDS, "p", AT(phase_names), 0, "phases", "1"},
    {"budget", SKV_H5_TEXT, 0, "1", AT(budget), 0, "budget of the path, JSON", "1"},
};

#define N_TABLE (sizeof table / sizeof table[0])

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

static skv_h5_layout layout_of(const dataset *d, const skv_group_record *r)
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

static const void *member(const skv_group_record *r, size_t offset)
{
    const void *p;

    memcpy(&p, (const char *)r + offset, sizeof p);
    return p;
}

/* The budget is the one member that is a text, not a list of them. */
static const void *data_of(const skv_group_record *r, const dataset *d)
{
    return d->offset == AT(budget) ? (const void *)&r->budget : member(r, d->offset);
}

static bool names_path(const char *name)
{
    return name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

skv_status skv_group_file_path(char **out, const char *run, const char *path_name, int64_t group)
{
    const size_t bytes = strlen(run) + strlen(path_name) + 64;

    if (!names_path(path_name) || group < 0)
        return skv_fail(SKV_E_ARG, "group %lld of path \"%s\" has no file name", (long long)group,
                        path_name);
    SKV_TRY(skv_alloc(out, bytes, 1, "a file name"));
    snprintf(*out, bytes, "%s/groups/%s/%06lld.h5", run, path_name, (long long)group);
    return SKV_OK;
}

/* The integers of a record that are attributes. */
typedef struct {
    const char *key;
    size_t offset;
    int low, high;
} number;

static const number numbers[] = {
    {"n_rows", AT(n_rows), 1, 1 << 16},  {"n_scales", AT(n_scales), 1, 64},
    {"n_layers", AT(n_layers), 1, 1024}, {"n_heads", AT(n_heads), 0, 1024},
    {"height", AT(height), 0, 1 << 15},  {"width", AT(width), 0, 1 << 15},
    {"n_phases", AT(n_phases), 0, 64},
};

typedef struct {
    const char *key;
    size_t offset;
} word;

static const word words[] = {
    {"path_name", AT(path_name)},     {"config_digest", AT(config_digest)},
    {"path_digest", AT(path_digest)}, {"version", AT(version)},
    {"device", AT(device)},
};

#define N_NUMBERS (sizeof numbers / sizeof numbers[0])
#define N_WORDS   (sizeof words / sizeof words[0])

static int number_of(const skv_group_record *r, const number *k)
{
    int v;

    memcpy(&v, (const char *)r + k->offset, sizeof v);
    return v;
}

static skv_status check_numbers(const skv_group_record *r, const char *file, skv_status code)
{
    for (size_t i = 0; i < N_NUMBERS; i++) {
        const int v = number_of(r, &numbers[i]);

        if (v < numbers[i].low || v > numbers[i].high)
            return skv_fail(code, "%s: %s is %d, %d to %d are possible", file, numbers[i].key, v,
                            numbers[i].low, numbers[i].high);
    }
    if (r->group < 0 || r->bits_bytes < 0 || r->bits_bytes > INT32_MAX)
        return skv_fail(code, "%s: group %lld or %lld bytes of bits are impossible", file,
                        (long long)r->group, (long long)r->bits_bytes);
    return SKV_OK;
}

/* CRC-32 of all attributes and of the list of datasets. */
static skv_status header_crc(int64_t *out, const skv_group_record *r, const char *datasets)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);

    if (!f)
        return skv_fail(SKV_E_MEM, "out of memory for a group's attributes");
    for (size_t i = 0; i < N_WORDS; i++) {
        const char *v = member(r, words[i].offset);

        fprintf(f, "%zu %s\n", strlen(v), v);
    }
    for (size_t i = 0; i < N_NUMBERS; i++)
        fprintf(f, "%d\n", number_of(r, &numbers[i]));
    fprintf(f, "%lld %lld %d\n%s\n", (long long)r->group, (long long)r->bits_bytes, r->first,
            datasets);
    for (int i = 0; r->bit_offset && i <= r->n_scales; i++)
        fprintf(f, "%lld\n", (long long)r->bit_offset[i]);
    if (fclose(f) != 0) {
        free(text);
        return skv_fail(SKV_E_MEM, "out of memory for a group's attributes");
    }
    *out = (int64_t)crc32(0, (const unsigned char *)text, (uInt)bytes);
    free(text);
    return SKV_OK;
}

/* " row id prompt ", of what the record has. */
static void list_datasets(char *out, size_t bytes, const skv_group_record *r)
{
    size_t used = (size_t)snprintf(out, bytes, " ");

    for (size_t i = 0; i < N_TABLE; i++)
        if (data_of(r, &table[i]))
            used += (size_t)snprintf(out + used, bytes - used, "%s ", table[i].name);
}

static bool is_listed(const char *datasets, const char *name)
{
    char word_of[64];

    snprintf(word_of, sizeof word_of, " %s ", name);
    return strstr(datasets, word_of) != NULL;
}

/* What must be given, and together. */
static skv_status check_record(const skv_group_record *r, const char *file)
{
    for (size_t i = 0; i < N_WORDS; i++)
        if (!member(r, words[i].offset))
            return skv_fail(SKV_E_ARG, "%s: a record without %s", file, words[i].key);
    for (size_t i = 0; i < N_TABLE; i++)
        if (table[i].part == SKV_GROUP_ROWS && !data_of(r, &table[i]))
            return skv_fail(SKV_E_ARG, "%s: a record without %s", file, table[i].name);
    if (!r->budget || !names_path(r->path_name))
        return skv_fail(SKV_E_ARG, "%s: a record without budget or path name", file);
    if (!r->bits != !r->bit_offset || !r->cache_length != !r->cache_capacity ||
        !r->cache_length != !r->cache_bytes || !r->seconds != !r->phase_names)
        return skv_fail(SKV_E_ARG, "%s: a record with half of its bits, cache or seconds", file);
    return check_numbers(r, file, SKV_E_ARG);
}

static skv_status write_header(skv_h5 *f, const skv_group_record *r, const char *datasets)
{
    int64_t crc = 0;

    SKV_TRY(header_crc(&crc, r, datasets));
    SKV_TRY(skv_h5_set_text(f, "/", "kind", KIND));
    for (size_t i = 0; i < N_WORDS; i++)
        SKV_TRY(skv_h5_set_text(f, "/", words[i].key, member(r, words[i].offset)));
    for (size_t i = 0; i < N_NUMBERS; i++)
        SKV_TRY(skv_h5_set_int(f, "/", numbers[i].key, number_of(r, &numbers[i])));
    SKV_TRY(skv_h5_set_int(f, "/", "group", r->group));
    SKV_TRY(skv_h5_set_int(f, "/", "bits_bytes", r->bits_bytes));
    SKV_TRY(skv_h5_set_int(f, "/", "first", r->first));
    SKV_TRY(skv_h5_set_text(f, "/", "datasets", datasets));
    return skv_h5_set_int(f, "/", "header_crc32", crc);
}

/* Lines: KIND, config digest, path digest, "group first_row n_rows", datasets. */
static skv_status make_label(char *out, size_t bytes, const skv_group_record *r,
                             const char *datasets)
{
    if (strpbrk(r->config_digest, "\n") || strpbrk(r->path_digest, "\n") ||
        snprintf(out, bytes, KIND "\n%s\n%s\n%lld %lld %d\n%s\n", r->config_digest, r->path_digest,
                 (long long)r->group, (long long)r->row[0], r->n_rows, datasets) >= (int)bytes)
        return skv_fail(SKV_E_ARG, "digests that are no digests: %s, %s", r->config_digest,
                        r->path_digest);
    return SKV_OK;
}

/* Error texts may have been cut within a character. New list; one block. */
static skv_status clean_errors(const char ***out, const skv_group_record *r)
{
    const char **list = NULL;
    size_t bytes = 0;
    char *at;

    for (int i = 0; i < r->n_rows; i++)
        bytes += strlen(r->error[i]) + 1;
    SKV_TRY(skv_alloc(&list, (size_t)r->n_rows * sizeof *list + bytes, 1, "error texts"));
    at = (char *)(list + r->n_rows);
    for (int i = 0; i < r->n_rows; i++) {
        const size_t n = strlen(r->error[i]);

        memcpy(at, r->error[i], n);
        if (!skv_utf8_is_valid(at, n))
            for (size_t k = 0; k < n; k++)
                if ((unsigned char)at[k] >= 0x80)
                    at[k] = '?';
        list[i] = at;
        at += n + 1;
    }
    *out = list;
    return SKV_OK;
}

static skv_status write_all(skv_h5 *f, const skv_group_record *r, const char *datasets)
{
    for (size_t i = 0; i < N_TABLE; i++) {
        const void *data = data_of(r, &table[i]);
        const skv_h5_layout l = layout_of(&table[i], r);
        char name[64];

        snprintf(name, sizeof name, "/%s", table[i].name);
        if (data)
            SKV_TRY(skv_h5_write(f, name, &l, data));
    }
    if (r->bits)
        SKV_TRY(skv_h5_set_ints(f, "/bits", "bit_offset", r->bit_offset, r->n_scales + 1));
    return write_header(f, r, datasets);
}

/* The file on disk holds what was meant: every CRC-32, and that of the attributes, is the record's.
 */
static skv_status verify(const char *file, const skv_group_record *meant, const char *datasets)
{
    skv_status st = SKV_OK;
    skv_group_record found;
    int64_t crc = 0;

    SKV_TRY(skv_group_file_read(&found, file, SKV_GROUP_ALL));
    SKV_TRY_GOTO(header_crc(&crc, meant, datasets), done);
    if (crc != found.owned->crc)
        st = skv_fail(SKV_E_IO, "%s: read back, the file is not what was written", file);
done:
    skv_group_record_clear(&found);
    return st;
}

skv_status skv_group_file_write(const char *file, const skv_group_record *rec)
{
    skv_status st = SKV_OK;
    skv_group_record r = *rec;
    skv_h5 *f = NULL;
    const char **errors = NULL;
    char datasets[512], label[SKV_H5_MAX_LABEL];

    SKV_TRY(check_record(rec, file));
    list_datasets(datasets, sizeof datasets, rec);
    SKV_TRY(make_label(label, sizeof label, rec, datasets));
    SKV_TRY_GOTO(clean_errors(&errors, rec), done);
    r.error = errors;
    SKV_TRY_GOTO(skv_h5_create_sealed(&f, file, label), done);
    SKV_TRY_GOTO(write_all(f, &r, datasets), done);
    SKV_TRY_GOTO(skv_h5_seal(f), done);
    SKV_TRY_GOTO(verify(skv_h5_aside(f), &r, datasets), done);
    st = skv_h5_commit(&f);
done:
    skv_h5_close(f);
    free(errors);
    return st;
}

/* The record owns p from now on. */
static void own(skv_group_record *r, void *p)
{
    r->owned->block[r->owned->n++] = p;
}

void skv_group_record_clear(skv_group_record *rec)
{
    if (rec->owned) {
        for (int i = 0; i < rec->owned->n; i++)
            free(rec->owned->block[i]);
        free(rec->owned);
    }
    memset(rec, 0, sizeof *rec);
}

static skv_status read_number(skv_group_record *r, skv_h5 *f, const number *k, const char *file)
{
    int64_t v = 0;
    int small;

    SKV_TRY(skv_h5_get_int(&v, f, "/", k->key));
    if (v < k->low || v > k->high)
        return skv_fail(SKV_E_FORMAT, "%s: %s is %lld, %d to %d are possible", file, k->key,
                        (long long)v, k->low, k->high);
    small = (int)v;
    memcpy((char *)r + k->offset, &small, sizeof small);
    return SKV_OK;
}

static skv_status read_word(skv_group_record *r, skv_h5 *f, const char *key, size_t offset)
{
    char *v = NULL;

    SKV_TRY(skv_h5_get_text(&v, f, "/", key));
    own(r, v);
    memcpy((char *)r + offset, &v, sizeof v);
    return SKV_OK;
}

static skv_status read_offsets(skv_group_record *r, skv_h5 *f, const char *file)
{
    int64_t *v = NULL;
    int n = 0;

    SKV_TRY(skv_h5_get_ints(&v, &n, f, "/bits", "bit_offset"));
    own(r, v);
    r->bit_offset = v;
    if (n != r->n_scales + 1)
        return skv_fail(SKV_E_FORMAT, "%s: bit_offset has %d values, want %d", file, n,
                        r->n_scales + 1);
    return SKV_OK;
}

static skv_status read_header(skv_group_record *r, skv_h5 *f, const char *file)
{
    char *kind = NULL;
    int64_t first = 0, crc = 0;
    bool known;

    SKV_TRY(skv_h5_get_text(&kind, f, "/", "kind"));
    known = strcmp(kind, KIND) == 0;
    free(kind);
    if (!known)
        return skv_fail(SKV_E_FORMAT, "%s: not a group file of this version", file);
    for (size_t i = 0; i < N_WORDS; i++)
        SKV_TRY(read_word(r, f, words[i].key, words[i].offset));
    for (size_t i = 0; i < N_NUMBERS; i++)
        SKV_TRY(read_number(r, f, &numbers[i], file));
    SKV_TRY(skv_h5_get_int(&r->group, f, "/", "group"));
    SKV_TRY(skv_h5_get_int(&r->bits_bytes, f, "/", "bits_bytes"));
    SKV_TRY(skv_h5_get_int(&first, f, "/", "first"));
    r->first = first != 0;
    SKV_TRY(skv_h5_get_text(&r->owned->datasets, f, "/", "datasets"));
    own(r, r->owned->datasets);
    SKV_TRY(check_numbers(r, file, SKV_E_FORMAT));
    if (is_listed(r->owned->datasets, "bits"))
        SKV_TRY(read_offsets(r, f, file));
    SKV_TRY(skv_h5_get_int(&r->owned->crc, f, "/", "header_crc32"));
    SKV_TRY(header_crc(&crc, r, r->owned->datasets));
    if (crc != r->owned->crc)
        return skv_fail(SKV_E_FORMAT, "%s: the attributes do not have the checksum noted with them",
                        file);
    return SKV_OK;
}

static skv_status read_set(skv_group_record *r, skv_h5 *f, const dataset *d)
{
    skv_h5_layout want = layout_of(d, r);
    char name[64];
    void *data = NULL;

    snprintf(name, sizeof name, "/%s", d->name);
    SKV_TRY(skv_h5_read(&data, f, name, &want, MAX_READ, true));
    own(r, data);
    if (d->offset == AT(budget))
        r->budget = *(const char *const *)data;
    else
        memcpy((char *)r + d->offset, &data, sizeof data);
    return SKV_OK;
}

skv_status skv_group_file_read(skv_group_record *rec, const char *file, unsigned parts)
{
    skv_status st = SKV_OK;
    skv_h5 *f = NULL;

    memset(rec, 0, sizeof *rec);
    SKV_TRY(skv_h5_open_sealed(&f, file));
    SKV_TRY_GOTO(skv_alloc(&rec->owned, 1, sizeof *rec->owned, "a group record"), done);
    SKV_TRY_GOTO(read_header(rec, f, file), done);
    for (size_t i = 0; i < N_TABLE; i++) {
        const bool wanted = table[i].part == 0 || (parts & table[i].part);

        if (!wanted)
            continue;
        if (is_listed(rec->owned->datasets, table[i].name))
            SKV_TRY_GOTO(read_set(rec, f, &table[i]), done);
        else if (table[i].part == SKV_GROUP_ROWS) {
            st = skv_fail(SKV_E_FORMAT, "%s: there is no %s", file, table[i].name);
            goto done;
        }
    }
done:
    skv_h5_close(f);
    if (st != SKV_OK)
        skv_group_record_clear(rec);
    return st;
}

/* Cuts the next line off *text; "" when there is none. */
static char *next_line(char **text)
{
    char *line = *text;
    char *end = strchr(line, '\n');

    *text = end ? end + 1 : line + strlen(line);
    if (end)
        *end = '\0';
    return line;
}

static skv_group_state compare(char *label, const char *file, const skv_group_want *want)
{
    char place[64];
    const char *differs = NULL, *datasets;

    snprintf(place, sizeof place, "%lld %lld %d", (long long)want->group,
             (long long)want->first_row, want->n_rows);
    if (strcmp(next_line(&label), KIND) != 0)
        differs = "version of this program";
    else if (strcmp(next_line(&label), want->config_digest) != 0)
        differs = "configuration";
    else if (strcmp(next_line(&label), want->path_digest) != 0)
        differs = "path";
    else if (strcmp(next_line(&label), place) != 0)
        differs = "cut into groups";
    if (differs) {
        (void)skv_fail(SKV_E_FORMAT, "%s: made with another %s", file, differs);
        return SKV_GROUP_FOREIGN;
    }
    datasets = next_line(&label);
    for (size_t i = 0; i < N_TABLE; i++) {
        const bool is_part = table[i].part & (SKV_GROUP_BITS | SKV_GROUP_IMAGE);

        if (is_part && (want->parts & table[i].part) && !is_listed(datasets, table[i].name)) {
            (void)skv_fail(SKV_E_NOTFOUND, "%s: there is no %s", file, table[i].name);
            return SKV_GROUP_LACKING;
        }
    }
    return SKV_GROUP_GOOD;
}

skv_status skv_group_file_check(skv_group_state *state, const char *file,
                                const skv_group_want *want)
{
    skv_group_record r;
    char *label = NULL;
    skv_status st = skv_h5_read_label(&label, file);

    if (st == SKV_OK)
        *state = compare(label, file, want);
    else if (st == SKV_E_NOTFOUND)
        *state = SKV_GROUP_ABSENT;
    else if (st == SKV_E_FORMAT)
        *state = SKV_GROUP_DAMAGED;
    else
        return st;
    free(label);
    if (!want->deep || *state == SKV_GROUP_ABSENT || *state == SKV_GROUP_DAMAGED)
        return SKV_OK;
    st = skv_group_file_read(&r, file, SKV_GROUP_ALL);
    if (st == SKV_E_MEM || st == SKV_E_IO)
        return st;
    if (st != SKV_OK)
        *state = SKV_GROUP_DAMAGED;
    skv_group_record_clear(&r);
    return SKV_OK;
}
