#include "job/stop_words.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/folder.h"
#include "core/log.h"

#define BY_HAND      "stop"
#define OF_A_JOB     ".stop-"
#define DEAD_SECONDS 600

skv_status skv_stop_words_open(skv_stop_words *out, const char *run, const char *job)
{
    *out = (skv_stop_words){.folder = -1};
    if (snprintf(out->word, sizeof out->word, OF_A_JOB "%s", job) >= (int)sizeof out->word)
        return skv_fail(SKV_E_ARG, "a job's token of %zu bytes is too long", strlen(job));
    return skv_folder_open(&out->folder, run, 0);
}

void skv_stop_words_close(skv_stop_words *w)
{
    if (w->folder >= 0)
        close(w->folder);
    w->folder = -1;
}

/* The first line of the job's word; false: there is none, or it is not written yet. */
static bool read_word(const skv_stop_words *w, char text[SKV_STOP_TEXT_BYTES])
{
    const int fd = openat(w->folder, w->word, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return false;
    n = read(fd, text, SKV_STOP_TEXT_BYTES - 1);
    close(fd);
    if (n <= 0)
        return false;
    text[n] = '\0';
    text[strcspn(text, "\n")] = '\0';
    return true;
}

bool skv_stop_words_hear(const skv_stop_words *w, skv_stop_reason *why,
                         char who[SKV_STOP_TEXT_BYTES])
{
    char text[SKV_STOP_TEXT_BYTES];
    struct stat info;
    const char *comma;

    who[0] = '\0';
    *why = SKV_STOP_FILE;
    if (fstatat(w->folder, BY_HAND, &info, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    if (!read_word(w, text))
        return false;
    *why = skv_stop_named(text);
    if (*why == SKV_STOP_NONE)
        *why = SKV_STOP_FILE;
    comma = strchr(text, ',');
    if (comma)
        memcpy(who, comma + 1, strlen(comma + 1) + 1);
    return true;
}

void skv_stop_words_tell(const skv_stop_words *w, skv_stop_reason why, const char *who)
{
    char text[SKV_STOP_TEXT_BYTES];
    const int fd =
        openat(w->folder, w->word, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);

    if (fd < 0 && errno == EEXIST)
        return;
    snprintf(text, sizeof text, "%s,%s\n", skv_stop_name(why), who);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        skv_warn("the other ranks are not told of the stop: %s: %s", w->word, strerror(errno));
    if (fd >= 0)
        close(fd);
}

void skv_stop_words_forget(const skv_stop_words *w)
{
    (void)unlinkat(w->folder, w->word, 0); /* mostly there is none */
}

skv_status skv_stop_words_sweep(const char *run)
{
    struct stat now, info;
    const struct dirent *e = NULL;
    skv_status st = SKV_OK;
    DIR *d;
    int fd;

    SKV_TRY(skv_folder_list(&d, run, 0));
    fd = dirfd(d);
    (void)unlinkat(fd, BY_HAND, 0);
    if (fstat(fd, &now) != 0)
        st = skv_fail(SKV_E_IO, "%s: cannot look at the folder: %s", run, strerror(errno));
    while (st == SKV_OK && (st = skv_folder_next(&e, d, run)) == SKV_OK && e)
        if (strncmp(e->d_name, OF_A_JOB, strlen(OF_A_JOB)) == 0 &&
            fstatat(fd, e->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            now.st_mtime - info.st_mtime > DEAD_SECONDS)
            (void)unlinkat(fd, e->d_name, 0);
    closedir(d);
    return st;
}
