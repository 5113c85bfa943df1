/* The file by which ranks find rank 0: lines of a key and a value. It holds the token that lets a
 * peer in, so it is for its user alone from the moment that it exists. */
#include "mpi/rendezvous.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/process.h"

#define PREFIX     "rendezvous-"
#define FIRST_LINE "skv rendezvous 1"
#define MAX_BYTES  4096
#define MAX_NAME   80 /* of a job in a file's name */
#define OLD        (24 * 3600)
#define HEX        (2 * SKV_PLACE_SECRET)

skv_status skv_place_path(char **out, const char *run, const char *job)
{
    char name[sizeof PREFIX + MAX_NAME + SKV_DIGEST_BYTES], digest[SKV_DIGEST_BYTES];
    size_t n = sizeof PREFIX - 1;
    bool same = strlen(job) <= MAX_NAME;

    memcpy(name, PREFIX, sizeof PREFIX);
    for (const char *p = job; *p && n < sizeof PREFIX - 1 + MAX_NAME; p++) {
        const bool fits = isalnum((unsigned char)*p) || strchr("-._", *p);

        same = same && fits;
        name[n++] = fits ? *p : '_';
    }
    name[n] = '\0';
    if (!same) /* two jobs must not have one name */
        snprintf(name + n, sizeof name - n, "-%.16s",
                 skv_digest_text(digest, skv_digest_of(job, strlen(job))));
    return skv_path_join(out, run, name);
}

/* Ranks of one host: the same kernel, and the same name (containers have names of their own). */
void skv_rendezvous__host_id(unsigned char out[16], const skv_comm *c)
{
    skv_digest d = skv_digest_add((skv_digest){0}, c->host, strlen(c->host));
    char *boot = NULL;
    size_t n = 0;

    if (skv_file_read(&boot, &n, "/proc/sys/kernel/random/boot_id", 256) == SKV_OK)
        d = skv_digest_add(d, boot, n);
    free(boot);
    memcpy(out, &d, sizeof d);
}

skv_status skv_place_draw(skv_place *p)
{
    SKV_TRY(skv_random_bytes(p->token, sizeof p->token));
    return skv_random_bytes(p->answer, sizeof p->answer);
}

