#include "run/group_count.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/folder.h"

#define LOOK_AT_CLOCK 256 /* entries between two looks */

/* "000123.h5" */
static bool is_group(const char *name)
{
    size_t n = 0;

    while (isdigit((unsigned char)name[n]))
        n++;
    return n > 0 && strcmp(name + n, ".h5") == 0;
}

/* "0012": a folder of many groups' files */
static bool is_number(const char *name)
{
    return name[0] && strspn(name, "0123456789") == strlen(name);
}

static void add_time(skv_group_times *t, int folder, const char *name)
{
    struct stat info;
    double time;

    if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    time = (double)info.st_mtim.tv_sec + 1e-9 * (double)info.st_mtim.tv_nsec;
    t->newest = t->n == 0 || time > t->newest ? time : t->newest;
    t->n++;
    if (time <= t->recent)
        return;
    t->oldest_recent = t->n_recent == 0 || time < t->oldest_recent ? time : t->oldest_recent;
    t->n_recent++;
}

/* A folder that is not there has no groups yet; of one that cannot be listed they are not known. */
static int64_t count_in(const char *folder, int n_below, const skv_group_counting *how, bool *cut)
{
    char inner[4096];
    const struct dirent *e = NULL;
    int64_t n = 0, seen = 0;
    skv_status st;
    DIR *d;

    st = skv_folder_list(&d, folder, n_below);
    if (st != SKV_OK) {
        *cut = *cut || st != SKV_E_NOTFOUND;
        return 0;
    }
    while (!*cut && (st = skv_folder_next(&e, d, folder)) == SKV_OK && e) {
        if (is_group(e->d_name)) {
            n++;
            if (how->times)
                add_time(how->times, dirfd(d), e->d_name);
        } else if (n_below == 2 && is_number(e->d_name) &&
                   snprintf(inner, sizeof inner, "%s/%s", folder, e->d_name) < (int)sizeof inner) {
            n += count_in(inner, 3, how, cut);
        }
        if (how->until > 0 && seen++ % LOOK_AT_CLOCK == 0)
            *cut = skv_seconds() > how->until;
    }
    *cut = *cut || st != SKV_OK;
    closedir(d);
    return n;
}

int64_t skv_group_count(const char *run, const char *path, const skv_group_counting *how, bool *cut)
{
    char folder[4096];

    if (snprintf(folder, sizeof folder, "%s/groups/%s", run, path) >= (int)sizeof folder)
        return 0;
    return count_in(folder, 2, how, cut);
}
