/* Check: a folder as its evaluator would read it, held against what it should hold. */
#include "eval/layout/layout_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/parallel.h"
#include "core/text.h"
#include "io/tar_file.h"

#define MAX_METADATA_BYTES ((size_t)1 << 20)
#define MAX_INDEX_BYTES    ((size_t)256 << 20)
#define WHY_BYTES          1024

/* A picture as found, then as read. */
typedef struct {
    char *name;        /* relative, owned */
    char *why;         /* NULL: it could be read */
    int width, height; /* where it could be read */
} sized;

typedef struct {
    const skv_layout *layout;
    const skv_layout_set *set;
    const char *folder;
    skv_layout_report *report;
    uint8_t *there;                   /* (prompts, files): the picture was found; of a shard's rows
                                       * a bit for each of its files, as in member_endings */
    int64_t row;                      /* of the shard's file before; -1: none */
    uint8_t *metadata;                /* (prompts) */
    bool index;                       /* the index file was found */
    int files;                        /* of a prompt */
    char last[SKV_LAYOUT_PATH_BYTES]; /* picture seen before, where ids are not known */
    sized *size;                      /* of the pictures that could be read */
    size_t n_sizes;
} check;

/* ------------------------------------------------------------------- findings */

static skv_status note(skv_layout_report *r, skv_layout_fault kind, const char *name,
                       const char *fmt, ...) SKV_PRINTF(4, 5);

static skv_status note(skv_layout_report *r, skv_layout_fault kind, const char *name,
                       const char *fmt, ...)
{
    char why[WHY_BYTES], *block = NULL;
    const size_t name_bytes = strlen(name) + 1;
    va_list args;

    va_start(args, fmt);
    vsnprintf(why, sizeof why, fmt, args);
    va_end(args);
    SKV_TRY(skv_grow(&r->finding, r->n, sizeof *r->finding, "check"));
    SKV_TRY(skv_alloc(&block, name_bytes + strlen(why) + 1, 1, "check"));
    memcpy(block, name, name_bytes);
    memcpy(block + name_bytes, why, strlen(why) + 1);
    r->finding[r->n++] = (skv_layout_finding){kind, block, block + name_bytes};
    r->count[kind]++;
    return SKV_OK;
}

void skv_layout_report_clear(skv_layout_report *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->finding[i].name);
    free(r->finding);
    *r = (skv_layout_report){0};
}

/* ------------------------------------------------------------------ a picture */

static skv_status keep_picture(check *c, const char *name)
{
    char *copy = NULL;

    SKV_TRY(skv_grow(&c->size, c->n_sizes, sizeof *c->size, "check"));
    SKV_TRY(skv_text_copy(&copy, name));
    c->size[c->n_sizes++] = (sized){.name = copy};
    return SKV_OK;
}

/* A reader's message without the file's name at its beginning. */
static const char *reason(const char *path)
{
    const char *text = skv_message();
    const size_t n = strlen(path);

    return strncmp(text, path, n) == 0 && strncmp(text + n, ": ", 2) == 0 ? text + n + 2 : text;
}

/* Without ids: names with the same part before the first dot follow each other. */
static bool same_key(check *c, const char *name)
{
    const size_t key = strcspn(name, ".");
    const bool same = strncmp(c->last, name, key) == 0 && strcspn(c->last, ".") == key;

    snprintf(c->last, sizeof c->last, "%s", name);
    return same;
}

static skv_status see_picture(check *c, const skv_layout_entry *e, const char *name)
{
    uint8_t *there = e->prompt < 0 ? NULL : &c->there[e->prompt * c->files + e->sample];

    if (there && *there)
        return note(c->report, SKV_FOUND_DUPLICATE, name,
                    "a second picture of prompt %lld, sample %d; both are read",
                    (long long)e->prompt, e->sample);
    if (!there && same_key(c, name))
        return note(c->report, SKV_FOUND_DUPLICATE, name, "a second picture of this item");
    if (there)
        *there = 1;
    return keep_picture(c, name);
}

