/* Writing group files: in memory, aside, read back, renamed. */
#include "run/group_file.h"
#include "run/group_format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"

#define SET_ASIDE_BYTES 64

/* Checks that the required members are there, and that members are given together. */
static skv_status check_record(const skv_group_record *r, const char *file)
{
    for (size_t i = 0; i < SKV_GROUP__N_ATTRIBUTES; i++) {
        const skv_group__attribute *a = &skv_group__attributes[i];

        if (a->kind == SKV_GROUP__TEXT && !skv_group__member(r, a->member))
            return skv_fail(SKV_E_ARG, "%s: a record without %s", file, a->name);
        if (a->kind != SKV_GROUP__TEXT)
            SKV_TRY(skv_group__check_number(skv_group__number(r, a), a, file, SKV_E_ARG));
    }
    for (skv_set s = 0; s < SKV_N_SETS; s++)
        if (skv_schema[s].part == SKV_GROUP_ROWS && !skv_group__data(r, s))
            return skv_fail(SKV_E_ARG, "%s: a record without %s", file, skv_schema[s].name);
    if (!r->budget || !skv_path_name_is_valid(r->path_name))
        return skv_fail(SKV_E_ARG, "%s: a record without budget or path name", file);
    if (!r->bits != !r->bit_offset || !r->cache_length != !r->cache_capacity ||
        !r->cache_length != !r->cache_bytes || !r->seconds != !r->phase_names)
        return skv_fail(SKV_E_ARG, "%s: a record with half of its bits, cache or seconds", file);
    return SKV_OK;
}

/* Lines: SKV_GROUP__KIND, config digest, path digest, "group first_row n_rows", and the names of
 * the datasets, with a blank before and after each. */
static skv_status make_label(char *out, size_t bytes, const skv_group_record *r)
{
    size_t n;

    if (strpbrk(r->config_digest, "\n") || strpbrk(r->path_digest, "\n") ||
        strlen(r->config_digest) + strlen(r->path_digest) > bytes / 2)
        return skv_fail(SKV_E_ARG, "group %lld of path %s: a digest is too long or has two lines",
                        (long long)r->group, r->path_name);
    n = (size_t)snprintf(out, bytes, SKV_GROUP__KIND "\n%s\n%s\n%lld %lld %d\n ", r->config_digest,
                         r->path_digest, (long long)r->group, (long long)r->row[0], r->n_rows);
    for (skv_set s = 0; s < SKV_N_SETS; s++)
        if (skv_group__data(r, s))
            n += (size_t)snprintf(out + n, bytes - n, "%s ", skv_schema[s].name);
    snprintf(out + n, bytes - n, "\n");
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

static skv_status write_phases(skv_h5 *f, const skv_group_record *r)
{
    char text[SKV_GROUP__PHASES_BYTES];

    SKV_TRY(skv_group__join_phases(text, r));
    return skv_h5_set_text(f, skv_schema_in_group(SKV_SET_SECONDS).text, SKV_ATTR_PHASES, text);
}

static skv_status write_attributes(skv_h5 *f, const skv_group_record *r)
{
    SKV_TRY(skv_h5_set_text(f, "/", "kind", SKV_GROUP__KIND));
    for (size_t i = 0; i < SKV_GROUP__N_ATTRIBUTES; i++) {
        const skv_group__attribute *a = &skv_group__attributes[i];

        if (a->kind == SKV_GROUP__TEXT)
            SKV_TRY(skv_h5_set_text(f, "/", a->name, skv_group__member(r, a->member)));
        else
            SKV_TRY(skv_h5_set_int(f, "/", a->name, skv_group__number(r, a)));
    }
    if (r->bits)
        SKV_TRY(skv_h5_set_ints(f, skv_schema_in_group(SKV_SET_BITS).text, SKV_ATTR_SCALE_OFFSET,
                                r->bit_offset, r->n_scales + 1));
    return r->seconds ? write_phases(f, r) : SKV_OK;
}

static skv_status write_record(skv_h5 *f, const skv_group_record *r)
{
    const skv_extents e = skv_group__extents(r);

    for (skv_set s = 0; s < SKV_N_SETS; s++) {
        const skv_h5_layout l = skv_schema_group_layout(s, &e);
        const void *data = skv_group__data(r, s);

        if (data)
            SKV_TRY(skv_h5_write(f, skv_schema_in_group(s).text, &l, data));
    }
    return write_attributes(f, r);
}

/* Only a regular file can be replaced by renaming another one to its name. */
static skv_status make_room(const skv_run_name *file)
{
    struct stat info;
    const char *name;
    int folder = -1, there;

    SKV_TRY(skv_folder_of(&folder, &name, file->path, file->n_below));
    there = fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
    close(folder);
    return there && !S_ISREG(info.st_mode) ? skv_group_file_set_aside(file) : SKV_OK;
}

/* The damaged file that was set aside is of no more use once its group is whole again. */
static void drop_set_aside(const skv_run_name *file)
{
    char aside[SET_ASIDE_BYTES];
    const char *name;
    int folder = -1;

    if (skv_folder_of(&folder, &name, file->path, file->n_below) != SKV_OK)
        return;
    snprintf(aside, sizeof aside, "%.48s.damaged", name);
    if (unlinkat(folder, aside, 0) != 0)
        (void)unlinkat(folder, aside, AT_REMOVEDIR);
    close(folder);
}

skv_status skv_group_file_write(const skv_run_name *file, const skv_group_record *rec)
{
    skv_status st = SKV_OK;
    skv_group_record r = *rec;
    skv_h5 *f = NULL;
    const char **errors = NULL;
    char label[SKV_H5_MAX_LABEL];

    SKV_TRY(check_record(rec, file->path));
    SKV_TRY(make_label(label, sizeof label, rec));
    SKV_TRY_GOTO(clean_errors(&errors, rec), done);
    r.error = errors;
    SKV_TRY_GOTO(skv_run_name_make_folder(file), done);
    SKV_TRY_GOTO(skv_h5_create_sealed(&f, file->path, file->n_below, label), done);
    SKV_TRY_GOTO(write_record(f, &r), done);
    SKV_TRY_GOTO(make_room(file), done);
    st = skv_h5_commit(&f);
    if (st == SKV_OK)
        drop_set_aside(file);
done:
    skv_h5_close(f);
    free(errors);
    return st;
}

skv_status skv_group_file_set_aside(const skv_run_name *file)
{
    char aside[SET_ASIDE_BYTES];
    const char *name;
    skv_status st = SKV_OK;
    int folder = -1;

    SKV_TRY(skv_folder_of(&folder, &name, file->path, file->n_below));
    snprintf(aside, sizeof aside, "%.48s.damaged", name);
    /* a folder and a file do not replace one another */
    if (renameat(folder, name, folder, aside) != 0 &&
        ((unlinkat(folder, aside, 0) != 0 && unlinkat(folder, aside, AT_REMOVEDIR) != 0) ||
         renameat(folder, name, folder, aside) != 0))
        st = skv_fail(SKV_E_IO, "%s: cannot be set aside as %s: %s", file->path, aside,
                      strerror(errno));
    if (st == SKV_OK)
        st = skv_folder_sync(folder, file->path);
    close(folder);
    return st;
}
