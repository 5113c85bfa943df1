/* Directory of a zip archive. Every offset and size comes from the file: each is checked against
 * what is left before it is used, and subtraction is only done after the comparison. */
#include "io/zip_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/mem.h"

#define LOCAL_SIGN     0x04034b50U
#define CENTRAL_SIGN   0x02014b50U
#define END_SIGN       0x06054b50U
#define END64_SIGN     0x06064b50U
#define LOCATOR_SIGN   0x07064b50U
#define LOCAL_BYTES    30U
#define CENTRAL_BYTES  46U
#define END_BYTES      22U
#define END64_BYTES    56U
#define LOCATOR_BYTES  20U
#define FULL16         0xFFFFU
#define FULL32         0xFFFFFFFFU
#define ZIP64_EXTRA    1U
#define FLAG_ENCRYPTED 0x2041U /* bits 0, 6, 13 */
#define FLAG_DEFERRED  0x0008U /* CRC and sizes follow the data */
#define STORED         0U      /* methods */
#define DEFLATED       8U
#define CRC_PIECE      ((size_t)1 << 30)

typedef struct {
    const uint8_t *data;
    size_t bytes;
    const char *path;
    uint64_t central, central_end, n;
} archive;

static uint32_t u16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t u32(const uint8_t *p)
{
    return u16(p) | u16(p + 2) << 16;
}

static uint64_t u64(const uint8_t *p)
{
    return (uint64_t)u32(p) | (uint64_t)u32(p + 4) << 32;
}

static skv_status bad(const archive *a, const char *what)
{
    return skv_fail(SKV_E_FORMAT, "%s: zip archive: %s", a->path, what);
}

/* A field of the short end record says the same as the long one's, or that it is too small. */
static bool agrees(uint64_t narrow, uint64_t full, uint64_t wide)
{
    return narrow == full || narrow == wide;
}

/* The zip64 end record, if its locator stands before the end record at `end`. */
static skv_status read_end64(archive *a, size_t end, bool *found)
{
    const uint8_t *narrow = a->data + end;
    const uint8_t *locator, *wide;
    size_t at;

    *found = end >= LOCATOR_BYTES + END64_BYTES && u32(narrow - LOCATOR_BYTES) == LOCATOR_SIGN;
    if (!*found)
        return SKV_OK;
    locator = narrow - LOCATOR_BYTES;
    at = end - LOCATOR_BYTES - END64_BYTES;
    wide = a->data + at;
    if (u32(locator + 4) != 0 || u64(locator + 8) != at || u32(locator + 16) != 1 ||
        u32(wide) != END64_SIGN || u64(wide + 4) != END64_BYTES - 12)
        return bad(a, "the zip64 end record is not where its locator says, right before it");
    if (u32(wide + 16) != 0 || u32(wide + 20) != 0 || u64(wide + 24) != u64(wide + 32))
        return bad(a, "spread over several disks, want one");
    if (!agrees(u16(narrow + 10), FULL16, u64(wide + 32)) ||
        !agrees(u32(narrow + 12), FULL32, u64(wide + 40)) ||
        !agrees(u32(narrow + 16), FULL32, u64(wide + 48)))
        return bad(a, "the zip64 end record contradicts the end record");
    a->n = u64(wide + 32);
    a->central = u64(wide + 48);
    a->central_end = at;
    return a->central > at || at - a->central != u64(wide + 40)
               ? bad(a, "the central directory does not end at the end record")
               : SKV_OK;
}

static skv_status read_end(archive *a)
{
    const size_t end = a->bytes - END_BYTES;
    const uint8_t *p = a->data + end;
    bool wide = false;

    if (a->bytes < END_BYTES || u32(p) != END_SIGN || u16(p + 20) != 0)
        return bad(a,
                   "the last 22 bytes are not an end record without a comment (is it truncated?)");
    if ((u16(p + 4) != 0 && u16(p + 4) != FULL16) || (u16(p + 6) != 0 && u16(p + 6) != FULL16) ||
        u16(p + 8) != u16(p + 10))
        return bad(a, "spread over several disks, want one");
    SKV_TRY(read_end64(a, end, &wide));
    if (!wide) {
        a->n = u16(p + 10);
        a->central = u32(p + 16);
        a->central_end = end;
        if (a->central > end || end - a->central != u32(p + 12))
            return bad(a, "the central directory does not end at the end record");
    }
    if (a->n > (a->central_end - a->central) / CENTRAL_BYTES)
        return bad(a, "more members than its central directory has room for");
    return SKV_OK;
}

