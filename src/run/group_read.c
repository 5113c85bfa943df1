/* Reading group files, and telling what one is. */
#include "run/group_file.h"
#include "run/group_format.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define MAX_READ ((size_t)64 << 30)

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

static skv_status read_number(skv_group_record *r, skv_h5 *f, const skv_group__number *k,
                              const char *file)
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

/* Absent: not known. Range of no concern: the header's CRC-32 covers them. */
static skv_status read_pool(int64_t *out, skv_h5 *f, const char *key)
{
    const skv_status st = skv_h5_get_int(out, f, "/", key);

    if (st != SKV_E_NOTFOUND)
        return st;
    *out = 0;
    return SKV_OK;
}

static skv_status read_header(skv_group_record *r, skv_h5 *f, const char *file)
{
    char *kind = NULL;
    int64_t first = 0, crc = 0;
    bool known;

    SKV_TRY(skv_h5_get_text(&kind, f, "/", "kind"));
    known = strcmp(kind, SKV_GROUP__KIND) == 0;
    free(kind);
    if (!known)
        return skv_fail(SKV_E_FORMAT, "%s: not a group file of this version", file);
    for (size_t i = 0; i < SKV_GROUP__N_WORDS; i++)
        SKV_TRY(read_word(r, f, skv_group__words[i].key, skv_group__words[i].offset));
    for (size_t i = 0; i < SKV_GROUP__N_NUMBERS; i++)
        SKV_TRY(read_number(r, f, &skv_group__numbers[i], file));
    SKV_TRY(skv_h5_get_int(&r->group, f, "/", "group"));
    SKV_TRY(skv_h5_get_int(&r->bits_bytes, f, "/", "bits_bytes"));
    SKV_TRY(skv_h5_get_int(&first, f, "/", "first"));
    r->first = first != 0;
    SKV_TRY(read_pool(&r->pool_planned, f, "pool_bytes_planned"));
    SKV_TRY(read_pool(&r->pool_peak, f, "pool_bytes_peak"));
    SKV_TRY(skv_h5_get_text(&r->owned->datasets, f, "/", "datasets"));
    own(r, r->owned->datasets);
    SKV_TRY(skv_group__check_numbers(r, file, SKV_E_FORMAT));
    if (skv_group__is_listed(r->owned->datasets, "bits"))
        SKV_TRY(read_offsets(r, f, file));
    SKV_TRY(skv_h5_get_int(&r->owned->crc, f, "/", "header_crc32"));
    SKV_TRY(skv_group__header_crc(&crc, r, r->owned->datasets));
    if (crc != r->owned->crc)
        return skv_fail(SKV_E_FORMAT, "%s: the attributes do not have the checksum noted with them",
                        file);
    return SKV_OK;
}

static skv_status read_set(skv_group_record *r, skv_h5 *f, const skv_group__set *d)
{
    skv_h5_layout want = skv_group__layout_of(d, r);
    char name[64];
    void *data = NULL;

    snprintf(name, sizeof name, "/%s", d->name);
    SKV_TRY(skv_h5_read(&data, f, name, &want, MAX_READ, true));
    own(r, data);
    if (d->offset == SKV_GROUP__AT(budget))
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
    for (size_t i = 0; i < SKV_GROUP__N_SETS; i++) {
        const bool wanted = skv_group__sets[i].part == 0 || (parts & skv_group__sets[i].part);

        if (!wanted)
            continue;
        if (skv_group__is_listed(rec->owned->datasets, skv_group__sets[i].name))
            SKV_TRY_GOTO(read_set(rec, f, &skv_group__sets[i]), done);
        else if (skv_group__sets[i].part == SKV_GROUP_ROWS) {
            st = skv_fail(SKV_E_FORMAT, "%s: there is no %s", file, skv_group__sets[i].name);
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
    if (strcmp(next_line(&label), SKV_GROUP__KIND) != 0)
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
    for (size_t i = 0; i < SKV_GROUP__N_SETS; i++) {
        const bool is_part = skv_group__sets[i].part & (SKV_GROUP_BITS | SKV_GROUP_IMAGE);

        if (is_part && (want->parts & skv_group__sets[i].part) &&
            !skv_group__is_listed(datasets, skv_group__sets[i].name)) {
            (void)skv_fail(SKV_E_NOTFOUND, "%s: there is no %s", file, skv_group__sets[i].name);
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
