/* Shards are mapped once and closed together; entries of all of them lie in one sorted list. */
#include "io/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/folder.h"
#include "core/json.h"
#include "core/known_file.h"
#include "core/mem.h"
#include "core/text.h"
#include "io/checkpoint_internal.h"
#include "io/safetensors.h"
#include "io/torch_file.h"

#define MAX_SHARDS 4096

typedef struct {
    char *path;
    uint8_t *data;
    size_t bytes;
    skv_torch_file *torch; /* its records, for checksums; NULL: no torch file */
} shard;

struct skv_checkpoint {
    shard *shards;
    int n_shards;
    skv_entries entries;
    char *place;         /* what stands before the names of the model that is read; NULL: nothing */
    const char *wrapper; /* the first part that was taken out of a name; NULL: none was */
    char *taken_off;     /* for people, NULL: nothing */
    char format[64];
};

static skv_status map_file(shard *s, const char *path)
{
    struct stat info;
    skv_status st = SKV_OK;
    void *data;
    int fd = -1;

    SKV_TRY(skv_file_open(&fd, path, 0));
    if (fstat(fd, &info) != 0 || info.st_size < 1) {
        st = skv_fail(SKV_E_FORMAT, "%s: is empty", path);
        goto done;
    }
    data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) {
        st = skv_fail(SKV_E_IO, "%s: cannot map: %s", path, strerror(errno));
        goto done;
    }
    s->data = data;
    s->bytes = (size_t)info.st_size;
    st = skv_text_copy(&s->path, path);
done:
    close(fd);
    return st;
}

/* Maps a file and appends its tensors; *kind names the container. */
static skv_status add_file(skv_checkpoint *ck, const char *path, const char **kind)
{
    const char *known;
    shard *s;

    SKV_TRY(skv_grow(&ck->shards, (size_t)ck->n_shards, sizeof *ck->shards, path));
    s = &ck->shards[ck->n_shards];
    *s = (shard){0};
    ck->n_shards++;
    SKV_TRY(map_file(s, path));
    known = skv_known_file(s->data, s->bytes);
    if (known)
        return skv_fail(SKV_E_FORMAT, "%s %s", path, known);
    if (skv_torch_file_is(s->data, s->bytes))
        return skv_torch_file_read(&ck->entries, &s->torch, kind, s->data, s->bytes, s->path,
                                   ck->n_shards - 1);
    *kind = "safetensors";
    return skv_safetensors_read(&ck->entries, s->data, s->bytes, s->path, ck->n_shards - 1);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const skv_entry *)a)->name, ((const skv_entry *)b)->name);
}

static skv_status sort(skv_checkpoint *ck, const char *path)
{
    skv_entries *l = &ck->entries;

    if (l->n == 0)
        return SKV_OK;
    qsort(l->entry, l->n, sizeof *l->entry, by_name);
    for (size_t i = 1; i < l->n; i++)
        if (strcmp(l->entry[i - 1].name, l->entry[i].name) == 0)
            return skv_fail(SKV_E_FORMAT, "%s: two tensors are named %.200s", path,
                            l->entry[i].name);
    return SKV_OK;
}

/* ----------------------------------------------------------------------- names */

/* Parts that wrappers put into the names of what is inside them, at any depth. */
static const char *const wrappers[] = {"_orig_mod.", "_fsdp_wrapped_module.",
                                       "_checkpoint_wrapped_module."};

/* Takes them out of the name, in place; NULL: it has none. */
static const char *unwrap(char *name)
{
    const char *first = NULL;

    for (size_t k = 0; k < sizeof wrappers / sizeof wrappers[0]; k++) {
        const size_t n = strlen(wrappers[k]);
        char *at = name;

        while ((at = strstr(at, wrappers[k])) != NULL) {
            if (at > name && at[-1] != '.') {
                at += n;
                continue;
            }
            memmove(at, at + n, strlen(at + n) + 1);
            first = first ? first : wrappers[k];
        }
    }
    return first;
}

static int other_by_name(const void *a, const void *b)
{
    return strcmp(((const skv_other_entry *)a)->name, ((const skv_other_entry *)b)->name);
}

static skv_status unwrap_all(skv_checkpoint *ck, const char *path)
{
    skv_entries *l = &ck->entries;

    for (size_t i = 0; i < l->n; i++) {
        const char *wrapper = unwrap((char *)(uintptr_t)l->entry[i].name);

        ck->wrapper = ck->wrapper ? ck->wrapper : wrapper;
    }
    for (size_t i = 0; i < l->n_other; i++)
        (void)unwrap(l->other[i].name);
    if (l->n_other > 0)
        qsort(l->other, l->n_other, sizeof *l->other, other_by_name);
    if (!ck->wrapper)
        return SKV_OK;
    SKV_TRY(sort(ck, path));
    return skv_checkpoint__set_place(ck, "", 0, NULL, 0);
}

