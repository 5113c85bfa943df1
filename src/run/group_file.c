/* Writing group files: in memory, aside, read back, renamed. */
#include "run/group_file.h"
#include "run/group_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "io/prompts.h"

/* " row id prompt ", of what the record has. */
static void list_datasets(char *out, size_t bytes, const skv_group_record *r)
{
    size_t used = (size_t)snprintf(out, bytes, " ");

    for (size_t i = 0; i < SKV_GROUP__N_SETS; i++)
        if (skv_group__data_of(r, &skv_group__sets[i]))
            used += (size_t)snprintf(out + used, bytes - used, "%s ", skv_group__sets[i].name);
}

/* What must be given, and together. */
static skv_status check_record(const skv_group_record *r, const char *file)
{
    for (size_t i = 0; i < SKV_GROUP__N_WORDS; i++)
        if (!skv_group__member(r, skv_group__words[i].offset))
            return skv_fail(SKV_E_ARG, "%s: a record without %s", file, skv_group__words[i].key);
    for (size_t i = 0; i < SKV_GROUP__N_SETS; i++)
        if (skv_group__sets[i].part == SKV_GROUP_ROWS &&
            !skv_group__data_of(r, &skv_group__sets[i]))
            return skv_fail(SKV_E_ARG, "%s: a record without %s", file, skv_group__sets[i].name);
    if (!r->budget || !skv_group__names_path(r->path_name))
        return skv_fail(SKV_E_ARG, "%s: a record without budget or path name", file);
    if (!r->bits != !r->bit_offset || !r->cache_length != !r->cache_capacity ||
        !r->cache_length != !r->cache_bytes || !r->seconds != !r->phase_names)
        return skv_fail(SKV_E_ARG, "%s: a record with half of its bits, cache or seconds", file);
    return skv_group__check_numbers(r, file, SKV_E_ARG);
}

static skv_status write_header(skv_h5 *f, const skv_group_record *r, const char *datasets)
{
    int64_t crc = 0;

    SKV_TRY(skv_group__header_crc(&crc, r, datasets));
    SKV_TRY(skv_h5_set_text(f, "/", "kind", SKV_GROUP__KIND));
    for (size_t i = 0; i < SKV_GROUP__N_WORDS; i++)
        SKV_TRY(skv_h5_set_text(f, "/", skv_group__words[i].key,
                                skv_group__member(r, skv_group__words[i].offset)));
    for (size_t i = 0; i < SKV_GROUP__N_NUMBERS; i++)
        SKV_TRY(skv_h5_set_int(f, "/", skv_group__numbers[i].key,
                               skv_group__number_of(r, &skv_group__numbers[i])));
    SKV_TRY(skv_h5_set_int(f, "/", "group", r->group));
    SKV_TRY(skv_h5_set_int(f, "/", "bits_bytes", r->bits_bytes));
    SKV_TRY(skv_h5_set_int(f, "/", "first", r->first));
    SKV_TRY(skv_h5_set_text(f, "/", "datasets", datasets));
    if (r->pool_planned != 0 || r->pool_peak != 0) {
        SKV_TRY(skv_h5_set_int(f, "/", "pool_bytes_planned", r->pool_planned));
        SKV_TRY(skv_h5_set_int(f, "/", "pool_bytes_peak", r->pool_peak));
    }
    return skv_h5_set_int(f, "/", "header_crc32", crc);
}

/* Lines: SKV_GROUP__KIND, config digest, path digest, "group first_row n_rows", datasets. */
static skv_status make_label(char *out, size_t bytes, const skv_group_record *r,
                             const char *datasets)
{
    if (strpbrk(r->config_digest, "\n") || strpbrk(r->path_digest, "\n") ||
        snprintf(out, bytes, SKV_GROUP__KIND "\n%s\n%s\n%lld %lld %d\n%s\n", r->config_digest,
                 r->path_digest, (long long)r->group, (long long)r->row[0], r->n_rows,
                 datasets) >= (int)bytes)
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
    for (size_t i = 0; i < SKV_GROUP__N_SETS; i++) {
        const void *data = skv_group__data_of(r, &skv_group__sets[i]);
        const skv_h5_layout l = skv_group__layout_of(&skv_group__sets[i], r);
        char name[64];

        snprintf(name, sizeof name, "/%s", skv_group__sets[i].name);
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
    SKV_TRY_GOTO(skv_group__header_crc(&crc, meant, datasets), done);
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