/* Decodes picture i of the list; called by several threads. */
static skv_status read_picture(void *ctx, int64_t i)
{
    check *c = ctx;
    sized *s = &c->size[i];
    char path[SKV_LAYOUT_PATH_BYTES];
    skv_picture picture = {0};
    skv_status st;

    if (s->width > 0) /* of a shard */
        return SKV_OK;
    SKV_TRY(skv_layout_join(path, c->folder, s->name));
    st = skv_picture_read(&picture, path);
    if (st == SKV_E_MEM)
        return st;
    if (st != SKV_OK)
        return skv_text_copy(&s->why, reason(path));
    s->width = picture.width;
    s->height = picture.height;
    free(picture.rgb);
    return SKV_OK;
}

/* Damaged ones become findings and leave the list. */
static skv_status read_pictures(check *c, int threads)
{
    skv_status st;
    size_t n = 0;

    SKV_TRY(skv_parallel(threads, (int64_t)c->n_sizes, read_picture, c));
    for (size_t i = 0; i < c->n_sizes; i++) {
        const sized one = c->size[i];

        c->size[i] = (sized){0};
        if (!one.why) {
            c->size[n++] = one;
            continue;
        }
        st = note(c->report, SKV_FOUND_DAMAGED, one.name, "%s", one.why);
        free(one.why);
        free(one.name);
        SKV_TRY(st);
    }
    c->n_sizes = n;
    return SKV_OK;
}

/* The evaluator parses the whole file as one JSON value. */
static skv_status see_metadata(check *c, int64_t prompt, const char *name)
{
    char path[SKV_LAYOUT_PATH_BYTES], *bytes = NULL;
    json_t *have = NULL, *want = NULL;
    const char *fault = NULL;
    size_t n = 0;
    skv_status st;

    c->metadata[prompt] = 1;
    SKV_TRY(skv_layout_join(path, c->folder, name));
    st = skv_file_read(&bytes, &n, path, MAX_METADATA_BYTES);
    if (st == SKV_OK)
        st = skv_json_parse(&have, bytes, n, path);
    if (st != SKV_OK) {
        st = st == SKV_E_MEM ? st : note(c->report, SKV_FOUND_DAMAGED, name, "%s", reason(path));
        goto done;
    }
    fault = c->layout->metadata_fault(have);
    if (!fault && c->set->line && c->set->line[prompt][0]) {
        const char *line = c->set->line[prompt];

        SKV_TRY_GOTO(skv_json_parse(&want, line, strlen(line), "the prompt list"), done);
        fault = json_equal(have, want) ? NULL : "not the object of this line of the prompt list";
    }
    if (fault)
        st = note(c->report, SKV_FOUND_DAMAGED, name, "%s", fault);
done:
    json_decref(have);
    json_decref(want);
    free(bytes);
    return st;
}

/* -------------------------------------------------------------------- a shard */

static const char *const member_endings[] = {".png", ".txt", ".json"};
enum { PNG, TXT, JSON, MEMBERS };

/* The picture of a shard, by its name with the shard's before it. */
static skv_status see_shard_picture(check *c, const char *name, const uint8_t *data, size_t bytes)
{
    skv_png png;
    const skv_status st = skv_png_decode(&png, data, bytes, name);

    if (st == SKV_E_MEM)
        return st;
    if (st != SKV_OK)
        return note(c->report, SKV_FOUND_DAMAGED, name, "%s", reason(name));
    SKV_TRY(keep_picture(c, name));
    c->size[c->n_sizes - 1].width = png.width;
    c->size[c->n_sizes - 1].height = png.height;
    skv_png_clear(&png);
    return SKV_OK;
}

/* Text and recipe. *fault NULL: fine. */
static skv_status read_texts(const char **fault, const check *c, int64_t row, int kind,
                             const char *data, size_t bytes)
{
    const char *want = c->set->text ? c->set->text[row / c->set->samples] : NULL;
    json_t *object = NULL;
    skv_status st;

    *fault = NULL;
    if (kind == TXT && want && (strlen(want) != bytes || memcmp(want, data, bytes) != 0))
        *fault = "not the prompt of this row";
    if (kind != JSON)
        return SKV_OK;
    st = skv_json_parse(&object, data, bytes, "recipe");
    if (st == SKV_E_MEM)
        return st;
    if (st != SKV_OK || !json_is_object(object))
        *fault = "not a JSON object";
    json_decref(object);
    return SKV_OK;
}

