#define _GNU_SOURCE
#include "sample/tune_cache.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/cache_folder.h"
#include "core/digest.h"
#include "core/file.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/process.h"
#include "core/text.h"
#include "sample/tune.h"

#define MAX_BYTES   ((size_t)4 << 20)
#define TABLE       ".json"
#define NOTE        ".trying"
#define OLD_SECONDS 600 /* a note this old is nobody's: no candidate takes so long */

struct skv_tune_cache {
    skv_backend *be;
    char *folder; /* NULL: none */
    char *note;   /* the path of this process's note; NULL: not made */
    int fd;       /* of the note, -1 */
    bool broken;  /* a note could not be made: not tried again */
};

/* ------------------------------------------------------------------------ the folder */

skv_status skv_tune_cache_folder(char **out, const char *device)
{
    char *cache = NULL, name[SKV_DIGEST_BYTES + 8], digest[SKV_DIGEST_BYTES];
    const int32_t version = SKV_TUNING_VERSION;
    skv_digest d = skv_digest_of(device, strlen(device));
    skv_status st;

    *out = NULL;
    SKV_TRY(skv_cache_folder(&cache));
    if (!cache)
        return SKV_OK;
    d = skv_digest_add(d, &version, sizeof version);
    snprintf(name, sizeof name, "tune/%s", skv_digest_text(digest, d));
    st = skv_path_join(out, cache, name);
    free(cache);
    return st;
}

/* Names in the folder that end so, in order: n of them, all freed by free_names. A folder that is
 * not there has none. */
typedef struct {
    char (*name)[NAME_MAX + 1];
    size_t n;
} names;

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static skv_status list_names(names *out, const char *folder, const char *ending)
{
    const struct dirent *e = NULL;
    DIR *d;
    skv_status st = skv_folder_list(&d, folder, 0);

    if (st != SKV_OK)
        return st == SKV_E_NOTFOUND ? SKV_OK : st;
    do {
        st = skv_folder_next(&e, d, folder);
        if (st != SKV_OK || !e || !skv_ends_with(e->d_name, ending))
            continue;
        st = skv_grow(&out->name, out->n, sizeof *out->name, folder);
        if (st == SKV_OK)
            snprintf(out->name[out->n++], sizeof *out->name, "%s", e->d_name);
    } while (st == SKV_OK && e);
    closedir(d);
    if (out->n > 1)
        qsort(out->name, out->n, sizeof *out->name, by_name);
    return st;
}

int skv_tune_cache_count(const char *folder)
{
    names tables = {0};
    int n = 0;

    if (list_names(&tables, folder, TABLE) == SKV_OK)
        n = (int)tables.n;
    free(tables.name);
    return n;
}

/* --------------------------------------------------------------------------- reading */

/* A table whose name is not its content's is damaged, or somebody else's. */
static skv_status read_table(skv_backend *be, const char *path, const char *name)
{
    char digest[SKV_DIGEST_BYTES], *text = NULL;
    size_t bytes = 0;
    skv_tune_found found;
    skv_status st;

    SKV_TRY(skv_file_read(&text, &bytes, path, MAX_BYTES));
    skv_digest_text(digest, skv_digest_of(text, bytes));
    if (strncmp(name, digest, strlen(digest)) != 0 || strcmp(name + strlen(digest), TABLE) != 0)
        st = skv_fail(SKV_E_FORMAT, "%s: its content is not what its name says", path);
    else
        st = skv_tune_parse(&found, be, text, bytes, path);
    free(text);
    return st;
}

static skv_status read_tables(skv_tune_cache *c)
{
    names tables = {0};
    size_t bad = 0;
    skv_status st = list_names(&tables, c->folder, TABLE);

    for (size_t i = 0; i < tables.n && st == SKV_OK; i++) {
        char *path = NULL;

        st = skv_path_join(&path, c->folder, tables.name[i]);
        if (st == SKV_OK && read_table(c->be, path, tables.name[i]) != SKV_OK && bad++ == 0)
            skv_warn("%s; what it held is measured again, remove it", skv_message());
        free(path);
    }
    if (bad > 1)
        skv_warn("%s: %zu more file%s like that", c->folder, bad - 1, bad == 2 ? " is" : "s are");
    free(tables.name);
    return st;
}

/* Whether the process of a note has ended, as far as can be told from here. */
static bool is_left(const char *path, const char *name)
{
    char process[SKV_PROCESS_BYTES];
    const size_t n = strlen(name) - strlen(NOTE);
    struct stat s;

    if (n >= sizeof process)
        return false;
    memcpy(process, name, n);
    process[n] = '\0';
    if (!skv_process_is_name(process))
        return false;
    if (skv_process_has_ended(process))
        return true;
    return stat(path, &s) == 0 && difftime(time(NULL), s.st_mtime) > OLD_SECONDS;
}