static void to_hex(char out[HEX + 1], const unsigned char *bytes)
{
    for (int i = 0; i < SKV_PLACE_SECRET; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static bool from_hex(unsigned char *out, const char *text)
{
    static const char digits[] = "0123456789abcdef";

    if (strlen(text) != HEX || strspn(text, digits) != HEX)
        return false;
    for (int i = 0; i < SKV_PLACE_SECRET; i++)
        out[i] = (unsigned char)((strchr(digits, text[2 * i]) - digits) * 16 +
                                 (strchr(digits, text[2 * i + 1]) - digits));
    return true;
}

static size_t print_place(char out[MAX_BYTES], const skv_place *p)
{
    char token[HEX + 1], answer[HEX + 1];
    size_t n;

    to_hex(token, p->token);
    to_hex(answer, p->answer);
    n = (size_t)snprintf(out, MAX_BYTES, FIRST_LINE "\ntoken %s\nanswer %s\nhost %s\nport %d\n",
                         token, answer, p->host, p->port);
    for (int i = 0; i < p->n; i++)
        n += (size_t)snprintf(out + n, MAX_BYTES - n, "address %s\n", p->address[i]);
    return n;
}

static skv_status write_new(int folder, const char *aside, const char *text, size_t n)
{
    const int how = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    ssize_t written = -1;
    int fd;

    unlinkat(folder, aside, 0); /* left by a killed process of the same id */
    fd = openat(folder, aside, how, 0600);
    if (fd >= 0) {
        written = write(fd, text, n);
        if (close(fd) != 0)
            written = -1;
    }
    return written == (ssize_t)n ? SKV_OK : SKV_E_IO;
}

skv_status skv_place_write(const skv_place *p, const char *path)
{
    char text[MAX_BYTES], aside[256];
    const size_t n = print_place(text, p);
    const char *name;
    skv_status st;
    int folder = -1;

    SKV_TRY(skv_folder_of(&folder, &name, path, 1));
    snprintf(aside, sizeof aside, "%s.%ld.tmp", name, (long)getpid());
    st = write_new(folder, aside, text, n);
    if (st != SKV_OK || renameat(folder, aside, folder, name) != 0) {
        st = skv_fail(SKV_E_IO, "%s: cannot write it: %s", path, strerror(errno));
        unlinkat(folder, aside, 0);
    }
    close(folder);
    return st;
}

/* A line's value into the place; false: it is not what its key wants. */
static bool take_line(skv_place *p, const char *key, const char *value)
{
    char *end;

    if (strcmp(key, "token") == 0)
        return from_hex(p->token, value);
    if (strcmp(key, "answer") == 0)
        return from_hex(p->answer, value);
    if (strcmp(key, "host") == 0)
        return snprintf(p->host, sizeof p->host, "%s", value) < (int)sizeof p->host;
    if (strcmp(key, "port") == 0) {
        const long port = strtol(value, &end, 10);

        p->port = port > 0 && port < 65536 && !*end ? (int)port : 0;
        return p->port > 0;
    }
    if (strcmp(key, "address") == 0 && p->n < SKV_PLACE_ADDRESSES)
        return snprintf(p->address[p->n++], SKV_PLACE_ADDRESS, "%s", value) < SKV_PLACE_ADDRESS;
    return false;
}

skv_status skv_place_parse(skv_place *p, const char *text, const char *path)
{
    static const unsigned char none[SKV_PLACE_SECRET];
    char line[256];
    bool good = strncmp(text, FIRST_LINE "\n", sizeof FIRST_LINE) == 0;

    *p = (skv_place){0};
    for (text += good ? sizeof FIRST_LINE : 0; good && *text;) {
        const size_t n = strcspn(text, "\n");
        char *value;

        good = text[n] == '\n' && n < sizeof line;
        if (!good)
            break;
        memcpy(line, text, n);
        line[n] = '\0';
        value = strchr(line, ' ');
        if (value)
            *value++ = '\0';
        good = value && take_line(p, line, value);
        text += n + 1;
    }
    if (!good || !p->port || p->n == 0 || memcmp(p->token, none, sizeof none) == 0 ||
        memcmp(p->answer, none, sizeof none) == 0)
        return skv_fail(SKV_E_FORMAT, "%s: is not what rank 0 writes there", path);
    return SKV_OK;
}

/* Somebody else's file would lead this rank to somebody else's rank 0. */
static skv_status check_owner(int fd, const char *path)
{
    struct stat info;

    if (fstat(fd, &info) != 0)
        return skv_fail(SKV_E_IO, "%s: cannot look at it: %s", path, strerror(errno));
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) || (geteuid() != 0 && info.st_uid != geteuid()))
        return skv_fail(SKV_E_FORMAT, "%s: is not this user's alone", path);
    return SKV_OK;
}

skv_status skv_place_read(skv_place *p, const char *path)
{
    char text[MAX_BYTES + 1];
    skv_status st;
    size_t n = 0;
    int fd = -1;

    SKV_TRY(skv_file_open(&fd, path, 1));
    st = check_owner(fd, path);
    if (st == SKV_OK)
        st = skv_read_fully(&n, fd, text, MAX_BYTES, path);
    close(fd);
    SKV_TRY(st);
    text[n] = '\0';
    return skv_place_parse(p, text, path);
}

/* Files of jobs that ended a day ago without removing theirs. What cannot be listed or removed now
 * is a later job's to remove. */
static void sweep(const char *path)
{
    const time_t now = time(NULL);
    const struct dirent *e = NULL;
    char folder[4096];
    struct stat info;
    DIR *d;

    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path) + 1, path);
    if (skv_folder_list(&d, folder, 0) != SKV_OK)
        return;
    while (skv_folder_next(&e, d, folder) == SKV_OK && e)
        if (strncmp(e->d_name, PREFIX, sizeof PREFIX - 1) == 0 &&
            fstatat(dirfd(d), e->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(info.st_mode) && info.st_mtime < now - OLD)
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
}

void skv_place_remove(const skv_place *p, const char *path)
{
    skv_place now;

    if (skv_place_read(&now, path) == SKV_OK && memcmp(now.token, p->token, sizeof now.token) == 0)
        unlink(path);
    sweep(path);
}