/* A file of a shard: `name` behind the shard's in `full`. */
static skv_status see_member(check *c, const char *full, const char *name, const uint8_t *data,
                             size_t bytes)
{
    const char *ending, *fault = NULL;
    int kind = 0;
    int64_t row;

    if (skv_layout__shard_member(&row, &ending, name, c->set))
        while (kind < MEMBERS && strcmp(ending, member_endings[kind]) != 0)
            kind++;
    else
        kind = MEMBERS;
    if (kind == MEMBERS)
        return note(c->report, SKV_FOUND_EXTRA, full, "no row of the list has such a file");
    if (c->there[row] & 1 << kind)
        return note(c->report, SKV_FOUND_DUPLICATE, full, "a second one of this row");
    if (c->row != row && c->there[row])
        fault = "does not follow the row's other files, so it is taken for another sample";
    c->row = row;
    c->there[row] |= (uint8_t)(1 << kind);
    if (kind == PNG)
        SKV_TRY(see_shard_picture(c, full, data, bytes));
    else if (!fault)
        SKV_TRY(read_texts(&fault, c, row, kind, (const char *)data, bytes));
    return fault ? note(c->report, SKV_FOUND_DAMAGED, full, "%s", fault) : SKV_OK;
}

static skv_status see_members(check *c, skv_tar_reader *r, const char *shard)
{
    char name[SKV_TAR_NAME_BYTES], full[SKV_LAYOUT_PATH_BYTES];
    bool more = true;

    c->row = -1;
    while (more) {
        uint8_t *data = NULL;
        size_t bytes = 0;
        skv_status st = skv_tar_next(&more, name, &data, &bytes, r);

        if (st == SKV_OK && more)
            st = skv_layout_join(full, shard, name);
        if (st == SKV_OK && more)
            st = see_member(c, full, name, data, bytes);
        free(data);
        SKV_TRY(st);
    }
    return SKV_OK;
}

static skv_status see_shard(check *c, const char *name)
{
    char path[SKV_LAYOUT_PATH_BYTES];
    skv_tar_reader r;
    skv_status st;

    SKV_TRY(skv_layout_join(path, c->folder, name));
    st = skv_tar_open(&r, path);
    if (st == SKV_OK)
        st = see_members(c, &r, name);
    skv_tar_close(&r);
    return st == SKV_OK || st == SKV_E_MEM
               ? st
               : note(c->report, SKV_FOUND_DAMAGED, name, "%s", reason(path));
}

/* Of a row with a picture, the other files that are not there. */
static skv_status find_missing_texts(check *c, int64_t row, char *name)
{
    for (int kind = TXT; kind < MEMBERS; kind++) {
        if (c->there[row] & 1 << kind)
            continue;
        strcpy(strrchr(name, '.'), member_endings[kind]);
        SKV_TRY(note(c->report, SKV_FOUND_MISSING, name, "%s", ""));
    }
    return SKV_OK;
}

/* --------------------------------------------------------------------- a walk */

static skv_status walk(check *c, const char *inside);

static skv_status see(check *c, const char *name)
{
    char path[SKV_LAYOUT_PATH_BYTES];
    skv_layout_entry e;
    struct stat info;

    SKV_TRY(skv_layout_join(path, c->folder, name));
    skv_layout_judge(&e, c->layout, c->set, name, stat(path, &info) == 0 && S_ISDIR(info.st_mode));
    switch (e.kind) {
    case SKV_LAYOUT_PICTURE:
        return see_picture(c, &e, name);
    case SKV_LAYOUT_METADATA:
        return see_metadata(c, e.prompt, name);
    case SKV_LAYOUT_INDEX:
        c->index = true;
        return SKV_OK;
    case SKV_LAYOUT_SHARD:
        return see_shard(c, name);
    case SKV_LAYOUT_FOLDER:
        return walk(c, name);
    case SKV_LAYOUT_READ:
        return note(c->report, SKV_FOUND_EXTRA, name, "%s", e.why);
    case SKV_LAYOUT_IGNORED:
        c->report->n_ignored++;
        return e.why ? note(c->report, SKV_FOUND_IGNORED, name, "%s", e.why) : SKV_OK;
    }
    return SKV_OK;
}