/* Those of *size, *stored and *begin that are saturated are replaced by the zip64 extra field's. */
static skv_status read_extra(const archive *a, const uint8_t *p, size_t bytes, uint64_t *wide[3])
{
    size_t want = 0;
    bool found = false;

    for (int i = 0; i < 3; i++)
        want += *wide[i] == FULL32 ? 8 : 0;
    while (bytes > 0) {
        const size_t n = bytes >= 4 ? u16(p + 2) : 0;

        if (bytes < 4 || bytes - 4 < n)
            return bad(a, "an extra field reaches past its header");
        if (u16(p) == ZIP64_EXTRA) {
            if (found || n != want)
                return bad(a, "a zip64 extra field does not match the sizes it stands for");
            found = true;
            for (int i = 0, at = 4; i < 3; i++)
                if (*wide[i] == FULL32) {
                    *wide[i] = u64(p + at);
                    at += 8;
                }
        }
        p += 4 + n;
        bytes -= 4 + n;
    }
    return want > 0 && !found ? bad(a, "a size is saturated without a zip64 extra field") : SKV_OK;
}

/* The local header must agree with the directory; *data_begin = where the data begin. */
static skv_status read_local(const archive *a, const skv_zip_record *r, uint64_t begin,
                             uint64_t *data_begin)
{
    const uint8_t *p = a->data + (begin < a->central ? begin : a->central);
    bool same;

    if (begin > a->central || a->central - begin < LOCAL_BYTES || u32(p) != LOCAL_SIGN)
        return skv_fail(SKV_E_FORMAT, "%s: zip archive: %.*s: no local header at byte %llu",
                        a->path, (int)r->name_bytes, r->name, (unsigned long long)begin);
    *data_begin = begin + LOCAL_BYTES + u16(p + 26) + u16(p + 28);
    if (*data_begin > a->central || a->central - *data_begin < r->stored)
        return skv_fail(SKV_E_FORMAT, "%s: zip archive: %.*s reaches past the end of the data",
                        a->path, (int)r->name_bytes, r->name);
    same = u16(p + 26) == r->name_bytes && memcmp(p + LOCAL_BYTES, r->name, r->name_bytes) == 0 &&
           u16(p + 8) == (r->deflated ? DEFLATED : STORED) && (u16(p + 6) & FLAG_ENCRYPTED) == 0;
    for (int i = 0; i < 3 && same; i++) {
        const uint32_t here = u32(p + 14 + 4 * i);
        const uint64_t there = i == 0 ? r->crc : i == 1 ? r->stored : r->bytes;

        same = here == there || (i > 0 && here == FULL32) ||
               (here == 0 && (u16(p + 6) & FLAG_DEFERRED) != 0);
    }
    return same ? SKV_OK
                : skv_fail(SKV_E_FORMAT,
                           "%s: zip archive: %.*s: the local header contradicts the central "
                           "directory",
                           a->path, (int)r->name_bytes, r->name);
}

/* Whether a name is printable and stays within the archive's folder. */
static bool name_is_plain(const char *name, size_t bytes)
{
    if (bytes == 0 || name[0] == '/')
        return false;
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f || name[i] == '\\' ||
            (name[i] == '.' && i + 1 < bytes && name[i + 1] == '.'))
            return false;
    return true;
}

