/* Prompt lists from disk, as the bytes that all ranks parse. */
#include "io/prompts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/folder.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"
#include "io/prompts_internal.h"

#define PIPE_SECONDS   60
#define PIECE_BYTES    ((size_t)1 << 20)
#define KIND_BYTES     512
#define MAX_LISTS      500               /* of a folder; each is an open file */
#define MAX_LIST_BYTES ((size_t)8 << 30) /* ten million prompts of 800 bytes */

/* {"id": ..., "prompt": ...}, or {"id": ..., "error": ...} where the file is unusable. */
static skv_status print_file(FILE *f, const char *folder, const char *name)
{
    skv_status st = SKV_OK;
    skv_json_maker line = skv_json_object();
    json_t *object = NULL, *text = NULL;
    char *path = NULL, *bytes = NULL, *printed = NULL;
    const char *is;
    char reason[512];
    size_t n = 0, start = 0; /* behind a byte order mark */

    SKV_TRY_GOTO(skv_path_join(&path, folder, name), done);
    st = skv_file_read(&bytes, &n, path, SKV_PROMPT_MAX_BYTES + 2);
    if (skv_may_pass(st)) /* says nothing of the prompt */
        goto done;
    if (st != SKV_OK) {
        snprintf(reason, sizeof reason, "%.500s", skv_message());
    } else {
        if (n > 0 && bytes[n - 1] == '\n')
            n--;
        if (n > 0 && bytes[n - 1] == '\r')
            n--;
        if (n >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
            start = 3;
        snprintf(reason, sizeof reason, "%.400s: not UTF-8, or a NUL in it", name);
        text = skv_utf8_is_valid(bytes, n) ? json_stringn(bytes + start, n - start) : NULL;
    }
    /* a name that is not UTF-8 gives no id: it could not be the name of a file of ours */
    if (skv_utf8_is_valid(name, strlen(name)))
        skv_json_put(&line, "id", json_stringn(name, strlen(name) - strlen(".txt")));
    else if (!text)
        snprintf(reason, sizeof reason, "the file cannot be read, and its name is not UTF-8");
    is = skv_prompts__not_a_list(bytes ? bytes : "", n);
    if (text && (is || skv_prompts__is_blank(bytes, n))) {
        json_decref(text);
        text = NULL;
        snprintf(reason, sizeof reason, "%.400s%s%s", name, is ? " " : ": the prompt is empty",
                 is ? is : "");
    }
    if (text)
        skv_json_put(&line, "prompt", text);
    else
        skv_json_put(&line, "error", json_string(reason));
    SKV_TRY_GOTO(skv_json_finish(&object, &line, folder), done);
    SKV_TRY_GOTO(skv_json_print(&printed, object, SKV_JSON_COMPACT), done);
    if (fprintf(f, "%s\n", printed) < 0)
        st = skv_fail(SKV_E_MEM, "%s: out of memory for the prompts", folder);
done:
    json_decref(skv_json_take(&line));
    free(printed);
    free(bytes);
    free(path);
    json_decref(object);
    return st;
}

/* The folder's *.txt; hidden files are left out. *out NULL: it has none. */
static skv_status load_texts(char **out, size_t *out_n, const char *folder, const skv_names *l)
{
    skv_status st = SKV_OK;
    size_t bytes = 0;
    char *text = NULL;
    FILE *f = open_memstream(&text, &bytes);

    if (!f)
        return skv_fail(SKV_E_MEM, "%s: out of memory for the prompts", folder);
    for (size_t i = 0; i < l->n && st == SKV_OK; i++)
        if (l->name[i][0] != '.' && skv_ends_in(l->name[i], ".txt"))
            st = print_file(f, folder, l->name[i]);
    if (fclose(f) != 0 && st == SKV_OK)
        st = skv_fail(SKV_E_MEM, "%s: out of memory for the prompts", folder);
    if (st != SKV_OK || bytes == 0) {
        free(text);
        return st;
    }
    *out = text;
    *out_n = bytes;
    return SKV_OK;
}

/* The next bytes of a pipe; *n 0: it has ended. A writer may take its time, but not for ever. */
static skv_status read_some(size_t *n, int fd, void *to, size_t bytes, const char *path)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};

    for (int quiet = 0; quiet < PIPE_SECONDS;) {
        const int ready = poll(&wait, 1, 1000);
        ssize_t got;

        if (ready == 0 && ++quiet == 5)
            skv_info("%s: waiting for prompts", path);
        if (ready == 0)
            continue;
        got = ready > 0 ? read(fd, to, bytes) : -1;
        if (got >= 0) {
            *n = (size_t)got;
            return SKV_OK;
        }
        if (errno != EINTR && errno != EAGAIN)
            return skv_fail(SKV_E_IO, "%s: cannot read: %s", path, strerror(errno));
    }
    return skv_fail(SKV_E_IO, "%s: no data came for %d s", path, PIPE_SECONDS);
}

