/* RUN/rows.h5: written, opened and checked. */
#include "run/prompt_table.h"
#include "run/prompt_table_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/file.h"
#include "core/mem.h"

#define KIND        "skv rows 2"
#define KEY         "/key"
#define KEY_TEXT    "digest of all that the content follows from"
#define FACTS       "/facts"
#define PIECE_BYTES ((size_t)1 << 20)
#define MAX_PROMPTS (INT64_MAX / 10000)

/* skv_prompt_facts are written as they are: they have no gaps. */
#define N_FACTS ((int64_t)(sizeof(skv_prompt_facts) / sizeof(int64_t)))
_Static_assert(sizeof(skv_prompt_facts) == 12 * sizeof(int64_t), "eight numbers and two digests");
static const char facts_text[] =
    "prompts: all, bad, truncated, with unusable ids, rewritten, not rewritten; digits and dashes "
    "of ids made of indices; digests of the prompt file and of the rewritten texts, two words each";

static skv_status path_of(char **out, const char *run)
{
    return skv_path_join(out, run, "rows.h5");
}

static void name_of(char *out, size_t bytes, skv_list list, const char *part)
{
    snprintf(out, bytes, "/%s/%s", skv_list__kinds[list].name, part);
}

/* ----------------------------------------------------------------------- writing */

static skv_status write_facts(skv_h5 *f, const skv_prompt_facts *facts, const char *key)
{
    const skv_h5_layout key_layout = {
        .type = SKV_H5_U8, .n_dims = 1, .shape = {SKV_DIGEST_BYTES}, .long_name = KEY_TEXT};
    const skv_h5_layout layout = {
        .type = SKV_H5_I64, .n_dims = 1, .shape = {N_FACTS}, .long_name = facts_text};

    SKV_TRY(skv_h5_set_text(f, "/", "kind", KIND));
    SKV_TRY(skv_h5_write(f, KEY, &key_layout, key));
    return skv_h5_write(f, FACTS, &layout, facts);
}

/* Ends of the prompts that the list was never told of. */
static skv_status write_rest(skv_h5 *f, const char *name, int64_t end, int64_t n)
{
    const int64_t piece = (int64_t)(PIECE_BYTES / sizeof end);
    int64_t *ends = NULL;
    skv_status st = SKV_OK;

    SKV_TRY(skv_alloc(&ends, (size_t)piece, sizeof *ends, name));
    for (int64_t i = 0; i < piece; i++)
        ends[i] = end;
    for (int64_t i = 0; i < n && st == SKV_OK; i += piece)
        st = skv_h5_append(f, name, n - i < piece ? n - i : piece, SKV_H5_I64, ends);
    free(ends);
    return st;
}

/* An entry never lies in two pieces: their size is a multiple of any entry's. */
static skv_status write_spool(skv_h5 *f, const char *name, skv_h5_type type, const skv_spool *s)
{
    const size_t size = skv_h5_type_bytes(type);
    void *piece = NULL;
    skv_status st = SKV_OK;

    SKV_TRY(skv_alloc(&piece, PIECE_BYTES, 1, name));
    for (size_t at = 0; at < s->n && st == SKV_OK; at += PIECE_BYTES) {
        const size_t bytes = s->n - at < PIECE_BYTES ? s->n - at : PIECE_BYTES;

        st = skv_spool_read(s, at, bytes, piece, "the prompts");
        if (st == SKV_OK)
            st = skv_h5_append(f, name, (int64_t)(bytes / size), type, piece);
    }
    free(piece);
    return st;
}

static skv_status write_list(skv_h5 *f, const skv_prompt_table *t, skv_list list, int64_t n_prompts)
{
    const skv_list__kind *kind = &skv_list__kinds[list];
    const int64_t n = t->place.list[list].n, told = t->place.list[list].n_prompts;
    const skv_h5_layout value = {.type = kind->type,
                                 .n_dims = 1,
                                 .shape = {n},
                                 .long_name = kind->long_name,
                                 .units = kind->units};
    const skv_h5_layout end = {.type = SKV_H5_I64,
                               .n_dims = 1,
                               .shape = {n_prompts},
                               .long_name = "where a prompt's entries end",
                               .units = "1"};
    char name[64];

    if (n == 0)
        return SKV_OK;
    name_of(name, sizeof name, list, "value");
    SKV_TRY(skv_h5_make(f, name, &value));
    SKV_TRY(write_spool(f, name, kind->type, &t->value[list]));
    name_of(name, sizeof name, list, "end");
    SKV_TRY(skv_h5_make(f, name, &end));
    SKV_TRY(write_spool(f, name, SKV_H5_I64, &t->end[list]));
    return write_rest(f, name, n, n_prompts - told);
}

