/* Files: made aside, sealed, committed; opened for reading.
 *
 * A full disk inside the library leaves it with a file that it can neither close nor forget, and it
 * crashes on that at exit: so its exit handler is never installed, and files that fit are built in
 * memory and written by us. */
#include "io/h5.h"
#include "io/h5_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"

#define MEMORY_STEP ((size_t)16 << 20) /* by which a file in memory grows */

skv_status skv_h5_init(void)
{
    (void)H5dont_atexit(); /* refuses a second call */
    /* the error stack belongs to a thread, so this is done anew for each file */
    if (H5open() < 0 || H5Eset_auto2(H5E_DEFAULT, NULL, NULL) < 0 || H5PLset_loading_state(0) < 0)
        return skv_fail(SKV_E_H5, "HDF5: the library does not start");
    return SKV_OK;
}

typedef struct {
    char text[512];
    unsigned n;
} reasons;

/* Keeps the two innermost descriptions; of one that quotes the system ("..., errno = 28, error
 * message = 'No space left on device', buf = ...") the quotation alone. */
static herr_t add_reason(unsigned n, const H5E_error2_t *e, void *user)
{
    static const char quotes[] = "error message = '";
    reasons *r = user;
    const char *system = e->desc ? strstr(e->desc, quotes) : NULL;
    const size_t used = strlen(r->text);

    (void)n;
    if (r->n < 2 && system) {
        system += strlen(quotes);
        snprintf(r->text, sizeof r->text, "%.*s", (int)strcspn(system, "'"), system);
        r->n = 2;
    } else if (r->n++ < 2 && e->desc) {
        snprintf(r->text + used, sizeof r->text - used, "%s%s", used ? "; " : "", e->desc);
    }
    return 0;
}

skv_status skv_h5__fail_at(const skv_h5 *f, const char *file, int line, const char *fmt, ...)
{
    char text[1024];
    reasons r = {"", 0};
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, add_reason, &r);
    H5Eclear2(H5E_DEFAULT);
    return skv_fail_at(SKV_E_H5, file, line, "%s: %s%s%s", f->path, text, r.text[0] ? ": " : "",
                       r.text);
}

static herr_t close_object(hid_t id)
{
    switch (H5Iget_type(id)) {
    case H5I_DATASET:
        return H5Dclose(id);
    case H5I_DATASPACE:
        return H5Sclose(id);
    case H5I_DATATYPE:
        return H5Tclose(id);
    case H5I_ATTR:
        return H5Aclose(id);
    case H5I_GENPROP_LST:
        return H5Pclose(id);
    default:
        return H5Oclose(id);
    }
}

skv_status skv_h5__close(const skv_h5 *f, hid_t id, skv_status st)
{
    if (id < 0 || close_object(id) >= 0)
        return st;
    if (st == SKV_OK)
        return skv_h5__fail(f, f->aside ? "cannot write" : "cannot close an object of the file");
    H5Eclear2(H5E_DEFAULT);
    return st;
}

skv_status skv_h5__new(skv_h5 **out, const char *path)
{
    skv_status st;
    skv_h5 *f = NULL;

    SKV_TRY(skv_h5_init());
    SKV_TRY(skv_alloc(&f, 1, sizeof *f, "an HDF5 file"));
    f->file = -1;
    f->made = (skv_aside){.fd = -1, .folder = -1};
    st = skv_path_join(&f->path, NULL, path);
    if (st != SKV_OK) {
        skv_h5_close(f);
        return st;
    }
    *out = f;
    return SKV_OK;
}

void skv_h5__name_of_fd(char *out, int fd)
{
    snprintf(out, SKV_H5__FD_NAME, "/proc/self/fd/%d", fd); /* leaves room for a suffix */
}

static skv_status make_aside(skv_h5 *f, int n_below)
{
    const size_t bytes = strlen(f->path) + sizeof f->made.aside;

    SKV_TRY(skv_aside_create(&f->made, f->path, n_below));
    SKV_TRY(skv_alloc(&f->aside, bytes, 1, f->path));
    snprintf(f->aside, bytes, "%.*s%s", (int)(f->made.name - f->path), f->path, f->made.aside);
    return SKV_OK;
}

