/* Sealed files: a block before HDF5's bytes holds their CRC-32 and a label. The block says what the
 * file is; the library opens it only if the CRC-32 is right.
 *
 * The block: "skv sealed 1\n", 16 hex digits of the file's length, 8 of the CRC-32 of what follows
 * the block, 8 of that of the block with these 8 as zeros; a line each, then the label and NULs. */
#include "io/h5_label.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "io/h5_handle.h"
#include "io/h5_open.h"
#include "io/h5_probe.h"

#define MAGIC     "skv sealed 1\n"
#define LENGTH_AT (sizeof MAGIC - 1)
#define BODY_AT   (LENGTH_AT + 17)
#define OWN_AT    (BODY_AT + 9)
#define LABEL_AT  (OWN_AT + 9)
#define MAX_BYTES ((size_t)16 << 30)

static void print_block(char *block, size_t length, uint32_t body, uint32_t own, const char *label)
{
    memset(block, 0, SKV_H5_LABEL_BYTES);
    snprintf(block, SKV_H5_LABEL_BYTES, "%s%016zx\n%08" PRIx32 "\n%08" PRIx32 "\n%.*s", MAGIC,
             length, body, own, SKV_H5_MAX_LABEL, label);
}

/* The block that belongs to these values. */
static void make_block(char *block, size_t length, uint32_t body, const char *label)
{
    print_block(block, length, body, 0, label);
    print_block(block, length, body, skv_h5__crc(0, block, SKV_H5_LABEL_BYTES), label);
}

void skv_h5__put_label(char *image, size_t bytes, const char *label)
{
    make_block(image, bytes, skv_h5__crc(0, image + SKV_H5_LABEL_BYTES, bytes - SKV_H5_LABEL_BYTES),
               label);
}

/* A block is whole when a block made from its values has the same bytes. */
static skv_status check_block(size_t *length, uint32_t *body, const char *block, const char *path)
{
    char again[SKV_H5_LABEL_BYTES], text[SKV_H5_LABEL_BYTES + 1];

    memcpy(text, block, SKV_H5_LABEL_BYTES);
    text[SKV_H5_LABEL_BYTES] = '\0';
    if (memcmp(text, MAGIC, LENGTH_AT) != 0 || strlen(text) < LABEL_AT ||
        strlen(text) > LABEL_AT + SKV_H5_MAX_LABEL)
        return skv_fail(SKV_E_FORMAT, "%s: not a sealed file of this program", path);
    *length = (size_t)strtoull(text + LENGTH_AT, NULL, 16);
    *body = (uint32_t)strtoul(text + BODY_AT, NULL, 16);
    make_block(again, *length, *body, text + LABEL_AT);
    if (memcmp(again, block, SKV_H5_LABEL_BYTES) != 0)
        return skv_fail(SKV_E_FORMAT, "%s: the first %d bytes are damaged", path,
                        SKV_H5_LABEL_BYTES);
    return SKV_OK;
}

skv_status skv_h5_read_label(char **out, uint32_t *crc, const char *path, int n_below)
{
    skv_status st = SKV_OK;
    char block[SKV_H5_LABEL_BYTES + 1] = {0};
    struct stat info;
    size_t length = 0, n = 0;
    uint32_t body = 0;
    int fd = -1;

    SKV_TRY(skv_file_open(&fd, path, n_below));
    if (fstat(fd, &info) != 0) {
        st = skv_fail(SKV_E_IO, "%s: cannot read: %s", path, strerror(errno));
        goto done;
    }
    SKV_TRY_GOTO(skv_read_fully(&n, fd, block, SKV_H5_LABEL_BYTES, path), done);
    if (n < SKV_H5_LABEL_BYTES) {
        st = skv_fail(SKV_E_FORMAT, "%s: the file is cut: it has %zu bytes", path, n);
        goto done;
    }
    SKV_TRY_GOTO(check_block(&length, &body, block, path), done);
    if (length != (size_t)info.st_size) {
        st = skv_fail(SKV_E_FORMAT, "%s: the file has %lld bytes, it was written with %zu", path,
                      (long long)info.st_size, length);
        goto done;
    }
    SKV_TRY_GOTO(skv_alloc(out, strlen(block + LABEL_AT) + 1, 1, "a label"), done);
    strcpy(*out, block + LABEL_AT);
    if (crc)
        *crc = body;
done:
    close(fd);
    return st;
}

/* The file's bytes, whole and unaltered, into *entry; *own: the block to be freed. */
static skv_status read_checked(skv_h5__entry *entry, char **own, const char *path)
{
    struct stat info;
    size_t length = 0;
    uint32_t body = 0;

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
    SKV_TRY(check_block(&length, &body, *own, path));
    if (length != entry->n ||
        body != skv_h5__crc(0, *own + SKV_H5_LABEL_BYTES, entry->n - SKV_H5_LABEL_BYTES))
        return skv_fail(
            SKV_E_FORMAT,
            "%s: the file is damaged: its bytes do not have the checksum noted with them", path);
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
        st = skv_h5__ask(entry.fd, path, true);
    close(entry.fd);
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