/* All of a pipe, a terminal or a device. */
static skv_status read_stream(char **out, size_t *out_n, int fd, const char *path)
{
    skv_status st = SKV_OK;
    char *text = NULL;
    size_t n = 0, room = 0, got = 1;

    while (got > 0) {
        if (room - n < 2) { /* one for the NUL */
            char *more = realloc(text, room = 2 * room + 65536);

            if (!more) {
                st = skv_fail(SKV_E_MEM, "%s: out of memory for the prompts", path);
                goto done;
            }
            text = more;
        }
        SKV_TRY_GOTO(read_some(&got, fd, text + n, room - n - 1, path), done);
        n += got;
        if (n > MAX_LIST_BYTES) {
            st = skv_fail(SKV_E_FORMAT, "%s: more than %zu bytes of prompts", path, MAX_LIST_BYTES);
            goto done;
        }
    }
    text[n] = '\0';
    *out = text;
    *out_n = n;
    text = NULL;
done:
    free(text);
    return st;
}

static skv_status load_stream(char **out, size_t *n, const char *path)
{
    const bool standard = strcmp(path, "-") == 0;
    const int fd = standard ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    skv_status st;

    if (fd < 0)
        return skv_fail(skv_name_status(errno), "%s: cannot read prompts: %s", path,
                        strerror(errno));
    st = read_stream(out, n, fd, standard ? "standard input" : path);
    close(fd);
    return st;
}

/* A file of some other kind must not pass for a list of prompts. A .txt may have a bad line. */
static skv_status refuse_binary(const char *path)
{
    return skv_fail(SKV_E_ARG,
                    "%s is not text: want lines of text, or a file called .jsonl, .json, .csv or "
                    ".tsv",
                    path);
}

/* Refuses a file that is known to be something else. */
static skv_status check_kind(const skv_prompts_source *s, const char *path)
{
    char head[KIND_BYTES];
    const size_t n = s->n < sizeof head ? s->n : sizeof head;
    const char *is;

    SKV_TRY(skv_prompts_bytes(head, s, 0, n, path));
    is = skv_prompts__not_a_list(head, n);
    return is ? skv_fail(SKV_E_ARG, "%s %s", path, is) : SKV_OK;
}

/* What may follow the last line: line ends, and the mark that DOS ended texts with. */
static bool ends_list(char c)
{
    return c == '\n' || c == '\r' || c == '\x1a';
}

/* Reads all of it once: its digest and its end. */
static skv_status scan(skv_prompts_source *s, const char *path)
{
    const bool may_be_binary = s->form != SKV_PROMPTS_TEXT || skv_ends_in(path, ".txt");
    skv_digest_parts *digest = NULL;
    char *piece = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_digest_begin(&digest), done);
    SKV_TRY_GOTO(skv_alloc(&piece, PIECE_BYTES, 1, path), done);
    for (size_t at = 0; at < s->n; at += PIECE_BYTES) {
        const size_t n = s->n - at < PIECE_BYTES ? s->n - at : PIECE_BYTES;

        SKV_TRY_GOTO(skv_prompts_bytes(piece, s, at, n, path), done);
        if (!may_be_binary && memchr(piece, '\0', n)) {
            st = refuse_binary(path);
            goto done;
        }
        skv_digest_more(digest, piece, n);
        for (size_t i = n; i > 0; i--) {
            if (ends_list(piece[i - 1]))
                continue;
            s->end = at + i;
            break;
        }
    }
done:
    s->digest = skv_digest_end(digest);
    free(piece);
    return st;
}

void skv_prompts_open_bytes(skv_prompts_source *out, const char *bytes, size_t n,
                            skv_prompts_form form)
{
    *out = (skv_prompts_source){
        .form = form, .n = n, .end = n, .bytes = bytes, .digest = skv_digest_of(bytes, n)};
    while (out->end > 0 && ends_list(bytes[out->end - 1]))
        out->end--;
}

void skv_prompts_close(skv_prompts_source *s)
{
    if (s->on_disk)
        close(s->fd);
    free(s->owned);
    for (size_t i = 0; i < s->n_parts; i++) {
        skv_prompts_close(&s->part[i].source);
        free(s->part[i].path);
        free(s->part[i].stem);
    }
    free(s->part);
    *s = (skv_prompts_source){0};
}

