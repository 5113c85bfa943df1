#include "io/h5_open.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/known_file.h"
#include "io/h5_handle.h"
#include "io/h5_probe.h"
#include "io/h5_seal.h"

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
        SKV_TRY(skv_h5__ask(entry->fd, path, entry->bytes != NULL, ""));
    SKV_TRY(skv_h5__new(&f, path));
    if (fstat(entry->fd, &info) != 0) {
        st = skv_fail(SKV_E_IO, "%s: cannot read: %s", path, strerror(errno));
        goto done;
    }
    f->length = (uint64_t)info.st_size;
    how = how_to_open(entry);
    if (how < 0) {
        (void)skv_h5__fail(f, "HDF5 cannot prepare to open it");
        st = SKV_E_MEM; /* whatever the reason, the file is not damaged */
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

/* Refuses a file that is known to be of another kind, which the library would call damaged. */
static skv_status check_kind(int fd, const char *path)
{
    static const char signature[] = {'\x89', 'H', 'D', 'F'};
    char head[512];
    const char *is;
    ssize_t n = pread(fd, head, sizeof head, 0);

    if (n < (ssize_t)sizeof signature || memcmp(head, signature, sizeof signature) == 0)
        return SKV_OK; /* what cannot be read is the library's to say */
    is = skv_known_file(head, (size_t)n);
    return is ? skv_fail(SKV_E_FORMAT, "%s %s", path, is) : SKV_OK;
}

skv_status skv_h5_open_below(skv_h5 **out, const char *path, int n_below)
{
    skv_h5__entry entry = {.fd = -1};
    skv_status st;

    SKV_TRY(skv_file_open(&entry.fd, path, n_below));
    st = check_kind(entry.fd, path);
    if (st == SKV_OK)
        st = skv_h5__check_seal(entry.fd, path);
    if (st == SKV_OK)
        st = skv_h5__enter(out, path, &entry);
    close(entry.fd);
    return st;
}

skv_status skv_h5_open(skv_h5 **out, const char *path)
{
    return skv_h5_open_below(out, path, 0);
}