skv_status skv_checkpoint__set_place(skv_checkpoint *ck, const char *place, size_t bytes,
                                     const char *further, size_t further_bytes)
{
    char text[3 * SKV_ENTRY_NAME] = "";
    char *copy = strndup(place, bytes);
    int n = 0;

    if (!copy)
        return skv_fail(SKV_E_MEM, "names of a checkpoint: out of memory");
    free(ck->place);
    free(ck->taken_off);
    ck->place = copy;
    ck->taken_off = NULL;
    if (bytes > 0)
        n = snprintf(text, sizeof text, "\"%s\"", copy);
    if (ck->wrapper)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s\"%s\"", n > 0 ? " and " : "",
                      ck->wrapper);
    if (n > 0)
        n += snprintf(text + n, sizeof text - (size_t)n, " %s taken off the names of its tensors",
                      bytes > 0 && ck->wrapper ? "are" : "is");
    if (further)
        snprintf(text + n, sizeof text - (size_t)n, "%sthe tensors behind \"%.*s\" are not used",
                 n > 0 ? "; " : "", (int)further_bytes, further);
    return text[0] ? skv_text_copy(&ck->taken_off, text) : SKV_OK;
}

/* ---------------------------------------------------------------------- index */

static skv_status find_shard(int *out, skv_checkpoint *ck, const char *folder, const char *file,
                             const char *index, const char **kind)
{
    char *path = NULL;
    skv_status st;

    if (file[0] == '\0' || strchr(file, '/') || strstr(file, "..") || strcmp(file, ".") == 0)
        return skv_fail(SKV_E_FORMAT, "%s: shard \"%.200s\" is not a plain file name", index, file);
    SKV_TRY(skv_path_join(&path, folder, file));
    for (*out = 0; *out < ck->n_shards; (*out)++)
        if (strcmp(ck->shards[*out].path, path) == 0)
            break;
    st = SKV_OK;
    if (*out == ck->n_shards)
        st = ck->n_shards < MAX_SHARDS ? add_file(ck, path, kind)
                                       : skv_fail(SKV_E_FORMAT, "%s: too many shards", index);
    if (st == SKV_E_NOTFOUND)
        st = skv_fail(SKV_E_NOTFOUND, "%s: its shard %.200s is missing", index, file);
    free(path);
    return st;
}

static skv_status check_index(const skv_checkpoint *ck, const json_t *map, const char *index)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)map, name, value)
    {
        const skv_entry *e = skv_checkpoint__find_whole(ck, name);
        const char *slash = e ? strrchr(ck->shards[e->shard].path, '/') : NULL;

        if (!e ||
            strcmp(slash ? slash + 1 : ck->shards[e->shard].path, json_string_value(value)) != 0)
            return skv_fail(SKV_E_NOTFOUND, "%s: %.200s is not in its shard %.200s", index, name,
                            json_string_value(value));
    }
    return SKV_OK;
}

static skv_status open_index(skv_checkpoint *ck, const char *path)
{
    const char *slash = strrchr(path, '/'), *kind = "", *name;
    char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : NULL;
    json_t *root = NULL, *map, *value;
    skv_status st;
    int at;

    if (slash && !folder) {
        st = skv_fail(SKV_E_MEM, "%s: out of memory", path);
        goto done;
    }
    SKV_TRY_GOTO(skv_json_read(&root, path), done);
    map = json_object_get(root, "weight_map");
    if (!json_is_object(map) || json_object_size(map) == 0) {
        st = skv_fail(SKV_E_FORMAT, "%s: \"weight_map\" is missing or empty", path);
        goto done;
    }
    json_object_foreach(map, name, value)
    {
        if (!json_is_string(value)) {
            st = skv_fail(SKV_E_FORMAT, "%s: %.200s has no file name", path, name);
            goto done;
        }
        SKV_TRY_GOTO(find_shard(&at, ck, folder, json_string_value(value), path, &kind), done);
    }
    SKV_TRY_GOTO(sort(ck, path), done);
    SKV_TRY_GOTO(check_index(ck, map, path), done);
    snprintf(ck->format, sizeof ck->format, "%s, %d shards", kind, ck->n_shards);
done:
    json_decref(root);
    free(folder);
    return st;
}

/* ----------------------------------------------------------------------- open */

static skv_status open_single(skv_checkpoint *ck, const char *path)
{
    const char *kind = "";

    SKV_TRY(add_file(ck, path, &kind));
    snprintf(ck->format, sizeof ck->format, "%s", kind);
    return sort(ck, path);
}

static bool is_index(const char *path)
{
    const size_t n = strlen(path);

    return n > 5 && strcmp(path + n - 5, ".json") == 0;
}

static skv_status open_named(skv_checkpoint *ck, const char *path)
{
    return is_index(path) ? open_index(ck, path) : open_single(ck, path);
}

/* How much a name says that the file holds the weights: 2 an index, 1 weights, 0 neither. */
static int rank_of(const char *name)
{
    static const char *const endings[] = {".safetensors", ".bin", ".pth", ".pt", ".ckpt"};

    if (name[0] == '.')
        return 0;
    if (skv_ends_in(name, ".index.json"))
        return 2;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (skv_ends_in(name, endings[i]))
            return 1;
    return 0;
}