static skv_status look_at(struct stat *info, int fd, const char *path)
{
    if (fstat(fd, info) != 0)
        return skv_fail(SKV_E_IO, "%s: cannot read: %s", path, strerror(errno));
    return SKV_OK;
}

static int64_t time_of(const struct stat *info)
{
    return (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec;
}

static skv_status open_file(skv_prompts_source *s, const char *path)
{
    struct stat info;

    SKV_TRY(skv_file_open(&s->fd, path, 0));
    s->on_disk = true;
    SKV_TRY(look_at(&info, s->fd, path));
    if (info.st_size < 0 || (uint64_t)info.st_size > MAX_LIST_BYTES)
        return skv_fail(SKV_E_FORMAT, "%s: %lld bytes, at most %zu expected", path,
                        (long long)info.st_size, MAX_LIST_BYTES);
    s->n = (size_t)info.st_size;
    s->changed = time_of(&info);
    SKV_TRY(check_kind(s, path));
    return scan(s, path);
}

skv_status skv_prompts_bytes(void *out, const skv_prompts_source *s, size_t at, size_t n,
                             const char *name)
{
    if (s->on_disk)
        return skv_read_at(s->fd, out, n, (int64_t)at, name);
    memcpy(out, s->bytes + at, n);
    return SKV_OK;
}

skv_status skv_prompts__is_unchanged(const skv_prompts_source *s, const char *name)
{
    struct stat info;

    if (!s->on_disk)
        return SKV_OK;
    SKV_TRY(look_at(&info, s->fd, name));
    return (size_t)info.st_size == s->n && time_of(&info) == s->changed
               ? SKV_OK
               : skv_fail(SKV_E_FORMAT, "%s was changed while it was read", name);
}

/* What a name's ending says; other names are those of text. */
static const struct {
    const char *ending;
    skv_prompts_form form;
} endings[] = {
    {".jsonl", SKV_PROMPTS_JSONL}, {".ndjson", SKV_PROMPTS_JSONL}, {".json", SKV_PROMPTS_JSON},
    {".csv", SKV_PROMPTS_CSV},     {".tsv", SKV_PROMPTS_TSV},
};

static bool form_of_name(skv_prompts_form *out, const char *name)
{
    *out = SKV_PROMPTS_TEXT;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (skv_ends_in(name, endings[i].ending)) {
            *out = endings[i].form;
            return true;
        }
    return false;
}

/* Texts of other forms, whose lines would pass for prompts. */
static skv_status refuse_ending(const char *path)
{
    static const char *const ending[] = {".yaml", ".yml", ".toml", ".xml", ".rtf", ".html"};

    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++)
        if (skv_ends_in(path, ending[i]))
            return skv_fail(SKV_E_ARG,
                            "%s: a list of prompts cannot be a %s file: want lines of text in a "
                            ".txt or a file called .jsonl, .json, .csv or .tsv",
                            path, ending[i]);
    return SKV_OK;
}

/* Its name says nothing: standard input, a descriptor. */
static bool is_nameless(const char *path)
{
    return strcmp(path, "-") == 0 || strncmp(path, "/dev/", 5) == 0 ||
           strncmp(path, "/proc/", 6) == 0;
}

/* Of a stream, all of it. */
static skv_status open_stream(skv_prompts_source *out, const char *path, skv_prompts_form form)
{
    char *bytes = NULL;
    size_t n = 0;

    SKV_TRY(load_stream(&bytes, &n, path));
    skv_prompts_open_bytes(out, bytes, n, form);
    out->owned = bytes;
    return check_kind(out, path);
}

/* A folder's lists as one: HPSv2's four arrays come so, a file a style. */
static bool is_list(const char *name)
{
    skv_prompts_form form;

    return name[0] != '.' && form_of_name(&form, name);
}

/* *out = the name without its ending. */
static skv_status cut_ending(char **out, const char *name)
{
    const size_t n = (size_t)(strrchr(name, '.') - name);

    SKV_TRY(skv_alloc(out, n + 1, 1, name));
    memcpy(*out, name, n);
    return SKV_OK;
}

static skv_status check_file(const char *path, const char *name)
{
    struct stat info;

    if (stat(path, &info) != 0)
        return skv_fail(skv_name_status(errno), "%s: cannot read prompts: %s", path,
                        strerror(errno));
    if (!S_ISREG(info.st_mode))
        return skv_fail(SKV_E_ARG, "%s is not a file, as a list of prompts is", path);
    if (!skv_utf8_is_valid(name, strlen(name)))
        return skv_fail(SKV_E_ARG, "%s: its prompts' ids begin with its name, which is not UTF-8",
                        path);
    return SKV_OK;
}

