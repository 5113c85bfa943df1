/* The block: "skv sealed 1\n", 16 hex digits of the file's length, 8 of the CRC-32 of what follows
 * the block, 8 of that of the block with these 8 as zeros; a line each, then the text and NULs. The
 * text is the label and the line "made <inode> <seconds>.<nanoseconds>", which files of earlier
 * versions lack. */
#include "io/h5_seal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/mem.h"
#include "io/h5_handle.h"

#define MAGIC     "skv sealed 1\n"
#define LENGTH_AT (sizeof MAGIC - 1)
#define BODY_AT   (LENGTH_AT + 17)
#define OWN_AT    (BODY_AT + 9)
#define TEXT_AT   (OWN_AT + 9)
#define MAX_TEXT  1900
#define MADE      "\nmade "
#define SIGNATURE "\x89HDF\r\n\x1a\n" /* of HDF5 */
#define HEAD      (SKV_H5_LABEL_BYTES + sizeof SIGNATURE - 1)
#define PIECE     ((size_t)1 << 20)
#define N_KNOWN   16

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
skv_status skv_h5__read_block(skv_h5__block *out, const char *bytes, const struct stat *file,
                              const char *path)
{
    char again[SKV_H5_LABEL_BYTES], text[SKV_H5_LABEL_BYTES + 1];

    memcpy(text, bytes, SKV_H5_LABEL_BYTES);
    text[SKV_H5_LABEL_BYTES] = '\0';
    if (memcmp(text, MAGIC, LENGTH_AT) != 0 || strlen(text) < TEXT_AT ||
        strlen(text) > TEXT_AT + MAX_TEXT)
        return skv_fail(SKV_E_FORMAT, "%s: not a sealed file of this program", path);
    out->length = (size_t)strtoull(text + LENGTH_AT, NULL, 16);
    out->crc = (uint32_t)strtoul(text + BODY_AT, NULL, 16);
    make_block(again, out->length, out->crc, text + TEXT_AT);
    if (memcmp(again, bytes, SKV_H5_LABEL_BYTES) != 0)
        return skv_fail(SKV_E_FORMAT, "%s: the first %d bytes are damaged", path,
                        SKV_H5_LABEL_BYTES);
    if (out->length != (size_t)file->st_size)
        return skv_fail(SKV_E_FORMAT, "%s: the file has %lld bytes, it was written with %zu", path,
                        (long long)file->st_size, out->length);
    out->as_made = cut_made(text + TEXT_AT, file);
    snprintf(out->label, sizeof out->label, "%s", text + TEXT_AT);
    return SKV_OK;
}

/* ------------------------------------------------------------------- whole files */

/* Files that were found right, so that who reads a file's rows one by one has it checked once. */
static struct stat known[N_KNOWN];
static size_t n_known;

static bool is_known(const struct stat *file)
{
    for (size_t i = 0; i < N_KNOWN; i++)
        if (known[i].st_ino == file->st_ino && known[i].st_dev == file->st_dev &&
            known[i].st_size == file->st_size && known[i].st_mtim.tv_sec == file->st_mtim.tv_sec &&
            known[i].st_mtim.tv_nsec == file->st_mtim.tv_nsec)
            return true;
    return false;
}

static skv_status check_body(int fd, const skv_h5__block *block, const char *path)
{
    size_t at = SKV_H5_LABEL_BYTES;
    uint32_t crc = 0;
    char *piece = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&piece, PIECE, 1, path));
    st = SKV_OK;
    while (at < block->length && st == SKV_OK) {
        const size_t n = block->length - at < PIECE ? block->length - at : PIECE;

        st = skv_read_at(fd, piece, n, (int64_t)at, path);
        if (st == SKV_OK)
            crc = skv_h5__crc(crc, piece, n);
        at += n;
    }
    free(piece);
    SKV_TRY(st);
    return crc == block->crc ? SKV_OK : skv_h5__wrong_checksum(path);
}

skv_status skv_h5__check_seal(int fd, const char *path)
{
    char head[HEAD] = {0};
    skv_h5__block block;
    struct stat file;

    if (fstat(fd, &file) != 0)
        return skv_fail(SKV_E_IO, "%s: cannot look at it: %s", path, strerror(errno));
    SKV_TRY(
        skv_read_at(fd, head, (size_t)file.st_size < HEAD ? (size_t)file.st_size : HEAD, 0, path));
    if (memcmp(head, MAGIC, LENGTH_AT) != 0 &&
        memcmp(head + SKV_H5_LABEL_BYTES, SIGNATURE, sizeof SIGNATURE - 1) != 0)
        return SKV_OK;
    SKV_TRY(skv_h5__read_block(&block, head, &file, path));
    if (block.as_made || is_known(&file))
        return SKV_OK;
    SKV_TRY(check_body(fd, &block, path));
    known[n_known++ % N_KNOWN] = file;
    return SKV_OK;
}

skv_status skv_h5__wrong_checksum(const char *path)
{
    return skv_fail(SKV_E_FORMAT,
                    "%s: the file is damaged: its bytes do not have the checksum noted with them",
                    path);
}
