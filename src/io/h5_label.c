/* Sealed files: a block before HDF5's bytes holds their CRC-32 and a label. The block says what the
 * file is; the library opens it only if the CRC-32 is right.
 *
 * The block: "skv sealed 1\n", 16 hex digits of the file's length, 8 of the CRC-32 of what follows
 * the block, 8 of that of the block with these 8 as zeros; a line each, then the text and NULs. The
 * text is the label and the line "made <inode> <seconds>.<nanoseconds>", which files of earlier
 * versions lack. */
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
#define TEXT_AT   (OWN_AT + 9)
#define MAX_TEXT  1900
#define MADE      "\nmade "
#define MAX_BYTES ((size_t)16 << 30)

static void print_block(char *block, size_t length, uint32_t body, uint32_t own, const char *text)
{
    memset(block, 0, SKV_H5_LABEL_BYTES);
    snprintf(block, SKV_H5_LABEL_BYTES, "%s%016zx\n%08" PRIx32 "\n%08" PRIx32 "\n%.*s", MAGIC,
             length, body, own, MAX_TEXT, text);
}

/* The block that belongs to these values. */
static void make_block(char *block, size_t length, uint32_t body, const char *text)
{
    print_block(block, length, body, 0, text);
    print_block(block, length, body, skv_h5__crc(0, block, SKV_H5_LABEL_BYTES), text);
}

static void print_made(char *out, size_t bytes, const struct stat *file)
{
    snprintf(out, bytes, MADE "%llu %lld.%09ld", (unsigned long long)file->st_ino,
             (long long)file->st_mtim.tv_sec, (long)file->st_mtim.tv_nsec);
}

void skv_h5__put_label(char *image, size_t bytes, const char *label, const struct stat *made)
{
    char text[MAX_TEXT + 1];
    const int n = snprintf(text, sizeof text, "%.*s", SKV_H5_MAX_LABEL, label);

    if (made)
        print_made(text + n, sizeof text - (size_t)n, made);
    make_block(image, bytes, skv_h5__crc(0, image + SKV_H5_LABEL_BYTES, bytes - SKV_H5_LABEL_BYTES),
               text);
}

/* Cuts the line behind the label off; whether it tells of this file. */
static bool cut_made(char *text, const struct stat *file)
{
    char want[128], *made = strstr(text, MADE);
    bool is_same;

    if (!made)
        return false;
    print_made(want, sizeof want, file);
    is_same = strcmp(made, want) == 0;
    *made = '\0';
    return is_same;
}

/* A block is whole when a block made from its values has the same bytes. */
static skv_status check_block(size_t *length, uint32_t *body, const char *block, const char *path)
{
    char again[SKV_H5_LABEL_BYTES], text[SKV_H5_LABEL_BYTES + 1];

    memcpy(text, block, SKV_H5_LABEL_BYTES);
    text[SKV_H5_LABEL_BYTES] = '\0';
    if (memcmp(text, MAGIC, LENGTH_AT) != 0 || strlen(text) < TEXT_AT ||
        strlen(text) > TEXT_AT + MAX_TEXT)
        return skv_fail(SKV_E_FORMAT, "%s: not a sealed file of this program", path);
    *length = (size_t)strtoull(text + LENGTH_AT, NULL, 16);
    *body = (uint32_t)strtoul(text + BODY_AT, NULL, 16);
    make_block(again, *length, *body, text + TEXT_AT);
    if (memcmp(again, block, SKV_H5_LABEL_BYTES) != 0)
        return skv_fail(SKV_E_FORMAT, "%s: the first %d bytes are damaged", path,
                        SKV_H5_LABEL_BYTES);
    return SKV_OK;
}

skv_status skv_h5_read_label(char **out, skv_h5_seal *seal, const char *path, int n_below)
{
    skv_status st = SKV_OK;
    char block[SKV_H5_LABEL_BYTES + 1] = {0};
    struct stat info;
    size_t length = 0, n = 0;
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
    SKV_TRY_GOTO(check_block(&length, &seal->crc, block, path), done);
    if (length != (size_t)info.st_size) {
        st = skv_fail(SKV_E_FORMAT, "%s: the file has %lld bytes, it was written with %zu", path,
                      (long long)info.st_size, length);
        goto done;
    }
    seal->as_made = cut_made(block + TEXT_AT, &info);
    SKV_TRY_GOTO(skv_alloc(out, strlen(block + TEXT_AT) + 1, 1, "a label"), done);
    strcpy(*out, block + TEXT_AT);
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
