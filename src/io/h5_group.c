#include "io/h5_group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"
#include "core/folder.h"
#include "core/mem.h"
#include "core/text.h"
#include "io/h5_handle.h"

#define MAX_NAME    1024
#define MAX_MEMBER  4096 /* bytes of a member's name */
#define MAX_MEMBERS 1000000

/* Whether it stands below a dataset, where nothing can be, or be looked up. */
static bool is_below_dataset(const skv_h5 *f, const char *name)
{
    char parent[MAX_NAME];
    H5O_info_t info;

    snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(name, '/') - name), name);
    return parent[0] != '\0' &&
           H5Oget_info_by_name2(f->file, parent, &info, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
           info.type == H5O_TYPE_DATASET;
}

/* The link at the first n bytes of name. */
static skv_status check_link(const skv_h5 *f, const char *name, size_t n)
{
    char part[MAX_NAME];
    H5L_info_t info;
    htri_t there;

    memcpy(part, name, n);
    part[n] = '\0';
    there = H5Lexists(f->file, part, H5P_DEFAULT);
    if (there < 0 && !is_below_dataset(f, part))
        return skv_h5__fail(f, "%s: cannot be looked up", part);
    if (there <= 0)
        return skv_fail(SKV_E_NOTFOUND, "%s: there is no %s", f->path, part);
    if (H5Lget_info(f->file, part, &info, H5P_DEFAULT) < 0)
        return skv_h5__fail(f, "%s: a link without description", part);
    if (info.type != H5L_TYPE_HARD)
        return skv_fail(SKV_E_UNSUPPORTED, "%s: %s: soft and external links are not accepted",
                        f->path, part);
    return SKV_OK;
}

skv_status skv_h5__check_links(skv_h5 *f, const char *name)
{
    if (strlen(name) >= MAX_NAME)
        return skv_fail(SKV_E_ARG, "%s: object name of %zu bytes", f->path, strlen(name));
    if (strcmp(name, "/") == 0)
        return SKV_OK;
    for (size_t i = 1; name[i - 1]; i++)
        if (name[i] == '/' || !name[i])
            SKV_TRY(check_link(f, name, i));
    return SKV_OK;
}

skv_status skv_h5__open_object(hid_t *id, skv_h5 *f, const char *name)
{
    if (f->object < 0 || strcmp(f->object_name, name) != 0) {
        SKV_TRY(skv_h5__close_object(f, SKV_OK));
        SKV_TRY(skv_h5__check_links(f, name));
        SKV_TRY(skv_text_copy(&f->object_name, name));
        f->object = H5Oopen(f->file, name, H5P_DEFAULT);
        if (f->object < 0)
            return skv_h5__fail(f, "%s: cannot open", name);
    }
    *id = f->object;
    return SKV_OK;
}

skv_status skv_h5_make_group(skv_h5 *f, const char *name)
{
    skv_status st = SKV_OK;
    const hid_t links = H5Pcreate(H5P_LINK_CREATE), how = H5Pcreate(H5P_GROUP_CREATE);
    hid_t group = -1;

    if (links < 0 || how < 0 || H5Pset_create_intermediate_group(links, 1) < 0 ||
        H5Pset_obj_track_times(how, false) < 0)
        st = skv_h5__fail(f, "%s: cannot prepare", name);
    else if ((group = H5Gcreate2(f->file, name, links, how, H5P_DEFAULT)) < 0)
        st = skv_h5__fail(f, "%s: cannot make the group", name);
    st = skv_h5__close(f, group, st);
    st = skv_h5__close(f, links, st);
    st = skv_h5__close(f, how, st);
    f->failed = f->failed || st != SKV_OK;
    return st;
}

skv_status skv_h5_has(bool *out, skv_h5 *f, const char *name)
{
    const skv_status st = skv_h5__check_links(f, name);
    H5O_info_t info;

    *out = false;
    if (st == SKV_E_NOTFOUND)
        return SKV_OK;
    SKV_TRY(st);
    if (H5Oget_info_by_name(f->file, name, &info, H5P_DEFAULT) < 0)
        return skv_h5__fail(f, "%s: cannot be opened", name);
    if (info.type != H5O_TYPE_DATASET)
        return skv_fail(SKV_E_FORMAT, "%s: %s is a group or a type, want a dataset", f->path, name);
    *out = true;
    return SKV_OK;
}

typedef struct {
    const char *path; /* of the file */
    skv_bytes names;  /* one behind the other, NUL-terminated */
    size_t n;
    skv_status st;
} member_list;

static herr_t add_member(hid_t group, const char *name, const H5L_info_t *info, void *list)
{
    member_list *l = list;

    (void)group;
    (void)info;
    l->st = strlen(name) > MAX_MEMBER
                ? skv_fail(SKV_E_FORMAT, "%s: a member's name of %zu bytes", l->path, strlen(name))
                : skv_bytes_add(&l->names, name, strlen(name) + 1, "names of members");
    l->n++;
    return l->st == SKV_OK ? 0 : -1;
}

/* One block: the pointers, then the names. */
static skv_status make_list(char ***out, const member_list *l, const char *group)
{
    char **list = NULL, *at;

    SKV_TRY(skv_alloc(&list, l->n * sizeof *list + l->names.n + 1, 1, group));
    at = (char *)(list + l->n);
    if (l->n > 0)
        memcpy(at, l->names.data, l->names.n);
    for (size_t i = 0; i < l->n; i++, at += strlen(at) + 1)
        list[i] = at;
    *out = list;
    return SKV_OK;
}

skv_status skv_h5_list(char ***out, int *n, skv_h5 *f, const char *group)
{
    member_list l = {.path = f->path, .st = SKV_OK};
    H5G_info_t info;
    skv_status st = SKV_OK;
    hid_t g;

    SKV_TRY(skv_h5__check_links(f, group));
    g = H5Gopen2(f->file, group, H5P_DEFAULT);
    if (g < 0 || H5Gget_info(g, &info) < 0 || info.nlinks > MAX_MEMBERS)
        st = skv_h5__fail(f, "%s: not a group that can be listed", group);
    else if (H5Literate(g, H5_INDEX_NAME, H5_ITER_INC, NULL, add_member, &l) < 0)
        st = l.st != SKV_OK ? l.st : skv_h5__fail(f, "%s: cannot list its members", group);
    st = skv_h5__close(f, g, st);
    if (st == SKV_OK)
        st = make_list(out, &l, group);
    *n = (int)l.n;
    skv_bytes_clear(&l.names);
    return st;
}