/* Entries in order of their bytes. Folders nest as deep as the layout's own: judge says which. */
static skv_status walk(check *c, const char *inside) /* NOLINT(misc-no-recursion) */
{
    char path[SKV_LAYOUT_PATH_BYTES];
    skv_names l = {0};
    skv_status st;

    SKV_TRY(skv_layout_join(path, c->folder, inside));
    st = skv_folder_names(&l, path, 0);
    for (size_t i = 0; i < l.n && st == SKV_OK; i++) {
        st = skv_layout_join(path, inside, l.name[i]);
        if (st == SKV_OK)
            st = see(c, path);
    }
    skv_names_clear(&l);
    return st;
}

/* -------------------------------------------------------------------- verdict */

/* The index file must name the pictures that were found, where they are now. */
static skv_status find_index(check *c)
{
    char parent[SKV_LAYOUT_PATH_BYTES], own[SKV_LAYOUT_PATH_BYTES], path[SKV_LAYOUT_PATH_BYTES];
    const char *name = c->layout->index;
    json_t *have = NULL, *want = NULL;
    char *bytes = NULL;
    size_t n = 0;
    skv_status st;

    if (!c->index)
        return note(c->report, SKV_FOUND_MISSING, name, "%s", "");
    if (!c->set->text)
        return SKV_OK;
    SKV_TRY(skv_layout_absolute(parent, own, c->folder));
    SKV_TRY(skv_layout_join(path, parent, own));
    want = c->layout->make_index(c->layout, c->set, path, c->there);
    if (!want)
        return skv_fail(SKV_E_MEM, "out of memory for %s", name);
    SKV_TRY_GOTO(skv_layout_join(path, c->folder, name), done);
    st = skv_file_read(&bytes, &n, path, MAX_INDEX_BYTES);
    if (st == SKV_OK)
        st = skv_json_parse(&have, bytes, n, path);
    if (st == SKV_E_MEM)
        goto done;
    if (st != SKV_OK)
        st = note(c->report, SKV_FOUND_DAMAGED, name, "%s", reason(path));
    else if (!json_equal(have, want))
        st = note(c->report, SKV_FOUND_DAMAGED, name,
                  "does not name the pictures that are here by their present absolute names: was "
                  "the folder moved?");
done:
    json_decref(have);
    json_decref(want);
    free(bytes);
    return st;
}

static skv_status find_missing(check *c)
{
    char name[SKV_LAYOUT_NAME_BYTES];

    if (skv_layout_needs_list(c->layout) && !c->set->id) { /* a count is all there is */
        const int64_t have = (int64_t)c->n_sizes + c->report->count[SKV_FOUND_DAMAGED];
        const int64_t want = c->set->n * c->files;

        if (have == want)
            return SKV_OK;
        return note(c->report, have < want ? SKV_FOUND_MISSING : SKV_FOUND_EXTRA, ".",
                    "%lld picture%s, want %lld; --prompts would say which", (long long)have,
                    skv_s(have), (long long)want);
    }
    for (int64_t p = 0; p < c->set->n; p++) {
        if (c->layout->metadata && !c->metadata[p]) {
            skv_layout_metadata(name, c->layout, p);
            SKV_TRY(note(c->report, SKV_FOUND_MISSING, name, "%s", ""));
        }
        for (int s = 0; s < c->files; s++) {
            const bool there = c->there[p * c->files + s] & 1;

            if (there && !c->layout->shards)
                continue;
            skv_layout_picture(name, c->layout, c->set, p, s);
            if (there)
                SKV_TRY(find_missing_texts(c, p * c->files + s, name));
            else
                SKV_TRY(note(c->report, SKV_FOUND_MISSING, name, "%s",
                             c->set->why ? c->set->why[p] : ""));
        }
    }
    return SKV_OK;
}

