/* Sealed files: a block before HDF5's bytes holds their CRC-32 and a label. The block says what the
 * file is; the library opens it only if the CRC-32 is right. */
#include "io/h5_label.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"
#include "io/h5_handle.h"
#include "io/h5_open.h"
#include "io/h5_probe.h"
#include "io/h5_seal.h"

#define MAX_BYTES ((size_t)16 << 30)

skv_status skv_h5_read_label(char **out, skv_h5_seal *seal, const char *path, int n_below)
{
    skv_status st = SKV_OK;
    char bytes[SKV_H5_LABEL_BYTES];
    skv_h5__block block;
    struct stat info;
    size_t n = 0;
    int fd = -1;

    SKV_TRY(skv_file_open(&fd, path, n_below));
    if (fstat(fd, &info) != 0) {
        st = skv_fail(SKV_E_IO, "%s: cannot read: %s", path, strerror(errno));
        goto done;
    }
    SKV_TRY_GOTO(skv_read_fully(&n, fd, bytes, SKV_H5_LABEL_BYTES, path), done);
    if (n < SKV_H5_LABEL_BYTES) {
        st = skv_fail(SKV_E_FORMAT, "%s: the file is cut: it has %zu bytes", path, n);
        goto done;
    }
    SKV_TRY_GOTO(skv_h5__read_block(&block, bytes, &info, path), done);
    *seal = (skv_h5_seal){.crc = block.crc, .as_made = block.as_made};
    st = skv_text_copy(out, block.label);
done:
    close(fd);
    return st;
}

/* The file's bytes, whole and unaltered, into *entry; *own: the block to be freed. */
static skv_status read_checked(skv_h5__entry *entry, char **own, const char *path)
{
    skv_h5__block block;
    struct stat info;

    if (fstat(entry->fd, &info) != 0)
        return skv_fail(SKV_E_IO, "%s: cannot look at it: %s", path, strerror(errno));
    if (info.st_size < SKV_H5_LABEL_BYTES || (uint64_t)info.st_size > MAX_BYTES)
        return skv_fail(SKV_E_FORMAT, "%s: the file is cut: it has %lld bytes", path,
                        (long long)info.st_size);
    SKV_TRY(skv_alloc(own, (size_t)info.st_size, 1, path));
    SKV_TRY(skv_read_fully(&entry->n, entry->fd, *own, (size_t)info.st_size, path));
    entry->bytes = *own;
    if (entry->n < SKV_H5_LABEL_BYTES)
        return skv_fail(SKV_E_FORMAT, "%s: the file is cut: it has %zu bytes", path, entry->n);
    SKV_TRY(skv_h5__read_block(&block, *own, &info, path));
    if (block.length != entry->n ||
        block.crc != skv_h5__crc(0, *own + SKV_H5_LABEL_BYTES, entry->n - SKV_H5_LABEL_BYTES))
        return skv_h5__wrong_checksum(path);
    return SKV_OK;
}

skv_status skv_h5_check_sealed(const char *path, int n_below)
{
    skv_h5__entry entry = {.fd = -1};
    char *bytes = NULL;
    skv_status st;

    SKV_TRY(skv_file_open(&entry.fd, path, n_below));
    st = read_checked(&entry, &bytes, path);
    free(bytes);
    if (st == SKV_OK)
        st = skv_h5__ask(entry.fd, path, true, "");
    close(entry.fd);
    return st;
}

skv_status skv_h5_look_sealed(const char *path, int n_below, const char *but)
{
    skv_status st;
    int fd = -1;

    SKV_TRY(skv_file_open(&fd, path, n_below));
    st = skv_h5__ask(fd, path, true, but);
    close(fd);
    return st;
}

skv_status skv_h5_open_checked(skv_h5 **out, const char *path, int n_below)
{
    skv_h5__entry entry = {.fd = -1, .ours = true};
    skv_status st;

    SKV_TRY(skv_file_open(&entry.fd, path, n_below));
    st = skv_h5__enter(out, path, &entry);
    close(entry.fd);
    return st;
}

static skv_status open_sealed(skv_h5 **out, const char *path, int n_below, bool ours)
{
    skv_h5__entry entry = {.fd = -1, .ours = ours};
    char *bytes = NULL;
    skv_status st;

    SKV_TRY(skv_file_open(&entry.fd, path, n_below));
    st = read_checked(&entry, &bytes, path);
    if (st == SKV_OK)
        st = skv_h5__enter(out, path, &entry);
    free(bytes);
    close(entry.fd);
    return st;
}

skv_status skv_h5_open_sealed(skv_h5 **out, const char *path, int n_below)
{
    return open_sealed(out, path, n_below, false);
}

skv_status skv_h5__open_own_sealed(skv_h5 **out, const char *path, int n_below)
{
    return open_sealed(out, path, n_below, true);
}
