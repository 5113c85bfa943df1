#include "eval/metrics/networks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/text.h"

#define USUAL        "weights"
#define FOLDER_BYTES 4096

/* ---------------------------------------------------------------------- files */

/* Folder of the program, or "" where the system does not say. */
static void program_folder(char *out, size_t bytes)
{
    const ssize_t n = readlink("/proc/self/exe", out, bytes - 1);
    char *slash;

    out[n > 0 ? n : 0] = '\0';
    slash = strrchr(out, '/');
    if (slash)
        *slash = '\0';
}

static skv_status look(char **out, const char *folder, const char *inside, const char *name)
{
    struct stat info;
    char *path = NULL, *file = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_path_join(&path, folder, inside), done);
    SKV_TRY_GOTO(skv_path_join(&file, path, name), done);
    if (stat(file, &info) == 0 && S_ISREG(info.st_mode)) {
        *out = file;
        file = NULL;
    }
done:
    free(path);
    free(file);
    return st;
}

skv_status skv_weights_find(char **out, const char *given, const char *name)
{
    char program[FOLDER_BYTES];

    *out = NULL;
    if (given)
        return skv_text_copy(out, given);
    SKV_TRY(look(out, NULL, USUAL, name));
    if (*out)
        return SKV_OK;
    program_folder(program, sizeof program);
    if (!program[0])
        return SKV_OK;
    SKV_TRY(look(out, program, "../" USUAL, name));
    return *out ? SKV_OK : look(out, program, USUAL, name);
}

/* ------------------------------------------------------------------- networks */

skv_status skv_networks_create(skv_networks *out)
{
    size_t n = 0;

    *out = (skv_networks){0};
    while (skv_metrics[n])
        n++;
    SKV_TRY(skv_alloc(&out->item, n, sizeof *out->item, "networks"));
    for (size_t i = 0; i < n; i++) {
        const skv_metric_network *network = skv_metrics[i]->network;
        int k = 0;

        while (k < out->n && out->item[k].network != network)
            k++;
        if (network && k == out->n)
            out->item[out->n++].network = network;
    }
    return SKV_OK;
}

static int n_files(const skv_metric_network *network)
{
    int n = 0;

    while (n < SKV_NETWORK_FILES && network->file[n].option)
        n++;
    return n;
}

/* *wanted: one of its files is given, so the others must be there. */
static skv_status find_files(skv_open_network *item, skv_weights_given *given, void *ctx,
                             bool *wanted)
{
    *wanted = false;
    for (int i = 0; i < n_files(item->network); i++) {
        const skv_weight_file *file = &item->network->file[i];
        const char *by_user = given(ctx, file->option);

        SKV_TRY(skv_weights_find(&item->path[i], by_user, file->name));
        *wanted = *wanted || by_user;
    }
    return SKV_OK;
}

static skv_status open_one(skv_open_network *item, skv_backend *be, bool wanted)
{
    for (int i = 0; i < n_files(item->network); i++) {
        if (!item->path[i] && !wanted)
            return SKV_OK;
        if (!item->path[i]) /* opening it says that it is missing, and where it is to be had */
            SKV_TRY(skv_path_join(&item->path[i], USUAL, item->network->file[i].name));
    }
    return item->network->open(&item->state, be, (const char *const *)item->path);
}

skv_status skv_networks_open(skv_networks *networks, skv_backend *be, skv_weights_given *given,
                             void *ctx)
{
    for (int i = 0; i < networks->n; i++) {
        bool wanted;

        SKV_TRY(find_files(&networks->item[i], given, ctx, &wanted));
        SKV_TRY(open_one(&networks->item[i], be, wanted));
    }
    return SKV_OK;
}

void skv_networks_close(skv_networks *networks)
{
    for (int i = 0; i < networks->n; i++) {
        skv_open_network *item = &networks->item[i];

        item->network->close(item->state);
        for (int k = 0; k < SKV_NETWORK_FILES; k++)
            free(item->path[k]);
    }
    free(networks->item);
    *networks = (skv_networks){0};
}

void *skv_networks_state(const skv_networks *networks, const skv_metric_network *network)
{
    for (int i = 0; network && i < networks->n; i++)
        if (networks->item[i].network == network)
            return networks->item[i].state;
    return NULL;
}
