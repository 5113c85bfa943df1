#include "run/run_readme.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"

static const char text[] =
    "Made by skv: prompts sampled with several key and value caches; each cache is a path.\n"
    "report.html    what eval found, as one page; metrics.json and metrics.h5 have its numbers\n"
    "images/        PATH/ID.png: the pictures\n"
    "run.h5         all in one HDF5 file: /samples has a row a picture, /paths/PATH its pictures, "
    "bits,\n"
    "               cache and seconds; attributes of a dataset: long_name and units\n"
    "run.json       settings, digests, and when, where and how the run was started; as in\n"
    "               skv sample --config run.json --out ANOTHER it makes the same again\n"
    "groups/        PATH/*.h5: what run.h5 was gathered from; bits are enough to make pictures "
    "again\n"
    "others         rows.h5: prompts as tokens; failed/, index/, claims/, log/, tune.json: of "
    "skv's own "
    "work\n"
    "python3 -c 'import h5py; f = h5py.File(\"run.h5\"); "
    "print(list(f[\"paths\"]), f[\"samples/prompt\"].asstr()[:])'\n";

skv_status skv_run_readme_write(const char *run)
{
    char file[4096];
    struct stat info;

    if (snprintf(file, sizeof file, "%s/README.txt", run) >= (int)sizeof file)
        return skv_fail(SKV_E_ARG, "%.80s...: the run's folder has too long a name", run);
    return lstat(file, &info) == 0 ? SKV_OK : skv_file_write(file, text, strlen(text));
}
