/* Features and ids of all texts lie one after another; the index says where a text begins. Rows
 * after the last text may be unused: a writer that was stopped leaves them. */
#include "io/text_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "io/h5.h"
#include "io/tokenizer.h"

#define KIND            "skv encoded texts"
#define SEVERAL         "several"
#define ROWS_PER_CHUNK  16
#define IDS_PER_CHUNK   4096
#define COPY_ROWS       1024
#define INDEX_MAX_BYTES ((size_t)1 << 31)

#define FEATURES "/text/features"
#define IDS      "/text/ids"
#define DIGEST   "/text/digest"
#define START    "/text/start"
#define TOKENS   "/text/tokens"

typedef struct {
    uint64_t digest; /* of the ids */
    int64_t start;   /* first row */
    int32_t n;       /* rows */
} entry;

struct skv_text_file {
    skv_h5 *h5;
    char *path, *device;
    int width;
    int64_t n_rows; /* in the file, used or not */
    entry *entries; /* by digest */
    int64_t n;
};

struct skv_text_writer {
    skv_h5 *h5;
    char *path;
    int width;
    int64_t n_rows, used;
    entry *entries;
    int64_t n, room;
};

uint64_t skv_text_digest(const int32_t *ids, int n)
{
    return skv_digest_of(ids, (size_t)n * sizeof *ids).low;
}

static int by_digest(const void *a, const void *b)
{
    const entry *x = a, *y = b;

    return x->digest < y->digest ? -1 : x->digest > y->digest;
}

static const entry *find(const skv_text_file *f, const int32_t *ids, int n)
{
    const entry key = {.digest = skv_text_digest(ids, n)};

    if (!f || f->n == 0)
        return NULL;
    return bsearch(&key, f->entries, (size_t)f->n, sizeof key, by_digest);
}

static skv_h5_layout rows_of(int64_t n_rows, int width)
{
    return (skv_h5_layout){.type = SKV_H5_F32,
                           .n_dims = 2,
                           .shape = {n_rows, width},
                           .rows_per_chunk = ROWS_PER_CHUNK,
                           .checksum = true,
                           .long_name = "text features, all texts one after another",
                           .units = "1"};
}

static skv_h5_layout ids_of(int64_t n_rows)
{
    return (skv_h5_layout){.type = SKV_H5_I32,
                           .n_dims = 1,
                           .shape = {n_rows},
                           .rows_per_chunk = IDS_PER_CHUNK,
                           .checksum = true,
                           .long_name = "token ids, all texts one after another",
                           .units = "1"};
}

/* ---------------------------------------------------------------- reading */

/* An attribute that must be there. */
static skv_status text_attribute(char **out, const skv_text_file *f, const char *key)
{
    const skv_status st = skv_h5_get_text(out, f->h5, "/", key);

    return st == SKV_E_NOTFOUND
               ? skv_fail(SKV_E_SHAPE, "%s: not a file of encoded texts: it has no \"%s\"", f->path,
                          key)
               : st;
}

static skv_status check_t5(const skv_text_file *f, const skv_text_origin *origin)
{
    char *t5 = NULL;
    skv_status st = SKV_OK;

    SKV_TRY(text_attribute(&t5, f, "t5_digest"));
    if (!skv_digest_is_text(t5))
        st = skv_fail(SKV_E_SHAPE,
                      "%s: written by an older version of skv, which knew T5 by a shorter digest; "
                      "name another file",
                      f->path);
    else if (strcmp(t5, origin->t5) != 0)
        st = skv_fail(SKV_E_SHAPE,
                      "%s: encoded by another T5 checkpoint (digest %s, this run's is %s); name "
                      "another file",
                      f->path, t5, origin->t5);
    free(t5);
    return st;
}

static skv_status check_device(skv_text_file *f, const skv_text_origin *origin)
{
    SKV_TRY(text_attribute(&f->device, f, "device"));
    if (strcmp(f->device, origin->device) == 0)
        return SKV_OK;
    if (!origin->any_device)
        return skv_fail(SKV_E_FORMAT,
                        "%s: encoded on %s, this is %s: pictures would differ from a run without "
                        "it (--allow-other-device accepts it anyway)",
                        f->path, f->device, origin->device);
    skv_warn("%s: encoded on %s, this is %s: pictures may differ from a run without it", f->path,
             f->device, origin->device);
    return SKV_OK;
}

