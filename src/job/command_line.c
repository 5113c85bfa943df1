#include "job/command_line.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WORDS_BYTES 4096

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

/* Arguments of a process, 0: not known, or too long. The last byte is NUL. */
static size_t arguments(char words[WORDS_BYTES], const char *process)
{
    char path[64];
    size_t n = 0;
    ssize_t got = 1;
    int fd;

    snprintf(path, sizeof path, "/proc/%s/cmdline", process);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    while (got > 0 && n < WORDS_BYTES) {
        got = read(fd, words + n, WORDS_BYTES - n);
        n += got > 0 ? (size_t)got : 0;
    }
    close(fd);
    return n < WORDS_BYTES && n > 0 && words[n - 1] == '\0' ? n : 0;
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
    char words[WORDS_BYTES], process[32] = "self";
    size_t n;

    if (!alone)
        snprintf(process, sizeof process, "%ld", (long)getppid());
    n = arguments(words, process);
    out[0] = '\0';
    if (n > 0 && (alone || is_mpirun(words)))
        (void)skv_command_line_join(out, room, words, n);
}