/* One header of the central directory at *at. */
static skv_status read_central(const archive *a, skv_zip_record *r, uint64_t *at)
{
    const uint8_t *p = a->data + *at;
    uint64_t left = a->central_end - *at, size, stored, begin, data_begin = 0;
    size_t extra, comment;

    if (left < CENTRAL_BYTES || u32(p) != CENTRAL_SIGN)
        return bad(a, "the central directory holds fewer members than it says");
    r->name = (const char *)p + CENTRAL_BYTES;
    r->name_bytes = u16(p + 28);
    extra = u16(p + 30);
    comment = u16(p + 32);
    if (left - CENTRAL_BYTES < r->name_bytes + extra + comment)
        return bad(a, "a header reaches past the central directory");
    if (!name_is_plain(r->name, r->name_bytes))
        return bad(a, "a member's name is empty, absolute, or has \"..\" or control characters");
    if ((u16(p + 10) != STORED && u16(p + 10) != DEFLATED) || (u16(p + 8) & FLAG_ENCRYPTED) != 0)
        return skv_fail(SKV_E_UNSUPPORTED,
                        "%s: zip archive: %.*s is encrypted, or compressed other than by deflate",
                        a->path, (int)r->name_bytes, r->name);
    r->deflated = u16(p + 10) == DEFLATED;
    r->crc = u32(p + 16);
    stored = u32(p + 20);
    size = u32(p + 24);
    begin = u32(p + 42);
    SKV_TRY(read_extra(a, p + CENTRAL_BYTES + r->name_bytes, extra,
                       (uint64_t *[3]){&size, &stored, &begin}));
    if ((!r->deflated && size != stored) || stored > a->bytes || size > SIZE_MAX)
        return skv_fail(SKV_E_FORMAT,
                        "%s: zip archive: %.*s: sizes %llu and %llu, want equal ones within the "
                        "file",
                        a->path, (int)r->name_bytes, r->name, (unsigned long long)size,
                        (unsigned long long)stored);
    r->bytes = (size_t)size;
    r->stored = (size_t)stored;
    SKV_TRY(read_local(a, r, begin, &data_begin));
    r->begin = (size_t)begin;
    r->data = a->data + data_begin;
    *at += CENTRAL_BYTES + r->name_bytes + extra + comment;
    return SKV_OK;
}

static int by_begin(const void *x, const void *y)
{
    const skv_zip_record *a = x, *b = y;

    return (a->begin > b->begin) - (a->begin < b->begin);
}

static int compare_names(const char *a, size_t n, const char *b, size_t m)
{
    const int c = memcmp(a, b, n < m ? n : m);

    return c != 0 ? c : (n > m) - (n < m);
}

static int by_name(const void *x, const void *y)
{
    const skv_zip_record *a = x, *b = y;

    return compare_names(a->name, a->name_bytes, b->name, b->name_bytes);
}

/* Leaves the records sorted by name. */
static skv_status check_layout(const archive *a, const skv_zip *zip)
{
    skv_zip_record *r = zip->records;

    qsort(r, zip->n, sizeof *r, by_begin);
    if (zip->n > 0 && r[0].begin != 0)
        return bad(a, "bytes before the first member");
    for (size_t i = 1; i < zip->n; i++)
        if ((size_t)(r[i - 1].data - a->data) + r[i - 1].stored > r[i].begin)
            return skv_fail(SKV_E_FORMAT, "%s: zip archive: members %.*s and %.*s overlap", a->path,
                            (int)r[i - 1].name_bytes, r[i - 1].name, (int)r[i].name_bytes,
                            r[i].name);
    qsort(r, zip->n, sizeof *r, by_name);
    for (size_t i = 1; i < zip->n; i++)
        if (by_name(&r[i - 1], &r[i]) == 0)
            return skv_fail(SKV_E_FORMAT, "%s: zip archive: two members named %.*s", a->path,
                            (int)r[i].name_bytes, r[i].name);
    return SKV_OK;
}