static skv_status check_origin(skv_text_file *f, const skv_text_origin *origin)
{
    char *kind = NULL;
    bool right;

    SKV_TRY(text_attribute(&kind, f, "kind"));
    right = strcmp(kind, KIND) == 0;
    free(kind);
    if (!right)
        return skv_fail(SKV_E_FORMAT, "%s: not a file of encoded texts: its kind is another",
                        f->path);
    SKV_TRY(check_t5(f, origin));
    return check_device(f, origin);
}

static skv_status check_entry(const skv_text_file *f, int64_t i)
{
    const entry *e = &f->entries[i];

    if (e->n < 1 || e->n > SKV_MAX_TOKENS || e->start < 0 || e->start > f->n_rows - e->n)
        return skv_fail(SKV_E_FORMAT,
                        "%s: text %" PRId64 " has %d tokens from row %" PRId64
                        " on, the file has %" PRId64 " rows",
                        f->path, i, (int)e->n, e->start, f->n_rows);
    if (i > 0 && f->entries[i - 1].digest >= e->digest)
        return skv_fail(SKV_E_FORMAT, "%s: the texts are not in order at text %" PRId64, f->path,
                        i);
    return SKV_OK;
}

static skv_status read_index(skv_text_file *f)
{
    skv_h5_layout one = {.type = SKV_H5_U64, .n_dims = 1, .shape = {-1}};
    uint64_t *digest = NULL;
    int64_t *start = NULL;
    int32_t *tokens = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_h5_read(&digest, f->h5, DIGEST, &one, INDEX_MAX_BYTES, true), done);
    f->n = one.shape[0];
    one.type = SKV_H5_I64;
    SKV_TRY_GOTO(skv_h5_read(&start, f->h5, START, &one, INDEX_MAX_BYTES, true), done);
    one.type = SKV_H5_I32;
    SKV_TRY_GOTO(skv_h5_read(&tokens, f->h5, TOKENS, &one, INDEX_MAX_BYTES, true), done);
    SKV_TRY_GOTO(skv_alloc(&f->entries, (size_t)f->n, sizeof *f->entries, f->path), done);
    for (int64_t i = 0; i < f->n; i++) {
        f->entries[i] = (entry){digest[i], start[i], tokens[i]};
        SKV_TRY_GOTO(check_entry(f, i), done);
    }
done:
    free(digest);
    free(start);
    free(tokens);
    return st;
}

static skv_status open_file(skv_text_file *f, const skv_text_origin *origin)
{
    skv_h5_layout rows = {.type = SKV_H5_F32, .n_dims = 2, .shape = {-1, origin->width}};
    skv_h5_layout ids = {.type = SKV_H5_I32, .n_dims = 1};

    SKV_TRY(skv_h5_open(&f->h5, f->path));
    SKV_TRY(check_origin(f, origin));
    SKV_TRY(skv_h5_expect(f->h5, FEATURES, &rows));
    f->n_rows = ids.shape[0] = rows.shape[0];
    SKV_TRY(skv_h5_expect(f->h5, IDS, &ids));
    return read_index(f);
}

skv_status skv_text_file_open(skv_text_file **out, const char *path, const skv_text_origin *origin)
{
    skv_text_file *f = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&f, 1, sizeof *f, path));
    f->width = origin->width;
    SKV_TRY_GOTO(skv_text_copy(&f->path, path), done);
    SKV_TRY_GOTO(open_file(f, origin), done);
    *out = f;
    f = NULL;
done:
    skv_text_file_close(f);
    return st;
}

void skv_text_file_close(skv_text_file *f)
{
    if (!f)
        return;
    skv_h5_close(f->h5);
    free(f->path);
    free(f->device);
    free(f->entries);
    free(f);
}

int64_t skv_text_file_count(const skv_text_file *f)
{
    return f ? f->n : 0;
}

bool skv_text_file_has(const skv_text_file *f, const int32_t *ids, int n)
{
    return find(f, ids, n) != NULL;
}

