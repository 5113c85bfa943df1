#include "run/gather_parts.h"

#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/text.h"

#define N_NAMED     3 /* of the groups that are missing */
#define NAMES_BYTES 512

void skv_gather__learn(skv_gather *g)
{
    for (size_t i = 0; i < g->n; i++)
        g->known[i] |= g->news[i];
    memset(g->news, 0, g->n * sizeof *g->news);
    skv_gather__count(g);
    g->virtual_images = g->setup.virtual_images;
    for (int p = 0; p < g->n_paths && g->setup.partial; p++)
        g->virtual_images = g->virtual_images || g->lacking[p] > 0;
}

skv_status skv_gather__go_on(const skv_gather *g)
{
    if (g->setup.alive)
        g->setup.alive(g->setup.ctx);
    if (!g->setup.stop || !*g->setup.stop)
        return SKV_OK;
    return skv_fail(SKV_E_STOPPED,
                    "%s: stopped while gathering; run the same command again to go on",
                    g->setup.run);
}

skv_status skv_gather__set_aside(const skv_run_name *file)
{
    char why[1024];

    snprintf(why, sizeof why, "%s", skv_message());
    SKV_TRY(skv_group_file_set_aside(file));
    skv_warn("%s; the file is set aside as %s.damaged", why, file->path);
    return SKV_OK;
}

/* names: of the first few. */
static int64_t count_missing(char *names, size_t bytes, const skv_gather *g)
{
    const skv_run_place relative = {.by_hundred = g->place.by_hundred};
    const char *path;
    json_t *entry;
    int64_t n = 0;
    size_t i = 0;

    names[0] = '\0';
    json_object_foreach(g->json.paths, path, entry)
    {
        for (int64_t k = 0; k < g->json.n_groups; k++, i++) {
            const size_t used = strlen(names);
            skv_run_name file;

            if ((g->known[i] & (SKV_GATHER__THERE | SKV_GATHER__DAMAGED)) != 0 || n++ >= N_NAMED)
                continue;
            if (skv_run_name_group(&file, &relative, path, k) == SKV_OK)
                snprintf(names + used, bytes - used, "%s%s", used ? ", " : "", file.path);
        }
    }
    return n;
}

json_t *skv_gather_lacking(const skv_gather *g, bool damaged)
{
    const skv_run_place relative = {.by_hundred = g->place.by_hundred};
    skv_json_maker list = skv_json_array();
    const char *path;
    json_t *entry;
    size_t i = 0;

    json_object_foreach(g->json.paths, path, entry)
    {
        for (int64_t k = 0; k < g->json.n_groups; k++, i++) {
            skv_run_name file;

            if (!skv_gather__is_there(g->known[i]) &&
                damaged == ((g->known[i] & SKV_GATHER__DAMAGED) != 0) &&
                skv_run_name_group(&file, &relative, path, k) == SKV_OK)
                skv_json_append(&list, json_string(file.path));
        }
    }
    return skv_json_take(&list);
}

int64_t skv_gather__missing(const skv_gather *g)
{
    char names[NAMES_BYTES];

    return count_missing(names, sizeof names, g);
}

int64_t skv_gather__damaged(const skv_gather *g)
{
    int64_t n = 0;

    for (size_t i = 0; i < g->n; i++)
        n += (g->known[i] & SKV_GATHER__DAMAGED) != 0;
    return n;
}

/* ------------------------------------------------------------------ a partial run */

static int64_t rows_of(const skv_gather *g, int64_t group)
{
    int64_t first;
    int n;

    skv_segments_group(&g->segments, group, &first, &n);
    return n;
}

static bool is_missing(const skv_gather *g, int place, int64_t group)
{
    return !skv_gather__is_there(g->known[place * g->json.n_groups + group]);
}

void skv_gather__count(skv_gather *g)
{
    for (int p = 0; p < g->n_paths; p++) {
        g->lacking[p] = 0;
        for (int64_t k = 0; k < g->json.n_groups; k++)
            g->lacking[p] += is_missing(g, p, k) ? rows_of(g, k) : 0;
    }
}

/* Rows that every path has, those paths aside that have none. */
static int64_t count_rows(const skv_gather *g)
{
    int64_t n = g->json.n_rows;

    for (int64_t k = 0; k < g->json.n_groups; k++) {
        bool missing = false;

        for (int p = 0; p < g->n_paths && !missing; p++)
            missing = g->lacking[p] < g->json.n_rows && is_missing(g, p, k);
        n -= missing ? rows_of(g, k) : 0;
    }
    return n;
}

void skv_gather__partial(char out[SKV_GATHER__PARTIAL_BYTES], const skv_gather *g)
{
    const size_t bytes = SKV_GATHER__PARTIAL_BYTES;
    const char *path;
    json_t *entry;
    size_t used = 0;
    int place = 0;
    char join = ';';

    out[0] = '\0';
    json_object_foreach(g->json.paths, path, entry)
    {
        const int64_t lacking = g->lacking[place++];

        if (lacking == 0 || used >= bytes)
            continue;
        if (used == 0)
            used = (size_t)snprintf(out, bytes, "%lld of %lld row%s", (long long)count_rows(g),
                                    (long long)g->json.n_rows, skv_s(g->json.n_rows));
        used += (size_t)snprintf(out + used, bytes - used, "%c path %s lacks %s%lld", join, path,
                                 lacking < g->json.n_rows ? "" : "all ", (long long)lacking);
        join = ',';
    }
}

/* ------------------------------------------------------------------------ verdict */

static skv_status say_damaged(const skv_gather *g, int64_t n_damaged, int64_t n_missing)
{
    return skv_fail(SKV_E_STOPPED,
                    "%s: %lld of %lld group%s %s set aside%s; run the same skv sample "
                    "command again to compute %s",
                    g->setup.run, (long long)n_damaged, (long long)g->n, skv_s((int64_t)g->n),
                    n_damaged == 1 ? "is damaged and was" : "are damaged and were",
                    n_missing > 0 ? ", others are missing" : "",
                    n_damaged + n_missing == 1 ? "it" : "them");
}

skv_status skv_gather__verdict(const skv_gather *g)
{
    char names[NAMES_BYTES];
    const int64_t n_missing = count_missing(names, sizeof names, g);
    const int64_t n_damaged = skv_gather__damaged(g);

    if (g->setup.partial && n_missing + n_damaged < (int64_t)g->n)
        return SKV_OK;
    if (n_damaged > 0)
        return say_damaged(g, n_damaged, n_missing);
    if (g->setup.partial && n_missing > 0)
        return skv_fail(SKV_E_NOTFOUND,
                        "%s: none of its %lld group%s is there yet: there is nothing to gather",
                        g->setup.run, (long long)g->n, skv_s((int64_t)g->n));
    if (n_missing > 0)
        return skv_fail(SKV_E_NOTFOUND,
                        "%s: %lld of %lld group%s %s missing (%s%s): the run is not complete, run "
                        "the same skv sample command again",
                        g->setup.run, (long long)n_missing, (long long)g->n, skv_s((int64_t)g->n),
                        n_missing == 1 ? "is" : "are", names, n_missing > N_NAMED ? ", ..." : "");
    return SKV_OK;
}