skv_status skv_prompt_table_save(const skv_prompt_table *t, const char *run, const char *key,
                                 const skv_prompt_facts *facts)
{
    char *path = NULL;
    skv_h5 *f = NULL;
    skv_status st;

    SKV_TRY_GOTO(path_of(&path, run), done);
    SKV_TRY_GOTO(skv_h5_create(&f, path), done);
    SKV_TRY_GOTO(write_facts(f, facts, key), done);
    for (int l = 0; l < SKV_N_LISTS; l++)
        SKV_TRY_GOTO(write_list(f, t, (skv_list)l, facts->n_prompts), done);
    st = skv_h5_commit(&f);
done:
    skv_h5_close(f);
    free(path);
    return st;
}

/* ----------------------------------------------------------------------- opening */

/* SKV_E_NOTFOUND: made of something else. key NULL: whatever it was made of. */
static skv_status compare_key(skv_h5 *f, const char *path, const char *key)
{
    skv_h5_layout layout = {.type = SKV_H5_U8, .n_dims = 1, .shape = {SKV_DIGEST_BYTES}};
    char *kind = NULL, *there = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_h5_get_text(&kind, f, "/", "kind"), done);
    SKV_TRY_GOTO(skv_h5_read(&there, f, KEY, &layout, SKV_DIGEST_BYTES, true), done);
    if (strcmp(kind, KIND) != 0 || (key && memcmp(there, key, SKV_DIGEST_BYTES) != 0))
        st = skv_fail(SKV_E_NOTFOUND, "%s: made of other prompts or for another tokenizer", path);
done:
    free(kind);
    free(there);
    return st;
}

static bool are_possible(const skv_prompt_facts *f)
{
    const int64_t counts[] = {f->n_bad, f->n_truncated, f->n_renamed, f->n_rewritten, f->n_missing};

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        if (counts[i] < 0 || counts[i] > f->n_prompts)
            return false;
    return f->n_prompts > 0 && f->n_prompts <= MAX_PROMPTS && f->index_digits > 0 &&
           f->index_digits <= 20 && f->index_dashes >= 0 && f->index_dashes <= 201;
}

static skv_status read_facts(skv_prompt_facts *facts, skv_h5 *f, const char *path)
{
    skv_h5_layout layout = {.type = SKV_H5_I64, .n_dims = 1, .shape = {N_FACTS}};
    void *there = NULL;

    SKV_TRY(skv_h5_read(&there, f, FACTS, &layout, sizeof *facts, true));
    memcpy(facts, there, sizeof *facts);
    free(there);
    return are_possible(facts) ? SKV_OK
                               : skv_fail(SKV_E_FORMAT, "%s: " FACTS " are impossible", path);
}

/* CRC-32 of bytes of the file, as noted when they were written. */
static skv_status check_bytes(int fd, const char *path, int64_t offset, int64_t bytes, int64_t want)
{
    uLong crc = crc32(0, NULL, 0);
    void *piece = NULL;
    skv_status st = SKV_OK;

    SKV_TRY(skv_alloc(&piece, PIECE_BYTES, 1, path));
    while (bytes > 0 && st == SKV_OK) {
        const size_t n = bytes < (int64_t)PIECE_BYTES ? (size_t)bytes : PIECE_BYTES;

        st = skv_read_at(fd, piece, n, offset, path);
        crc = crc32(crc, piece, (uInt)n);
        offset += (int64_t)n;
        bytes -= (int64_t)n;
    }
    free(piece);
    if (st == SKV_OK && (int64_t)crc != want)
        return skv_fail(SKV_E_FORMAT, "%s: bytes do not have the checksum noted with them", path);
    return st;
}

/* *offset, *n: where a dataset lies, which is also checked against its checksum. want 1: *n is
 * what it must have. */
static skv_status find_set(int64_t *offset, int64_t *n, skv_h5 *f, const skv_prompt_table *t,
                           const char *name, skv_h5_type type)
{
    skv_h5_layout want = {.type = type, .n_dims = 1, .shape = {*n}};
    int64_t crc = 0;

    SKV_TRY(skv_h5_place(offset, f, name, &want));
    SKV_TRY(skv_h5_get_int(&crc, f, name, "crc32"));
    *n = want.shape[0];
    return check_bytes(t->fd, t->path, *offset, *n * (int64_t)skv_h5_type_bytes(type), crc);
}

