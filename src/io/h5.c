/* New files: made aside, sealed, read back, committed. Those that fit are built in memory and
 * written by us: after a full disk inside the library it can neither close nor forget a file. */
#include "io/h5.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"
#include "io/h5_given.h"
#include "io/h5_handle.h"
#include "io/h5_seal.h"

#define MEMORY_STEP ((size_t)16 << 20) /* by which a file in memory grows */

static skv_status make_aside(skv_h5 *f)
{
    const size_t bytes = strlen(f->path) + sizeof f->made.aside;

    SKV_TRY(skv_aside_create(&f->made, f->path, f->n_below));
    if (fstat(f->made.fd, &f->new) != 0)
        return skv_fail(SKV_E_IO, "%s: cannot look at it: %s", f->path, strerror(errno));
    SKV_TRY(skv_alloc(&f->aside, bytes, 1, f->path));
    snprintf(f->aside, bytes, "%.*s%s", (int)(f->made.name - f->path), f->path, f->made.aside);
    return SKV_OK;
}

static skv_status create(skv_h5 **out, const char *path, int n_below, const char *label)
{
    skv_status st = SKV_OK;
    skv_h5 *f = NULL;
    hid_t how = -1, make = -1;
    char name[SKV_H5__FD_NAME];

    SKV_TRY(skv_h5__new(&f, path));
    f->n_below = n_below;
    SKV_TRY_GOTO(make_aside(f), done);
    skv_h5__name_of_fd(name, f->made.fd); /* of a file in memory: a name that it needs */
    if (label)
        SKV_TRY_GOTO(skv_text_copy(&f->label, label), done);
    how = H5Pcreate(H5P_FILE_ACCESS);
    make = H5Pcreate(H5P_FILE_CREATE);
    /* without a sieve buffer: for each append it would first read what lies around */
    if (how < 0 || make < 0 || H5Pset_fclose_degree(how, H5F_CLOSE_STRONG) < 0 ||
        H5Pset_file_locking(how, false, true) < 0 || H5Pset_sieve_buf_size(how, 0) < 0 ||
        H5Pset_obj_track_times(make, false) < 0 ||
        (label && (H5Pset_fapl_core(how, MEMORY_STEP, false) < 0 ||
                   H5Pset_userblock(make, SKV_H5_LABEL_BYTES) < 0))) {
        st = skv_h5__fail(f, "cannot prepare");
        goto done;
    }
    f->file = H5Fcreate(name, H5F_ACC_TRUNC, make, how);
    if (f->file < 0)
        st = skv_h5__fail(f, "cannot create the file");
done:
    st = skv_h5__close(f, how, st);
    st = skv_h5__close(f, make, st);
    if (st == SKV_OK)
        *out = f;
    else
        skv_h5_close(f);
    return st;
}

skv_status skv_h5_create(skv_h5 **out, const char *path)
{
    return create(out, path, 0, NULL);
}

skv_status skv_h5_create_sealed(skv_h5 **out, const char *path, int n_below, const char *label)
{
    if (label[0] == '/' || strlen(label) > SKV_H5_MAX_LABEL)
        return skv_fail(SKV_E_ARG, "%s: not a label: %s", path, label);
    return create(out, path, n_below, label);
}

static skv_status close_file(skv_h5 *f)
{
    const hid_t file = f->file;

    SKV_TRY(skv_h5__close_object(f, SKV_OK));
    f->file = -1;
    return H5Fclose(file) < 0 ? skv_h5__fail(f, "cannot close") : SKV_OK;
}

/* A file in memory, as bytes on disk: the library gives them without the block before them. */
static skv_status seal_memory(skv_h5 *f)
{
    skv_status st = SKV_OK;
    char *image = NULL;
    const ssize_t bytes = H5Fget_file_image(f->file, NULL, 0);

    if (bytes < 0)
        return skv_h5__fail(f, "cannot take the file from memory");
    SKV_TRY(skv_alloc(&image, SKV_H5_LABEL_BYTES + (size_t)bytes, 1, f->path));
    if (H5Fget_file_image(f->file, image + SKV_H5_LABEL_BYTES, (size_t)bytes) != bytes)
        st = skv_h5__fail(f, "cannot take the file from memory");
    else
        st = close_file(f);
    if (st == SKV_OK) {
        skv_h5__put_label(image, SKV_H5_LABEL_BYTES + (size_t)bytes, f->label, &f->new);
        st = skv_aside_write(&f->made, image, SKV_H5_LABEL_BYTES + (size_t)bytes);
    }
    free(image);
    return st;
}

static skv_status seal(skv_h5 *f)
{
    assert(f->aside);
    if (f->failed)
        return skv_fail(SKV_E_H5, "%s: an earlier write failed", f->path);
    SKV_TRY(skv_h5__note_sums(f));
    if (H5Fflush(f->file, H5F_SCOPE_GLOBAL) < 0)
        return skv_h5__fail(f, "cannot write");
    SKV_TRY(f->label ? seal_memory(f) : close_file(f));
    return skv_aside_sync(&f->made);
}

/* No need to have it looked at: what the library reads is what it wrote a moment ago in this
 * process, under a name that nobody else writes to. */
static skv_status open_own(skv_h5 **out, const skv_h5 *f)
{
    return skv_h5__enter(out, f->aside, &(skv_h5__entry){.fd = f->made.fd, .ours = true});
}

static skv_status read_back(skv_h5 *f)
{
    skv_h5 *written = NULL;
    skv_status st = SKV_OK;

    SKV_TRY(f->label ? skv_h5__open_own_sealed(&written, f->aside, f->n_below)
                     : open_own(&written, f));
    st = skv_h5__check_given(written, f);
    skv_h5_close(written);
    return st;
}

/* From now on the file shows what its block says (skv_h5_seal). Where the time cannot be set, the
 * file is as good, but will be checked once more. */
static void show_as_made(const skv_h5 *f)
{
    (void)futimens(f->made.fd, (const struct timespec[]){{.tv_nsec = UTIME_OMIT}, f->new.st_mtim});
}

skv_status skv_h5_commit(skv_h5 **f)
{
    skv_status st = seal(*f);

    if (st == SKV_OK)
        st = read_back(*f);
    if (st == SKV_OK && (*f)->label)
        show_as_made(*f);
    if (st == SKV_OK)
        st = skv_aside_commit(&(*f)->made);
    skv_h5_close(*f);
    *f = NULL;
    return st;
}
