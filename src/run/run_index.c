#include "run/run_index.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "core/aside.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"

/* The file: a line that names the form, the digests, a line a group, and the CRC-32 of all that. */
#define HEAD      "skv index 1\n%s\n%s\n"
#define MAX_LINE  192
#define MAX_BYTES ((size_t)SKV_INDEX_PIECE * MAX_LINE + 4096)
#define BELOW     3 /* index, the path, the piece */

typedef struct {
    bool there;
    int64_t size, seconds, nanoseconds, inode; /* of the file */
    skv_group_known known;
} entry;

struct skv_run_index {
    skv_run_index_of of;
    int64_t piece;
    bool changed;
    skv_stat_folder folder;
    entry entry[SKV_INDEX_PIECE];
};

int64_t skv_run_index_pieces(int64_t n_groups)
{
    return (n_groups + SKV_INDEX_PIECE - 1) / SKV_INDEX_PIECE;
}

/* ------------------------------------------------------------------- the file */

static bool name_piece(char *out, size_t bytes, const skv_run_index *ix)
{
    return snprintf(out, bytes, "%s/index/%s/%06lld.txt", ix->of.run->folder, ix->of.path,
                    (long long)ix->piece) < (int)bytes;
}

static bool parse_line(skv_run_index *ix, const char *line)
{
    long long group, size, seconds, nanoseconds, inode, first;
    int n_rows, whole;
    unsigned parts;
    uint32_t crc;

    if (sscanf(line, "%lld %lld %lld %lld %lld %lld %d %u %" SCNx32 " %d", &group, &size, &seconds,
               &nanoseconds, &inode, &first, &n_rows, &parts, &crc, &whole) != 10)
        return false;
    group -= ix->piece * SKV_INDEX_PIECE;
    if (group < 0 || group >= SKV_INDEX_PIECE)
        return false;
    ix->entry[group] =
        (entry){true, size, seconds, nanoseconds, inode, {{first, n_rows, parts, crc}, whole != 0}};
    return true;
}

