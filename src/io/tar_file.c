/* A header of 512 bytes a file, numbers in octal digits; its content, filled up to whole blocks;
 * two blocks of zeros at the end. */
#include "io/tar_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"

#define BLOCK 512

/* Places in a header. */
enum {
    NAME = 0,
    MODE = 100,
    UID = 108,
    GID = 116,
    SIZE = 124,
    TIME = 136,
    SUM = 148,
    KIND = 156,
    MAGIC = 257,
    PREFIX = 345
};

static const uint8_t zeros[2 * BLOCK];

/* Of all bytes, those of the sum itself taken for blanks. */
static unsigned sum_of(const uint8_t *header)
{
    unsigned sum = 0;

    for (int i = 0; i < BLOCK; i++)
        sum += i >= SUM && i < SUM + 8 ? ' ' : header[i];
    return sum;
}

/* ------------------------------------------------------------------------ out */

skv_status skv_tar_add(const skv_aside *to, const char *name, const void *data, size_t bytes)
{
    uint8_t header[BLOCK] = {0};
    const size_t rest = bytes % BLOCK;

    if (!name[0] || strlen(name) >= SKV_TAR_NAME_BYTES || bytes > SKV_TAR_MAX_MEMBER_BYTES)
        return skv_fail(SKV_E_ARG, "%s: a tar archive cannot hold \"%.120s\" of %zu bytes",
                        to->path, name, bytes);
    memcpy(header + NAME, name, strlen(name));
    memcpy(header + MODE, "0000644", 8);
    memcpy(header + UID, "0000000", 8);
    memcpy(header + GID, "0000000", 8);
    snprintf((char *)header + SIZE, 12, "%011zo", bytes);
    memcpy(header + TIME, "00000000000", 12);
    header[KIND] = '0';
    memcpy(header + MAGIC,
           "ustar\0"
           "00",
           8);
    snprintf((char *)header + SUM, 8, "%06o", sum_of(header));
    header[SUM + 7] = ' ';
    SKV_TRY(skv_aside_write(to, header, BLOCK));
    SKV_TRY(skv_aside_write(to, data, bytes));
    return rest ? skv_aside_write(to, zeros, BLOCK - rest) : SKV_OK;
}

skv_status skv_tar_end(const skv_aside *to)
{
    return skv_aside_write(to, zeros, sizeof zeros);
}

/* ------------------------------------------------------------------------- in */

skv_status skv_tar_open(skv_tar_reader *out, const char *path)
{
    struct stat info;

    *out = (skv_tar_reader){.fd = -1, .path = path};
    SKV_TRY(skv_file_open(&out->fd, path, 0));
    if (fstat(out->fd, &info) != 0) {
        skv_tar_close(out);
        return skv_fail(SKV_E_IO, "%s: cannot tell its length", path);
    }
    out->bytes = info.st_size;
    return SKV_OK;
}

void skv_tar_close(skv_tar_reader *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
}

/* A number in octal digits between blanks; -1: it is none. */
static int64_t octal(const uint8_t *field, int n)
{
    int64_t value = 0;
    int i = 0;

    while (i < n && field[i] == ' ')
        i++;
    if (i == n || field[i] < '0' || field[i] > '7')
        return -1;
    for (; i < n && field[i] >= '0' && field[i] <= '7'; i++)
        value = value * 8 + (field[i] - '0');
    return i == n || field[i] == ' ' || field[i] == '\0' ? value : -1;
}

/* *size = bytes of the member whose header this is. */
static skv_status check_header(int64_t *size, const uint8_t *header, const skv_tar_reader *r)
{
    *size = octal(header + SIZE, 12);
    if (octal(header + SUM, 8) != (int64_t)sum_of(header))
        return skv_fail(SKV_E_FORMAT, "%s: damaged: no tar header at byte %lld", r->path,
                        (long long)r->at);
    if (*size < 0 || *size > (int64_t)SKV_TAR_MAX_MEMBER_BYTES || *size > r->bytes - r->at - BLOCK)
        return skv_fail(SKV_E_FORMAT,
                        "%s: damaged or cut: the member at byte %lld says that it has %lld bytes, "
                        "the archive has %lld",
                        r->path, (long long)r->at, (long long)*size, (long long)r->bytes);
    return SKV_OK;
}

skv_status skv_tar_next(bool *more, char name[SKV_TAR_NAME_BYTES], uint8_t **data, size_t *bytes,
                        skv_tar_reader *r)
{
    uint8_t header[BLOCK];
    int64_t size = 0;

    *data = NULL;
    *more = false;
    for (;; r->at += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK) {
        if (r->bytes - r->at < BLOCK)
            return skv_fail(SKV_E_FORMAT, "%s: cut: the archive ends without its mark", r->path);
        SKV_TRY(skv_read_at(r->fd, header, BLOCK, r->at, r->path));
        if (memcmp(header, zeros, BLOCK) == 0)
            return SKV_OK;
        SKV_TRY(check_header(&size, header, r));
        if (header[KIND] == '0' || header[KIND] == '\0')
            break;
    }
    snprintf(name, SKV_TAR_NAME_BYTES, "%.*s", SKV_TAR_NAME_BYTES - 1, (char *)header + NAME);
    if (!name[0] || strchr(name, '/') || header[PREFIX])
        return skv_fail(SKV_E_FORMAT, "%s: the member at byte %lld is in a folder or has no name",
                        r->path, (long long)r->at);
    SKV_TRY(skv_alloc(data, (size_t)size + 1, 1, r->path));
    if (size > 0 && skv_read_at(r->fd, *data, (size_t)size, r->at + BLOCK, r->path) != SKV_OK) {
        free(*data);
        *data = NULL;
        return skv_fail(SKV_E_IO, "%s: cannot read the member %s", r->path, name);
    }
    *bytes = (size_t)size;
    r->at += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
    *more = true;
    return SKV_OK;
}
