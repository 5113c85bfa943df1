#include "temp_folder.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];

int temp_folder_make(void **state)
{
    const char *above = getenv("TMPDIR");

    (void)state;
    snprintf(folder, sizeof folder, "%s/skv_test_XXXXXX", above ? above : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

const char *temp_folder(void)
{
    return folder;
}

const char *temp_path(const char *name)
{
    static char path[8][512];
    static int turn;

    turn = (turn + 1) % 8;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static int is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int temp_count(void)
{
    DIR *d = opendir(folder);
    int n = 0;

    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        n += !is_dots(e->d_name);
    if (d)
        closedir(d);
    return n;
}

static void remove_all(const char *path)
{
    struct stat info;
    DIR *d;
    char inner[1024];

    if (lstat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        d = opendir(path);
        for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
            if (is_dots(e->d_name))
                continue;
            if (snprintf(inner, sizeof inner, "%s/%s", path, e->d_name) < (int)sizeof inner)
                remove_all(inner);
        }
        if (d)
            closedir(d);
    }
    remove(path);
}

int temp_folder_remove(void **state)
{
    (void)state;
    temp_limit_files(0);
    remove_all(folder);
    return 0;
}

void temp_limit_files(unsigned long bytes)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes ? bytes : limit.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
}