/* False: nothing of it is to be believed. */
static bool parse(skv_run_index *ix, char *text, size_t bytes)
{
    char head[1024];
    const int n = snprintf(head, sizeof head, HEAD, ix->of.config_digest, ix->of.path_digest);
    char *last, *line = text + n, *state = NULL;

    if (bytes < (size_t)n + 9 || strncmp(text, head, (size_t)n) != 0 || text[bytes - 1] != '\n')
        return false;
    last = text + bytes - 9;
    if (strtoul(last, NULL, 16) != crc32(0, (const Bytef *)text, (uInt)(bytes - 9)))
        return false;
    *last = '\0';
    for (line = strtok_r(line, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
        if (!parse_line(ix, line))
            return false;
    return true;
}

static void read_piece(skv_run_index *ix)
{
    char file[4096], *text = NULL;
    size_t bytes = 0;

    if (!name_piece(file, sizeof file, ix) ||
        skv_file_read_below(&text, &bytes, file, BELOW, MAX_BYTES) != SKV_OK)
        return;
    if (!parse(ix, text, bytes)) {
        skv_debug("%s is not believed: group files are looked at again", file);
        memset(ix->entry, 0, sizeof ix->entry);
    }
    free(text);
}

static skv_status print_piece(char **out, size_t *bytes, const skv_run_index *ix)
{
    char *text = NULL;
    int n;

    SKV_TRY(skv_alloc(&text, MAX_BYTES, 1, "an index of group files"));
    n = snprintf(text, MAX_BYTES, HEAD, ix->of.config_digest, ix->of.path_digest);
    for (int64_t k = 0; k < SKV_INDEX_PIECE && (size_t)n + MAX_LINE < MAX_BYTES; k++) {
        const entry *e = &ix->entry[k];
        const skv_group_seal *seal = &e->known.seal;
        const int64_t group = ix->piece * SKV_INDEX_PIECE + k;

        if (e->there)
            n += snprintf(
                text + n, MAX_LINE, "%lld %lld %lld %lld %lld %lld %d %u %08" PRIx32 " %d\n",
                (long long)group, (long long)e->size, (long long)e->seconds,
                (long long)e->nanoseconds, (long long)e->inode, (long long)seal->first_row,
                seal->n_rows, seal->parts, seal->crc, e->known.whole);
    }
    n += snprintf(text + n, MAX_BYTES - (size_t)n, "%08" PRIx32 "\n",
                  (uint32_t)crc32(0, (const Bytef *)text, (uInt)n));
    *out = text;
    *bytes = (size_t)n;
    return SKV_OK;
}

static skv_status write_piece(const skv_run_index *ix)
{
    char file[4096], *text = NULL;
    size_t bytes = 0;
    skv_aside a;
    skv_status st;

    if (!name_piece(file, sizeof file, ix))
        return skv_fail(SKV_E_ARG, "the run's folder has too long a name");
    *strrchr(file, '/') = '\0';
    SKV_TRY(skv_folder_make_below(file, BELOW - 1));
    (void)name_piece(file, sizeof file, ix);
    SKV_TRY(print_piece(&text, &bytes, ix));
    st = skv_aside_create(&a, file, BELOW);
    if (st == SKV_OK)
        st = skv_aside_write(&a, text, bytes);
    if (st == SKV_OK)
        st = skv_aside_commit_derived(&a);
    skv_aside_drop(&a);
    free(text);
    return st;
}

skv_status skv_run_index_open(skv_run_index **out, const skv_run_index_of *of, int64_t piece)
{
    skv_run_index *ix = NULL;

    SKV_TRY(skv_alloc(&ix, 1, sizeof *ix, "an index of group files"));
    ix->of = *of;
    ix->piece = piece;
    ix->folder = SKV_STAT_FOLDER;
    read_piece(ix);
    *out = ix;
    return SKV_OK;
}

void skv_run_index_close(skv_run_index *ix)
{
    if (!ix)
        return;
    if (ix->changed && write_piece(ix) != SKV_OK)
        skv_debug("group files will be looked at again: %s", skv_message());
    skv_stat_folder_close(&ix->folder);
    free(ix);
}

/* -------------------------------------------------------------------- entries */

static bool is_same(const entry *e, const struct stat *now)
{
    return e->there && S_ISREG(now->st_mode) && e->size == (int64_t)now->st_size &&
           e->seconds == (int64_t)now->st_mtim.tv_sec &&
           e->nanoseconds == (int64_t)now->st_mtim.tv_nsec && e->inode == (int64_t)now->st_ino;
}

static entry entry_of(const struct stat *now, const skv_group_known *known)
{
    return (entry){.there = true,
                   .size = (int64_t)now->st_size,
                   .seconds = (int64_t)now->st_mtim.tv_sec,
                   .nanoseconds = (int64_t)now->st_mtim.tv_nsec,
                   .inode = (int64_t)now->st_ino,
                   .known = *known};
}

static bool is_wanted(const skv_group_seal *seal, const skv_group_want *want)
{
    return (want->parts & ~seal->parts) == 0 &&
           (want->n_rows == 0 ||
            (want->n_rows == seal->n_rows && want->first_row == seal->first_row));
}

skv_status skv_run_index_look(skv_run_index *ix, skv_group_state *state, skv_group_known *known,
                              const skv_group_want *want)
{
    entry *e = &ix->entry[want->group - ix->piece * SKV_INDEX_PIECE];
    struct stat now;
    skv_run_name file;
    bool there = false;

    *known = (skv_group_known){0};
    *state = SKV_GROUP_ABSENT;
    SKV_TRY(skv_run_name_group(&file, ix->of.run, ix->of.path, want->group));
    SKV_TRY(skv_stat_folder_look(&there, &now, &ix->folder, &file));
    if (!there)
        return SKV_OK;
    if (is_same(e, &now) && is_wanted(&e->known.seal, want)) {
        *state = SKV_GROUP_GOOD;
        *known = e->known;
        return SKV_OK;
    }
    SKV_TRY(skv_group_file_look(state, known, &file, want));
    if (*state != SKV_GROUP_GOOD && *state != SKV_GROUP_LACKING)
        return SKV_OK;
    if (is_same(e, &now)) {
        known->whole = e->known.whole;
    } else {
        *e = entry_of(&now, known);
        ix->changed = true;
    }
    return SKV_OK;
}

void skv_run_index_note_whole(skv_run_index *ix, int64_t group)
{
    entry *e = &ix->entry[group - ix->piece * SKV_INDEX_PIECE];

    if (e->there && !e->known.whole)
        e->known.whole = ix->changed = true;
}
