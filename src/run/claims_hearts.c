/* Heartbeats: reading them, and looking at all of a folder from outside. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/folder.h"
#include "core/mem.h"
#include "core/process.h"
#include "run/claims_internal.h"

skv_status skv_claims__read(char out[SKV_CLAIMS__TEXT], struct timespec *time, int folder,
                            const char *path, const char *name)
{
    /* opened, not looked up by name: NFS asks the server then */
    const int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    const int reason = errno;
    char file[4096 + SKV_CLAIM_BYTES];
    struct stat info;
    size_t n = 0;
    skv_status st;

    if (fd < 0 && reason == ENOENT)
        return SKV_E_NOTFOUND;
    snprintf(file, sizeof file, "%.4095s/%s", path, name);
    if (fd < 0)
        return skv_cannot_open(file, reason);
    if (fstat(fd, &info) != 0)
        st = skv_fail(SKV_E_IO, "%s: cannot look at it: %s", file, strerror(errno));
    else if (!S_ISREG(info.st_mode))
        st = skv_fail(SKV_E_KIND, "%s: not a file, so no claim", file);
    else
        st = skv_read_fully(&n, fd, out, SKV_CLAIMS__TEXT - 1, file);
    close(fd);
    SKV_TRY(st);
    out[n] = '\0';
    *time = info.st_mtim;
    return SKV_OK;
}

bool skv_claims__is_heart(const char *name)
{
    const size_t n = strlen(name), end = sizeof SKV_CLAIMS__ALIVE - 1;

    return n > end && strcmp(name + n - end, SKV_CLAIMS__ALIVE) == 0;
}

void skv_claims__owner_of(char out[SKV_CLAIM_BYTES], const char *heart)
{
    snprintf(out, SKV_CLAIM_BYTES, "%.*s", (int)(strlen(heart) - (sizeof SKV_CLAIMS__ALIVE - 1)),
             heart);
}

/* false: it is gone, or cannot be read. */
static bool listen_to(skv_claims_heart *h, int folder, const char *path, const char *heartbeat)
{
    char text[SKV_CLAIMS__TEXT], owner[SKV_CLAIM_BYTES], *said;
    struct timespec time, now;

    if (skv_claims__read(text, &time, folder, path, heartbeat) != SKV_OK)
        return false;
    said = text + strcspn(text, "\n");
    if (*said)
        *said++ = '\0';
    said[strcspn(said, "\n")] = '\0';
    snprintf(h->who, sizeof h->who, "%.*s", SKV_CLAIM_BYTES - 1, text);
    snprintf(h->said, sizeof h->said, "%.*s", SKV_CLAIM_BYTES - 1, said);
    clock_gettime(CLOCK_REALTIME, &now);
    h->age = (double)(now.tv_sec - time.tv_sec) + 1e-9 * (double)(now.tv_nsec - time.tv_nsec);
    skv_claims__owner_of(owner, heartbeat);
    h->is_dead = skv_process_has_ended(owner) || h->age > SKV_CLAIM_SECONDS;
    return true;
}

static int by_who(const void *a, const void *b)
{
    return strcmp(((const skv_claims_heart *)a)->who, ((const skv_claims_heart *)b)->who);
}

static skv_status collect(skv_claims_heart **out, int *n, const char *folder, DIR *d)
{
    const struct dirent *e = NULL;
    skv_status st;

    while ((st = skv_folder_next(&e, d, folder)) == SKV_OK && e) {
        if (!skv_claims__is_heart(e->d_name))
            continue;
        SKV_TRY(skv_grow(out, (size_t)*n, sizeof **out, "heartbeats"));
        *n += listen_to(&(*out)[*n], dirfd(d), folder, e->d_name);
    }
    if (*n > 0)
        qsort(*out, (size_t)*n, sizeof **out, by_who);
    return st;
}

skv_status skv_claims_hearts(skv_claims_heart **out, int *n, const char *folder, int n_below)
{
    skv_status st;
    DIR *d = NULL;

    *out = NULL;
    *n = 0;
    st = skv_folder_list(&d, folder, n_below);
    if (st == SKV_E_NOTFOUND)
        return SKV_OK;
    SKV_TRY(st);
    st = collect(out, n, folder, d);
    closedir(d);
    return st;
}