skv_status skv_text_file_read(skv_text_file *f, const int32_t *ids, int n, float *out)
{
    skv_h5_layout rows = {.type = SKV_H5_F32, .n_dims = 2, .shape = {f->n_rows, f->width}};
    skv_h5_layout there = {.type = SKV_H5_I32, .n_dims = 1, .shape = {f->n_rows}};
    const entry *e = find(f, ids, n);
    int32_t kept[SKV_MAX_TOKENS];

    if (!e)
        return skv_fail(SKV_E_NOTFOUND, "%s: a prompt of this run is not in it", f->path);
    /* a digest is not the ids: another text's features would go unnoticed */
    SKV_TRY(skv_h5_read_rows(f->h5, IDS, &there, e->start, e->n, kept));
    if (e->n != n || memcmp(kept, ids, (size_t)n * sizeof *ids) != 0)
        return skv_fail(SKV_E_FORMAT,
                        "%s: holds another prompt's tokens in place of one of this run", f->path);
    return skv_h5_read_rows(f->h5, FEATURES, &rows, e->start, n, out);
}

/* ---------------------------------------------------------------- writing */

static skv_status make_sets(skv_text_writer *w, const skv_text_origin *origin,
                            const skv_text_file *old)
{
    const skv_h5_layout rows = rows_of(w->n_rows, w->width), ids = ids_of(w->n_rows);
    const bool same = !old || strcmp(old->device, origin->device) == 0;

    SKV_TRY(skv_h5_create(&w->h5, w->path));
    SKV_TRY(skv_h5_set_text(w->h5, "/", "kind", KIND));
    SKV_TRY(skv_h5_set_text(w->h5, "/", "t5_digest", origin->t5));
    SKV_TRY(skv_h5_set_text(w->h5, "/", "device", same ? origin->device : SEVERAL));
    SKV_TRY(skv_h5_make(w->h5, FEATURES, &rows));
    return skv_h5_make(w->h5, IDS, &ids);
}

static skv_status copy_rows(skv_text_writer *w, skv_text_file *old, int64_t used)
{
    skv_h5_layout rows = {.type = SKV_H5_F32, .n_dims = 2, .shape = {old->n_rows, w->width}};
    skv_h5_layout ids = {.type = SKV_H5_I32, .n_dims = 1, .shape = {old->n_rows}};
    float *features = NULL;
    int32_t *tokens = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&features, COPY_ROWS * (size_t)w->width, sizeof *features, w->path),
                 done);
    SKV_TRY_GOTO(skv_alloc(&tokens, COPY_ROWS, sizeof *tokens, w->path), done);
    for (int64_t at = 0; at < used; at += COPY_ROWS) {
        const int64_t n = used - at < COPY_ROWS ? used - at : COPY_ROWS;

        SKV_TRY_GOTO(skv_h5_read_rows(old->h5, FEATURES, &rows, at, n, features), done);
        SKV_TRY_GOTO(skv_h5_read_rows(old->h5, IDS, &ids, at, n, tokens), done);
        SKV_TRY_GOTO(skv_h5_append(w->h5, FEATURES, n, SKV_H5_F32, features), done);
        SKV_TRY_GOTO(skv_h5_append(w->h5, IDS, n, SKV_H5_I32, tokens), done);
    }
done:
    free(features);
    free(tokens);
    return st;
}

/* Rows up to the end of the last text. */
static int64_t rows_used(const skv_text_file *f)
{
    int64_t used = 0;

    for (int64_t i = 0; f && i < f->n; i++)
        if (f->entries[i].start + f->entries[i].n > used)
            used = f->entries[i].start + f->entries[i].n;
    return used;
}

static skv_status begin(skv_text_writer *w, const skv_text_origin *origin, skv_text_file *old,
                        int64_t n_tokens)
{
    const int64_t used = rows_used(old);

    w->n_rows = used + n_tokens;
    SKV_TRY(skv_alloc(&w->entries, (size_t)w->room, sizeof *w->entries, w->path));
    SKV_TRY(make_sets(w, origin, old));
    if (!old)
        return SKV_OK;
    SKV_TRY(copy_rows(w, old, used));
    if (old->n > 0)
        memcpy(w->entries, old->entries, (size_t)old->n * sizeof *w->entries);
    w->n = old->n;
    w->used = used;
    return SKV_OK;
}