static int by_size(const void *a, const void *b)
{
    const sized *x = a, *y = b;

    if (x->width != y->width)
        return x->width < y->width ? -1 : 1;
    if (x->height != y->height)
        return x->height < y->height ? -1 : 1;
    return strcmp(x->name, y->name);
}

static bool fits_tiles(const sized *s, const skv_layout *l)
{
    return (!l->square || s->width == s->height) && s->width % l->tiles == 0 &&
           s->height % l->tiles == 0;
}

/* The size that most pictures have, where none is given. */
static void most_common(skv_layout_report *r, const check *c)
{
    size_t best = 0;

    for (size_t i = 0, n = 1; i < c->n_sizes; i++, n++) {
        if (i > 0 && (c->size[i].width != c->size[i - 1].width ||
                      c->size[i].height != c->size[i - 1].height))
            n = 1;
        if (n > best && fits_tiles(&c->size[i], c->layout)) {
            best = n;
            r->width = c->size[i].width;
            r->height = c->size[i].height;
        }
    }
}

static skv_status find_sizes(check *c)
{
    skv_layout_report *r = c->report;
    const int tiles = c->layout->tiles;

    if (c->n_sizes > 0)
        qsort(c->size, c->n_sizes, sizeof *c->size, by_size);
    if (c->set->side > 0)
        r->width = r->height = c->set->side * tiles;
    else
        most_common(r, c);
    for (size_t i = 0; i < c->n_sizes; i++) {
        const sized *s = &c->size[i];

        if (!fits_tiles(s, c->layout))
            SKV_TRY(note(r, SKV_FOUND_SIZE, s->name, "%dx%d, want %s of %d by %d equal samples",
                         s->width, s->height, c->layout->square ? "a square" : "a picture", tiles,
                         tiles));
        else if (s->width != r->width || s->height != r->height)
            SKV_TRY(note(r, SKV_FOUND_SIZE, s->name, "%dx%d, want %dx%d", s->width, s->height,
                         r->width, r->height));
        else
            r->n_good++;
    }
    return SKV_OK;
}

static int by_kind(const void *a, const void *b)
{
    const skv_layout_finding *x = a, *y = b;

    return x->kind != y->kind ? (x->kind < y->kind ? -1 : 1) : strcmp(x->name, y->name);
}

skv_status skv_layout_check(skv_layout_report *out, const skv_layout *layout,
                            const skv_layout_set *set, const char *folder, int threads)
{
    check c = {.layout = layout,
               .set = set,
               .folder = folder,
               .report = out,
               .files = skv_layout_files(layout, set)};
    skv_status st;

    *out = (skv_layout_report){.n_expected = set->n * c.files};
    if (strlen(folder) + 2 * SKV_LAYOUT_NAME_BYTES > SKV_LAYOUT_PATH_BYTES)
        return skv_fail(SKV_E_ARG, "%s: the folder's name is too long", folder);
    SKV_TRY_GOTO(skv_alloc(&c.there, (size_t)set->n, (size_t)c.files, "check"), done);
    SKV_TRY_GOTO(skv_alloc(&c.metadata, (size_t)set->n, 1, "check"), done);
    SKV_TRY_GOTO(walk(&c, ""), done);
    SKV_TRY_GOTO(read_pictures(&c, threads), done);
    SKV_TRY_GOTO(find_missing(&c), done);
    if (layout->index)
        SKV_TRY_GOTO(find_index(&c), done);
    SKV_TRY_GOTO(find_sizes(&c), done);
    if (out->n > 0)
        qsort(out->finding, out->n, sizeof *out->finding, by_kind);
done:
    for (size_t i = 0; i < c.n_sizes; i++) {
        free(c.size[i].name);
        free(c.size[i].why);
    }
    free(c.size);
    free(c.there);
    free(c.metadata);
    if (st != SKV_OK)
        skv_layout_report_clear(out);
    return st;
}