static skv_status find_list(skv_prompt_table *t, skv_h5 *f, skv_list list, int64_t n_prompts)
{
    const skv_h5_type type = skv_list__kinds[list].type;
    char name[64];
    bool there = false;
    int64_t end = 0;

    name_of(name, sizeof name, list, "value");
    SKV_TRY(skv_h5_has(&there, f, name));
    if (!there)
        return SKV_OK;
    t->place.list[list].n = -1;
    SKV_TRY(find_set(&t->place.list[list].value, &t->place.list[list].n, f, t, name, type));
    name_of(name, sizeof name, list, "end");
    t->place.list[list].n_prompts = n_prompts;
    SKV_TRY(
        find_set(&t->place.list[list].end, &t->place.list[list].n_prompts, f, t, name, SKV_H5_I64));
    SKV_TRY(skv_read_at(t->fd, &end, sizeof end,
                        t->place.list[list].end + (n_prompts - 1) * (int64_t)sizeof end, t->path));
    if (end != t->place.list[list].n)
        return skv_fail(SKV_E_FORMAT, "%s: %s does not end where its entries do", t->path, name);
    return SKV_OK;
}

static skv_status find_all(skv_prompt_table *t, skv_prompt_facts *facts, skv_h5 *f, const char *key)
{
    int64_t n = SKV_DIGEST_BYTES;
    struct stat info;

    SKV_TRY(compare_key(f, t->path, key));
    SKV_TRY(read_facts(facts, f, t->path));
    if (fstat(t->fd, &info) != 0)
        return skv_fail(SKV_E_IO, "%s: cannot read: %s", t->path, strerror(errno));
    if (key)
        snprintf(t->place.key, sizeof t->place.key, "%s", key);
    t->place.bytes = (int64_t)info.st_size;
    SKV_TRY(find_set(&t->place.key_offset, &n, f, t, KEY, SKV_H5_U8));
    for (int l = 0; l < SKV_N_LISTS; l++)
        SKV_TRY(find_list(t, f, (skv_list)l, facts->n_prompts));
    return SKV_OK;
}

/* The file as a table that does not know yet where things lie. */
static skv_status open_table(skv_prompt_table **out, const char *path)
{
    skv_status st;
    int fd = -1;

    SKV_TRY(skv_file_open(&fd, path, 1));
    st = skv_prompt_table__new(out, path, fd);
    if (st != SKV_OK)
        close(fd);
    return st;
}

skv_status skv_prompt_table_open(skv_prompt_table **out, skv_prompt_facts *facts, const char *run,
                                 const char *key)
{
    skv_prompt_table *t = NULL;
    char *path = NULL;
    skv_h5 *f = NULL;
    skv_status st;

    *facts = (skv_prompt_facts){0};
    SKV_TRY_GOTO(path_of(&path, run), done);
    SKV_TRY_GOTO(open_table(&t, path), done);
    SKV_TRY_GOTO(skv_h5_open_below(&f, path, 1), done);
    SKV_TRY_GOTO(find_all(t, facts, f, key), done);
    *out = t;
    t = NULL;
done:
    skv_h5_close(f);
    skv_prompt_table_destroy(t);
    free(path);
    return st;
}

void skv_prompt_table_place(skv_prompt_place *out, const skv_prompt_table *t)
{
    *out = t->place;
}

/* Another rank may look at another disk. */
static skv_status compare_file(const skv_prompt_table *t)
{
    char key[SKV_DIGEST_BYTES];
    struct stat info;

    if (fstat(t->fd, &info) != 0)
        return skv_fail(SKV_E_IO, "%s: cannot read: %s", t->path, strerror(errno));
    if (info.st_size == t->place.bytes)
        SKV_TRY(skv_read_at(t->fd, key, sizeof key, t->place.key_offset, t->path));
    if (info.st_size != t->place.bytes || memcmp(key, t->place.key, sizeof key) != 0)
        return skv_fail(SKV_E_IO, "%s is not the file that rank 0 sees: do all hosts share --out?",
                        t->path);
    return SKV_OK;
}

skv_status skv_prompt_table_open_at(skv_prompt_table **out, const char *run,
                                    const skv_prompt_place *place)
{
    skv_prompt_table *t = NULL;
    char *path = NULL;
    skv_status st;

    SKV_TRY_GOTO(path_of(&path, run), done);
    SKV_TRY_GOTO(open_table(&t, path), done);
    t->place = *place;
    SKV_TRY_GOTO(compare_file(t), done);
    *out = t;
    t = NULL;
done:
    skv_prompt_table_destroy(t);
    free(path);
    return st;
}