static skv_status create(skv_h5 **out, const char *path, const char *label)
{
    skv_status st = SKV_OK;
    skv_h5 *f = NULL;
    hid_t how = -1, make = -1;
    char name[SKV_H5__FD_NAME];

    SKV_TRY(skv_h5__new(&f, path));
    SKV_TRY_GOTO(make_aside(f, label ? SKV_H5__SEALED_BELOW : 0), done);
    skv_h5__name_of_fd(name, f->made.fd); /* of a file in memory: a name that it needs */
    if (label)
        SKV_TRY_GOTO(skv_path_join(&f->label, NULL, label), done);
    how = H5Pcreate(H5P_FILE_ACCESS);
    make = H5Pcreate(H5P_FILE_CREATE);
    if (how < 0 || make < 0 || H5Pset_fclose_degree(how, H5F_CLOSE_STRONG) < 0 ||
        H5Pset_file_locking(how, false, true) < 0 || H5Pset_obj_track_times(make, false) < 0 ||
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
    return create(out, path, NULL);
}

skv_status skv_h5_create_sealed(skv_h5 **out, const char *path, const char *label)
{
    if (label[0] == '/' || strlen(label) > SKV_H5_MAX_LABEL)
        return skv_fail(SKV_E_ARG, "%s: not a label: %s", path, label);
    return create(out, path, label);
}

static hid_t how_to_open(const skv_h5__entry *entry)
{
    const hid_t how = H5Pcreate(H5P_FILE_ACCESS);
    bool good = how >= 0 && H5Pset_fclose_degree(how, H5F_CLOSE_STRONG) >= 0;

    if (entry->bytes) /* the library makes a copy */
        good = good && H5Pset_fapl_core(how, (size_t)1 << 20, false) >= 0 &&
               H5Pset_file_image(how, (void *)(uintptr_t)entry->bytes, entry->n) >= 0;
    else
        good = good && H5Pset_file_locking(how, false, true) >= 0;
    if (good)
        return how;
    if (how >= 0)
        H5Pclose(how);
    return -1;
}

skv_status skv_h5__enter(skv_h5 **out, const char *path, const skv_h5__entry *entry)
{
    skv_status st = SKV_OK;
    skv_h5 *f = NULL;
    hid_t how = -1;
    struct stat info = {0};
    char name[SKV_H5__FD_NAME];

    if (!entry->ours)
        SKV_TRY(skv_h5__ask(entry->fd, path, entry->bytes != NULL));
    SKV_TRY(skv_h5__new(&f, path));
    if (fstat(entry->fd, &info) != 0) {
        st = skv_fail(SKV_E_IO, "%s: cannot read: %s", path, strerror(errno));
        goto done;
    }
    f->length = (uint64_t)info.st_size;
    how = how_to_open(entry);
    if (how < 0) {
        st = skv_h5__fail(f, "cannot prepare");
        goto done;
    }
    skv_h5__name_of_fd(name, entry->fd);
    if (entry->bytes)
        strcat(name, "/image"); /* the library wants a name that no file has */
    f->file = H5Fopen(name, H5F_ACC_RDONLY, how);
    if (f->file < 0)
        st = skv_h5__fail(f, "not a whole HDF5 file");
done:
    st = skv_h5__close(f, how, st);
    if (st == SKV_OK)
        *out = f;
    else
        skv_h5_close(f);
    return st;
}

skv_status skv_h5_open_below(skv_h5 **out, const char *path, int n_below)
{
    skv_h5__entry entry = {.fd = -1};
    skv_status st;

    SKV_TRY(skv_file_open(&entry.fd, path, n_below));
    st = skv_h5__enter(out, path, &entry);
    close(entry.fd);
    return st;
}

skv_status skv_h5__open_own(skv_h5 **out, const skv_h5 *written)
{
    return skv_h5__enter(out, written->aside,
                         &(skv_h5__entry){.fd = written->made.fd, .ours = true});
}

skv_status skv_h5_open(skv_h5 **out, const char *path)
{
    return skv_h5_open_below(out, path, 0);
}

static skv_status close_file(skv_h5 *f)
{
    const hid_t file = f->file;

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
        skv_h5__put_label(image, SKV_H5_LABEL_BYTES + (size_t)bytes, f->label);
        st = skv_aside_write(&f->made, image, SKV_H5_LABEL_BYTES + (size_t)bytes);
    }
    free(image);
    return st;
}

static skv_status seal(skv_h5 *f)
{
    SKV_TRY(skv_h5__note_sums(f));
    if (H5Fflush(f->file, H5F_SCOPE_GLOBAL) < 0)
        return skv_h5__fail(f, "cannot write");
    SKV_TRY(f->label ? seal_memory(f) : close_file(f));
    return skv_aside_sync(&f->made);
}

skv_status skv_h5__seal(skv_h5 *f)
{
    skv_status st = SKV_OK;

    assert(f->aside);
    if (f->failed)
        return skv_fail(SKV_E_H5, "%s: an earlier write failed", f->path);
    if (f->file >= 0)
        st = seal(f);
    f->failed = st != SKV_OK;
    return st;
}

skv_status skv_h5_commit(skv_h5 **f)
{
    skv_status st = skv_h5__seal(*f);

    if (st == SKV_OK)
        st = skv_aside_commit(&(*f)->made);
    skv_h5_close(*f);
    *f = NULL;
    return st;
}

void skv_h5_close(skv_h5 *f)
{
    if (!f)
        return;
    if (f->file >= 0 && H5Fclose(f->file) < 0)
        H5Eclear2(H5E_DEFAULT);
    skv_aside_drop(&f->made);
    skv_h5__forget(f);
    free(f->aside);
    free(f->label);
    free(f->path);
    free(f);
}