skv_status skv_zip_open(skv_zip *out, const uint8_t *data, size_t bytes, const char *path)
{
    skv_status st;
    archive a = {.data = data, .bytes = bytes, .path = path};
    skv_zip zip = {.path = path};
    uint64_t at;

    if (bytes < END_BYTES)
        return skv_fail(SKV_E_FORMAT, "%s: zip archive: %zu bytes, want at least %u", path, bytes,
                        END_BYTES);
    SKV_TRY(read_end(&a));
    zip.n = (size_t)a.n;
    SKV_TRY(skv_alloc(&zip.records, zip.n + 1, sizeof *zip.records, path));
    at = a.central;
    for (size_t i = 0; i < zip.n; i++)
        SKV_TRY_GOTO(read_central(&a, &zip.records[i], &at), done);
    if (at != a.central_end) {
        st = bad(&a, "the central directory holds more than its members");
        goto done;
    }
    SKV_TRY_GOTO(check_layout(&a, &zip), done);
    *out = zip;
    zip.records = NULL;
done:
    free(zip.records);
    return st;
}

void skv_zip_close(skv_zip *zip)
{
    free(zip->records);
    zip->records = NULL;
    zip->n = 0;
}

skv_zip_record *skv_zip_find(const skv_zip *zip, const char *name, size_t name_bytes)
{
    size_t low = 0, high = zip->n;

    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        skv_zip_record *r = &zip->records[mid];
        const int c = compare_names(name, name_bytes, r->name, r->name_bytes);

        if (c == 0)
            return r;
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

static skv_status check_crc(const skv_zip *zip, const skv_zip_record *record, const uint8_t *data)
{
    uLong crc = crc32(0L, Z_NULL, 0);

    for (size_t at = 0; at < record->bytes; at += CRC_PIECE) {
        const size_t left = record->bytes - at;

        crc = crc32(crc, data + at, (uInt)(left < CRC_PIECE ? left : CRC_PIECE));
    }
    if (crc != record->crc)
        return skv_fail(SKV_E_FORMAT, "%s: %.*s is damaged: CRC-32 %08lx, want %08lx", zip->path,
                        (int)record->name_bytes, record->name, crc, (unsigned long)record->crc);
    return SKV_OK;
}

skv_status skv_zip_check(const skv_zip *zip, skv_zip_record *record)
{
    assert(!record->deflated);
    if (record->checked)
        return SKV_OK;
    SKV_TRY(check_crc(zip, record, record->data));
    record->checked = true;
    return SKV_OK;
}

/* Raw deflate, which must end with the last byte of both. */
static bool inflate_all(uint8_t *out, const skv_zip_record *record)
{
    z_stream z = {.next_in = (z_const Bytef *)(uintptr_t)record->data, .next_out = out};
    size_t in = record->stored, room = record->bytes;
    int state = inflateInit2(&z, -MAX_WBITS);

    while (state == Z_OK) {
        const uInt give = (uInt)(in < CRC_PIECE ? in : CRC_PIECE);
        const uInt take = (uInt)(room < CRC_PIECE ? room : CRC_PIECE);

        z.avail_in = give;
        z.avail_out = take;
        state = inflate(&z, Z_NO_FLUSH);
        in -= give - z.avail_in;
        room -= take - z.avail_out;
    }
    (void)inflateEnd(&z);
    return state == Z_STREAM_END && in == 0 && room == 0;
}

skv_status skv_zip_read(uint8_t **out, const skv_zip *zip, const skv_zip_record *record,
                        size_t most)
{
    uint8_t *data = NULL;
    skv_status st = SKV_OK;

    if (record->bytes > most)
        return skv_fail(SKV_E_FORMAT, "%s: %.*s has %zu bytes, want at most %zu", zip->path,
                        (int)record->name_bytes, record->name, record->bytes, most);
    SKV_TRY(skv_alloc(&data, record->bytes + 1, 1, zip->path));
    if (!record->deflated)
        memcpy(data, record->data, record->bytes);
    else if (!inflate_all(data, record))
        st = skv_fail(SKV_E_FORMAT, "%s: %.*s is damaged: it does not inflate to its %zu bytes",
                      zip->path, (int)record->name_bytes, record->name, record->bytes);
    if (st == SKV_OK)
        st = check_crc(zip, record, data);
    if (st != SKV_OK)
        free(data);
    else
        *out = data;
    return st;
}