/* A folder's only index, or else its only file of weights, whatever it is called. */
static skv_status open_only(skv_checkpoint *ck, const char *folder)
{
    const char *found[2] = {NULL, NULL};
    int best = 1, n = 0;
    char *path = NULL;
    skv_names l = {0};
    skv_status st;

    SKV_TRY_GOTO(skv_folder_names(&l, folder, 0), done);
    for (size_t i = 0; i < l.n; i++) {
        const int rank = rank_of(l.name[i]);

        if (rank < best)
            continue;
        n = rank > best ? 0 : n;
        best = rank;
        found[n++ > 0] = l.name[i];
    }
    if (n != 1) {
        st = skv_fail(
            SKV_E_NOTFOUND,
            "%s: holds none of model.safetensors, pytorch_model.bin and their .index.json, "
            "and %s%s%s%s",
            folder, n ? "several others: " : "no other file of weights", n ? found[0] : "",
            n ? ", " : "", n ? found[1] : "");
        goto done;
    }
    SKV_TRY_GOTO(skv_path_join(&path, folder, found[0]), done);
    st = open_named(ck, path);
done:
    free(path);
    skv_names_clear(&l);
    return st;
}

/* Upstream's order of preference. */
static skv_status open_folder(skv_checkpoint *ck, const char *folder)
{
    static const char *const names[] = {"model.safetensors", "model.safetensors.index.json",
                                        "pytorch_model.bin", "pytorch_model.bin.index.json"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = NULL;
        skv_status st;

        SKV_TRY(skv_path_join(&path, folder, names[i]));
        if (access(path, F_OK) != 0) {
            st = errno == ENOENT ? SKV_OK : skv_cannot_open(path, errno);
            free(path);
            SKV_TRY(st);
            continue;
        }
        st = open_named(ck, path);
        free(path);
        return st;
    }
    return open_only(ck, folder);
}

skv_status skv_checkpoint_open(skv_checkpoint **out, const char *path)
{
    skv_checkpoint *ck = NULL;
    struct stat info;
    skv_status st;

    if (stat(path, &info) != 0)
        return skv_fail(skv_name_status(errno), "%s: %s", path, strerror(errno));
    SKV_TRY(skv_alloc(&ck, 1, sizeof *ck, path));
    if (S_ISDIR(info.st_mode))
        st = open_folder(ck, path);
    else
        st = is_index(path) ? open_index(ck, path) : open_single(ck, path);
    if (st == SKV_OK)
        st = unwrap_all(ck, path);
    if (st == SKV_OK)
        *out = ck;
    else
        skv_checkpoint_close(ck);
    return st;
}

void skv_checkpoint_close(skv_checkpoint *ck)
{
    if (!ck)
        return;
    for (int i = 0; i < ck->n_shards; i++) {
        skv_torch_file_close(ck->shards[i].torch);
        if (ck->shards[i].data)
            munmap(ck->shards[i].data, ck->shards[i].bytes);
        free(ck->shards[i].path);
    }
    skv_entries_clear(&ck->entries);
    free(ck->place);
    free(ck->taken_off);
    free(ck->shards);
    free(ck);
}

size_t skv_checkpoint_count(const skv_checkpoint *ck)
{
    return ck->entries.n;
}

const skv_entry *skv_checkpoint_at(const skv_checkpoint *ck, size_t i)
{
    return &ck->entries.entry[i];
}

const skv_entry *skv_checkpoint__find_whole(const skv_checkpoint *ck, const char *name)
{
    const skv_entry key = {.name = name};

    return ck->entries.n ? bsearch(&key, ck->entries.entry, ck->entries.n, sizeof key, by_name)
                         : NULL;
}

const skv_other_entry *skv_checkpoint__other(const skv_checkpoint *ck, const char *name)
{
    const skv_other_entry key = {.name = (char *)(uintptr_t)name};
    const skv_entries *l = &ck->entries;

    if (l->n_other == 0 || !name)
        return l->other;
    return bsearch(&key, l->other, l->n_other, sizeof key, other_by_name);
}

/* The name behind the place. */
static const char *whole_name(char *out, const skv_checkpoint *ck, const char *name)
{
    snprintf(out, SKV_ENTRY_NAME, "%s%s", ck->place ? ck->place : "", name);
    return out;
}

const skv_entry *skv_checkpoint_find(const skv_checkpoint *ck, const char *name)
{
    char whole[SKV_ENTRY_NAME];

    return skv_checkpoint__find_whole(ck, whole_name(whole, ck, name));
}

const char *skv_checkpoint_find_other(const skv_checkpoint *ck, const char *name)
{
    char whole[SKV_ENTRY_NAME];
    const skv_other_entry *o = skv_checkpoint__other(ck, whole_name(whole, ck, name));

    return o ? o->what : NULL;
}

const char *skv_checkpoint_taken_off(const skv_checkpoint *ck)
{
    return ck->taken_off;
}

skv_status skv_checkpoint_verify(const skv_checkpoint *ck, const skv_entry *e)
{
    if (!ck->shards[e->shard].torch || e->record == SIZE_MAX)
        return SKV_OK;
    return skv_torch_file_verify(ck->shards[e->shard].torch, e->record);
}

const char *skv_checkpoint_format(const skv_checkpoint *ck)
{
    return ck->format;
}