/* Adds the folder's file of this name behind the lists that are there. */
static skv_status add_list(skv_prompts_source *to, const char *folder, const char *name)
{
    skv_prompts__part *p = &to->part[to->n_parts];

    to->n_parts++;
    SKV_TRY(skv_path_join(&p->path, folder, name));
    SKV_TRY(cut_ending(&p->stem, name));
    for (size_t i = 0; i + 1 < to->n_parts; i++)
        if (strcmp(to->part[i].stem, p->stem) == 0)
            return skv_fail(SKV_E_ARG,
                            "%s and %s: their prompts would have the same ids, which begin with "
                            "the file's name",
                            to->part[i].path, p->path);
    SKV_TRY(check_file(p->path, name));
    SKV_TRY(skv_prompts_open(&p->source, p->path));
    to->n += p->source.n;
    to->digest = skv_digest_add(to->digest, p->stem, strlen(p->stem));
    to->digest = skv_digest_add(to->digest, &p->source.digest, sizeof p->source.digest);
    return SKV_OK;
}

/* *found: there is a list among these names, and *out is all of them. */
static skv_status open_lists(skv_prompts_source *out, bool *found, const char *folder,
                             const skv_names *names)
{
    size_t n = 0;

    for (size_t i = 0; i < names->n; i++)
        n += is_list(names->name[i]);
    *found = n > 0;
    if (n == 0)
        return SKV_OK;
    if (n > MAX_LISTS)
        return skv_fail(SKV_E_ARG, "%s: %zu lists, at most %d are read as one", folder, n,
                        MAX_LISTS);
    out->form = SKV_PROMPTS_LISTS;
    SKV_TRY(skv_alloc(&out->part, n, sizeof *out->part, folder));
    for (size_t i = 0; i < names->n; i++)
        if (is_list(names->name[i]))
            SKV_TRY(add_list(out, folder, names->name[i]));
    out->end = out->n;
    return SKV_OK;
}

/* A folder of texts, or else of lists. */
static skv_status open_folder(skv_prompts_source *out, const char *folder)
{
    skv_names names = {0};
    char *texts = NULL;
    bool found = true;
    size_t n = 0;
    skv_status st;

    SKV_TRY_GOTO(skv_folder_names(&names, folder, 0), done);
    SKV_TRY_GOTO(load_texts(&texts, &n, folder, &names), done);
    if (texts) {
        skv_prompts_open_bytes(out, texts, n, SKV_PROMPTS_FOLDER);
        out->owned = texts;
    } else {
        st = open_lists(out, &found, folder, &names);
    }
    if (!found)
        st = skv_fail(SKV_E_ARG,
                      "%s: in this folder is no .txt file, which would be a prompt, and no .jsonl, "
                      ".json, .csv or .tsv, which would be a list",
                      folder);
done:
    skv_names_clear(&names);
    return st;
}

static skv_status open_any(skv_prompts_source *out, const char *path)
{
    skv_prompts_form form;
    struct stat info;

    if (strcmp(path, "-") == 0)
        return open_stream(out, path, SKV_PROMPTS_TEXT);
    if (stat(path, &info) != 0)
        return skv_fail(skv_name_status(errno), "%s: cannot read prompts: %s", path,
                        strerror(errno));
    if (S_ISDIR(info.st_mode))
        return open_folder(out, path);
    form_of_name(&form, path);
    if (!S_ISREG(info.st_mode))
        return open_stream(out, path, form);
    SKV_TRY(refuse_ending(path));
    out->form = form;
    return open_file(out, path);
}

/* The first PIECE_BYTES say what the form is. */
static skv_status settle_form(skv_prompts_source *s, const char *path)
{
    const size_t n = s->n < PIECE_BYTES ? s->n : PIECE_BYTES;
    char *start = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&start, n + 1, 1, path));
    st = skv_prompts_bytes(start, s, 0, n, path);
    if (st == SKV_OK)
        st = skv_prompts__settle_form(&s->form, &(skv_prompts__window){start, n, n == s->n}, path,
                                      is_nameless(path) || !s->on_disk);
    free(start);
    return st;
}

skv_status skv_prompts_open(skv_prompts_source *out, const char *path)
{
    skv_status st;

    *out = (skv_prompts_source){0};
    st = open_any(out, path);
    if (st == SKV_OK && out->form != SKV_PROMPTS_FOLDER && out->form != SKV_PROMPTS_LISTS)
        st = settle_form(out, path);
    if (st != SKV_OK)
        skv_prompts_close(out);
    return st;
}
