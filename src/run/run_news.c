#include "run/run_news.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/folder.h"
#include "run/stat_folder.h"

/* The group of a file's name, -1: another file. */
static int64_t group_of(const char *name)
{
    const size_t n = strspn(name, "0123456789");

    return n >= 6 && n <= 12 && strcmp(name + n, ".h5") == 0 ? strtoll(name, NULL, 10) : -1;
}

/* What is left of a group whose file others have made. */
static uint8_t pictures(const skv_run_plan *plan)
{
    return plan->png ? SKV_WORK_PNG : 0;
}

/* work: the path's column. */
static void note(uint8_t *work, const skv_run_plan *plan, const char *name)
{
    const int64_t g = group_of(name);

    if (g >= 0 && g < plan->segments->n_groups && work[g * plan->n_paths] == SKV_WORK_COMPUTE)
        work[g * plan->n_paths] = pictures(plan);
}

/* The folder that holds a group's file. */
static skv_status list_folder(uint8_t *work, const skv_run_name *file, const skv_run_plan *plan)
{
    skv_run_name folder = *file;
    const struct dirent *e = NULL;
    skv_status st;
    DIR *d;

    *strrchr(folder.path, '/') = '\0';
    st = skv_folder_list(&d, folder.path, folder.n_below - 1);
    if (st == SKV_E_NOTFOUND) /* nothing is in it yet */
        return SKV_OK;
    SKV_TRY(st);
    while ((st = skv_folder_next(&e, d, folder.path)) == SKV_OK && e)
        note(work, plan, e->d_name);
    closedir(d);
    return st;
}

static bool any_left(const uint8_t *work, const skv_run_plan *plan, int64_t from, int64_t to)
{
    for (int64_t g = from; g < to && g < plan->segments->n_groups; g++)
        if (work[g * plan->n_paths] == SKV_WORK_COMPUTE)
            return true;
    return false;
}

skv_status skv_run_news_list(uint8_t *work, const skv_run_place *run, const skv_run_plan *plan)
{
    const int64_t step = run->by_hundred.groups ? 100 : plan->segments->n_groups;

    for (int i = 0; i < plan->n_paths; i++)
        for (int64_t g = 0; g < plan->segments->n_groups; g += step) {
            skv_run_name file;

            if (!any_left(work + i, plan, g, g + step))
                continue;
            SKV_TRY(skv_run_name_group(&file, run, plan->path[i].name, g));
            SKV_TRY(list_folder(work + i, &file, plan));
        }
    return SKV_OK;
}

skv_status skv_run_news_group(uint8_t *work, const skv_run_place *run, const skv_run_plan *plan,
                              int64_t group)
{
    for (int i = 0; i < plan->n_paths; i++) {
        const skv_group_want want = skv_run_plan_want(plan, i, group);
        skv_group_state state;
        skv_run_name file;

        if (!(work[i] & SKV_WORK_COMPUTE))
            continue;
        SKV_TRY(skv_run_name_group(&file, run, plan->path[i].name, group));
        SKV_TRY(skv_group_file_check(&state, &file, &want));
        if (state == SKV_GROUP_GOOD)
            work[i] = pictures(plan);
    }
    return SKV_OK;
}

bool skv_run_news_has_png(const skv_run_place *run, const char *path, int64_t row, const char *id)
{
    skv_run_name file;
    const char *name;
    bool there = false;
    int folder;

    if (skv_run_name_image(&file, run, path, row, id) != SKV_OK ||
        skv_folder_of(&folder, &name, file.path, file.n_below) != SKV_OK)
        return false;
    there = skv_run_find_png(&there, folder, name, file.path) == SKV_OK && there;
    close(folder);
    return there;
}