/* A note is the key and the choice, a line each; what follows is of an earlier one. */
static skv_status read_note(skv_tune_cache *c, const char *path)
{
    char *text = NULL, *choice, *end;
    size_t bytes = 0;
    skv_status st = SKV_OK;

    SKV_TRY(skv_file_read(&text, &bytes, path, MAX_BYTES));
    choice = strchr(text, '\n');
    end = choice ? strchr(choice + 1, '\n') : NULL;
    if (end) {
        *choice++ = *end = '\0';
        st = skv_tuning_skip(&c->be->tuning, text, choice);
        skv_warn("a process ended while it tried \"%s\" for %s: left out from now on; remove %s to "
                 "try it again",
                 choice, text, path);
    }
    free(text);
    return st;
}

static skv_status read_notes(skv_tune_cache *c)
{
    names notes = {0};
    skv_status st = list_names(&notes, c->folder, NOTE);

    for (size_t i = 0; i < notes.n && st == SKV_OK; i++) {
        char *path = NULL;

        st = skv_path_join(&path, c->folder, notes.name[i]);
        if (st == SKV_OK && is_left(path, notes.name[i]) && read_note(c, path) != SKV_OK)
            skv_warn("%s", skv_message());
        free(path);
    }
    free(notes.name);
    return st;
}

/* ----------------------------------------------------------------------- this process */

static skv_status make_note(skv_tune_cache *c)
{
    char process[SKV_PROCESS_BYTES], name[SKV_PROCESS_BYTES + sizeof NOTE];

    SKV_TRY(skv_folder_make(c->folder));
    snprintf(name, sizeof name, "%s%s", skv_process_name(process), NOTE);
    SKV_TRY(skv_path_join(&c->note, c->folder, name));
    return skv_file_update(&c->fd, c->note, 0);
}

/* Written over the one before, and not synced: it outlives the process, not the machine. */
static void write_note(void *ctx, const char *key, const char *choice)
{
    skv_tune_cache *c = ctx;
    char text[SKV_TUNING_KEY + SKV_TUNING_CHOICE + 4];
    const int n = snprintf(text, sizeof text, "%s\n%s\n", key, choice);

    if (c->fd < 0 && !c->broken && make_note(c) != SKV_OK) {
        skv_warn("what is tried is not noted: %s", skv_message());
        c->broken = true;
    }
    if (c->fd >= 0 && pwrite(c->fd, text, (size_t)n, 0) != n)
        skv_debug("%s: %s", c->note, strerror(errno));
}

static skv_status keep(const skv_tune_cache *c)
{
    char *text = NULL, *path = NULL;
    char digest[SKV_DIGEST_BYTES], name[SKV_DIGEST_BYTES + sizeof TABLE];
    size_t bytes;
    skv_status st;

    SKV_TRY_GOTO(skv_tune_print(&text, c->be, true), done);
    bytes = strlen(text);
    snprintf(name, sizeof name, "%s%s", skv_digest_text(digest, skv_digest_of(text, bytes)), TABLE);
    SKV_TRY_GOTO(skv_folder_make(c->folder), done);
    SKV_TRY_GOTO(skv_path_join(&path, c->folder, name), done);
    st = skv_file_write(path, text, bytes);
done:
    free(text);
    free(path);
    return st;
}

/* ---------------------------------------------------------------------------- lifetime */

skv_status skv_tune_cache_open(skv_tune_cache **out, skv_backend *be)
{
    skv_tune_cache *c = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&c, 1, sizeof *c, "cache of choices"));
    *c = (skv_tune_cache){.be = be, .fd = -1};
    SKV_TRY_GOTO(skv_tune_cache_folder(&c->folder, skv_backend_describe(be)), done);
    if (!c->folder) {
        skv_warn("what is measured is not kept for other runs: none of SKV_CACHE, XDG_CACHE_HOME "
                 "and HOME is set");
    } else {
        if (read_tables(c) != SKV_OK || read_notes(c) != SKV_OK)
            skv_warn("%s; all is measured again", skv_message());
        be->tuning.trying = write_note;
        be->tuning.trying_ctx = c;
    }
    *out = c;
    c = NULL;
done:
    (void)skv_tune_cache_close(c, SKV_OK);
    return st;
}

/* The caller's failure keeps its words. */
static void keep_or_warn(const skv_tune_cache *c, skv_status st)
{
    char words[2048];

    snprintf(words, sizeof words, "%s", st == SKV_OK ? "" : skv_message());
    if (keep(c) == SKV_OK)
        return;
    skv_warn("what was measured is not kept for other runs: %s", skv_message());
    if (st != SKV_OK)
        (void)skv_fail(st, "%s", words);
}

skv_status skv_tune_cache_close(skv_tune_cache *c, skv_status st)
{
    if (!c)
        return st;
    c->be->tuning.trying = NULL;
    if (c->fd >= 0)
        (void)close(c->fd);
    if (c->note && st != SKV_E_CUDA)
        (void)unlink(c->note);
    if (c->folder && skv_tuning_measured(&c->be->tuning) > 0)
        keep_or_warn(c, st);
    free(c->folder);
    free(c->note);
    free(c);
    return st;
}

const char *skv_tune_cache_path(const skv_tune_cache *c)
{
    return c->folder;
}
