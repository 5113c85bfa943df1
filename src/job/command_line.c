#include "job/command_line.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/bytes.h"
#include "core/file.h"
#include "core/mem.h"

static bool is_plain(const char *word)
{
    if (!word[0])
        return false;
    for (; *word; word++)
        if (!isalnum((unsigned char)*word) && !strchr("_-+=./:,@%", *word))
            return false;
    return true;
}

typedef struct {
    char *text;
    size_t n, room;
} line;

static bool put(line *l, char c)
{
    if (l->n + 1 >= l->room)
        return false;
    l->text[l->n++] = c;
    return true;
}

static bool put_all(line *l, const char *text)
{
    while (*text)
        if (!put(l, *text++))
            return false;
    return true;
}

/* 'it'\''s' */
static bool put_quoted(line *l, const char *word)
{
    bool fits = put(l, '\'');

    for (; *word && fits; word++)
        fits = *word == '\'' ? put_all(l, "'\\''") : put(l, *word);
    return fits && put(l, '\'');
}

bool skv_command_line_join(char *out, size_t room, const char *words, size_t bytes)
{
    line l = {out, 0, room};
    bool fits = true;

    for (size_t at = 0; at < bytes && fits; at += strlen(words + at) + 1) {
        if (at > 0)
            fits = put(&l, ' ');
        if (fits)
            fits = is_plain(words + at) ? put_all(&l, words + at) : put_quoted(&l, words + at);
    }
    out[fits ? l.n : 0] = '\0';
    return fits;
}

/* Adds the arguments of a process, each with its NUL; nothing where they are not known. */
static skv_status read_words(skv_bytes *words, const char *process)
{
    char path[64], piece[4096];
    size_t got = 0;
    int fd;
    skv_status st;

    snprintf(path, sizeof path, "/proc/%s/cmdline", process);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return SKV_OK;
    do {
        st = skv_read_fully(&got, fd, piece, sizeof piece, path);
        if (st == SKV_OK)
            st = skv_bytes_add(words, piece, got, path);
    } while (st == SKV_OK && got > 0);
    close(fd);
    if (st == SKV_OK && words->n > 0 && words->data[words->n - 1] != '\0')
        st = skv_bytes_add(words, "", 1, path);
    return st;
}

static bool is_mpirun(const char *program)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash ? slash + 1 : program;

    return strcmp(name, "mpirun") == 0 || strcmp(name, "mpiexec") == 0 ||
           strcmp(name, "orterun") == 0;
}

void skv_command_line(char *out, size_t room, bool alone)
{
    skv_bytes words = {0};
    char process[32] = "self";

    if (!alone)
        snprintf(process, sizeof process, "%ld", (long)getppid());
    out[0] = '\0';
    if (read_words(&words, process) == SKV_OK && words.n > 0 && (alone || is_mpirun(words.data)))
        (void)skv_command_line_join(out, room, words.data, words.n);
    skv_bytes_clear(&words);
}

skv_status skv_command_line_own(char **out)
{
    skv_bytes words = {0};
    size_t room;
    skv_status st = read_words(&words, "self");

    *out = NULL;
    if (st == SKV_OK && words.n > 0) {
        room = 4 * words.n + 1; /* a quote takes four bytes, and so does an empty word's NUL */
        st = skv_alloc(out, room, 1, "the command line");
        if (st == SKV_OK)
            (void)skv_command_line_join(*out, room, words.data, words.n);
    }
    skv_bytes_clear(&words);
    return st;
}