skv_status skv_text_writer_create(skv_text_writer **out, const char *path,
                                  const skv_text_origin *origin, skv_text_file *old,
                                  int64_t n_texts, int64_t n_tokens)
{
    skv_text_writer *w = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&w, 1, sizeof *w, path));
    w->width = origin->width;
    w->room = skv_text_file_count(old) + n_texts;
    SKV_TRY_GOTO(skv_text_copy(&w->path, path), done);
    SKV_TRY_GOTO(begin(w, origin, old, n_tokens), done);
    *out = w;
    w = NULL;
done:
    skv_text_writer_destroy(w);
    return st;
}

skv_status skv_text_writer_add(skv_text_writer *w, const int32_t *ids, int n, const float *features)
{
    if (n < 1 || n > SKV_MAX_TOKENS || w->n == w->room || n > w->n_rows - w->used)
        return skv_fail(SKV_E_ARG, "%s: no room for a text of %d tokens", w->path, n);
    SKV_TRY(skv_h5_append(w->h5, FEATURES, n, SKV_H5_F32, features));
    SKV_TRY(skv_h5_append(w->h5, IDS, n, SKV_H5_I32, ids));
    w->entries[w->n++] = (entry){skv_text_digest(ids, n), w->used, n};
    w->used += n;
    return SKV_OK;
}

static skv_status write_index(skv_text_writer *w)
{
    skv_h5_layout one = {.type = SKV_H5_U64,
                         .n_dims = 1,
                         .shape = {w->n},
                         .long_name = "digest of a text's token ids, ascending",
                         .units = "1"};
    uint64_t *digest = NULL;
    int64_t *start = NULL;
    int32_t *tokens = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&digest, (size_t)w->n, sizeof *digest, w->path), done);
    SKV_TRY_GOTO(skv_alloc(&start, (size_t)w->n, sizeof *start, w->path), done);
    SKV_TRY_GOTO(skv_alloc(&tokens, (size_t)w->n, sizeof *tokens, w->path), done);
    qsort(w->entries, (size_t)w->n, sizeof *w->entries, by_digest);
    for (int64_t i = 0; i < w->n; i++) {
        digest[i] = w->entries[i].digest;
        start[i] = w->entries[i].start;
        tokens[i] = w->entries[i].n;
        if (i > 0 && digest[i] == digest[i - 1])
            SKV_TRY_GOTO(skv_fail(SKV_E_ARG, "%s: two texts have the same digest", w->path), done);
    }
    SKV_TRY_GOTO(skv_h5_write(w->h5, DIGEST, &one, digest), done);
    one.type = SKV_H5_I64;
    one.long_name = "first row of the text's features and ids";
    SKV_TRY_GOTO(skv_h5_write(w->h5, START, &one, start), done);
    one.type = SKV_H5_I32;
    one.long_name = "rows of the text";
    one.units = "tokens";
    st = skv_h5_write(w->h5, TOKENS, &one, tokens);
done:
    free(digest);
    free(start);
    free(tokens);
    return st;
}

/* Zeros in place of texts that were not added: a dataset with holes would not be read. */
static skv_status pad(skv_text_writer *w)
{
    float *features = NULL;
    int32_t *ids = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&features, COPY_ROWS * (size_t)w->width, sizeof *features, w->path),
                 done);
    SKV_TRY_GOTO(skv_alloc(&ids, COPY_ROWS, sizeof *ids, w->path), done);
    for (int64_t at = w->used; at < w->n_rows; at += COPY_ROWS) {
        const int64_t n = w->n_rows - at < COPY_ROWS ? w->n_rows - at : COPY_ROWS;

        SKV_TRY_GOTO(skv_h5_append(w->h5, FEATURES, n, SKV_H5_F32, features), done);
        SKV_TRY_GOTO(skv_h5_append(w->h5, IDS, n, SKV_H5_I32, ids), done);
    }
done:
    free(features);
    free(ids);
    return st;
}

skv_status skv_text_writer_commit(skv_text_writer **w)
{
    skv_status st = pad(*w);

    if (st == SKV_OK)
        st = write_index(*w);
    if (st == SKV_OK)
        st = skv_h5_commit(&(*w)->h5);
    skv_text_writer_destroy(*w);
    *w = NULL;
    return st;
}

void skv_text_writer_destroy(skv_text_writer *w)
{
    if (!w)
        return;
    skv_h5_close(w->h5);
    free(w->path);
    free(w->entries);
    free(w);
}
