#include "run/run_json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/folder.h"
#include "run/schema.h"
#include "run/starts.h"

#define MAX_ROWS ((int64_t)1 << 40)

static skv_status get_object(json_t **out, const skv_run_json *r, const char *key, const char *file)
{
    *out = json_object_get(r->root, key);
    if (!json_is_object(*out))
        return skv_fail(SKV_E_FORMAT, "%s: \"%s\" %s, want an object", file, key,
                        *out ? "is not an object" : "is missing");
    return SKV_OK;
}

static skv_status check_paths(const skv_run_json *r, const char *file)
{
    const char *name;
    json_t *value;

    if (json_object_size(r->paths) == 0)
        return skv_fail(SKV_E_FORMAT, "%s names no paths", file);
    json_object_foreach(r->paths, name, value)
    {
        if (!skv_path_name_is_valid(name) || !json_is_object(value))
            return skv_fail(SKV_E_FORMAT,
                            "%s: \"%.80s\" cannot be a path: want a name of " SKV_PATH_NAME_RULE
                            ", and an object",
                            file, name);
    }
    return SKV_OK;
}

skv_status skv_run_is_there(const char *run)
{
    char file[4096];
    struct stat info;

    if (stat(run, &info) != 0)
        return skv_name_status(errno) == SKV_E_NOTFOUND
                   ? skv_fail(SKV_E_ARG, "%s: no such folder", run)
                   : skv_cannot_open(run, errno);
    if (!S_ISDIR(info.st_mode))
        return skv_fail(SKV_E_ARG, "%s is not a folder, and so not a run", run);
    if (snprintf(file, sizeof file, "%s/run.json", run) >= (int)sizeof file)
        return skv_fail(SKV_E_ARG, "%.80s...: the run's folder has too long a name", run);
    if (lstat(file, &info) == 0)
        return SKV_OK;
    if (errno != ENOENT)
        return skv_cannot_open(file, errno);
    snprintf(file, sizeof file, "%s/run.h5", run);
    if (lstat(file, &info) == 0)
        return SKV_OK;
    return skv_fail(SKV_E_ARG, "%s is not a run: it has neither run.h5 nor run.json", run);
}

skv_status skv_run_json_segments(skv_segments *out, const skv_run_json *r, const char *run)
{
    char file[4096];

    snprintf(file, sizeof file, "%.4080s/run.json", run);
    SKV_TRY(skv_segments_of_run(out, r->root, file));
    if (out->n_rows != r->n_rows || out->n_groups != r->n_groups)
        return skv_fail(SKV_E_FORMAT, "%s: %lld rows in %lld groups, and segments of %lld in %lld",
                        file, (long long)r->n_rows, (long long)r->n_groups, (long long)out->n_rows,
                        (long long)out->n_groups);
    return SKV_OK;
}

/* Those that are listed must make the rows and groups. */
static skv_status check_segments(skv_run_json *r, const char *run)
{
    skv_segments s;

    r->segments = json_object_get(r->root, SKV_SEGMENTS);
    return r->segments ? skv_run_json_segments(&s, r, run) : SKV_OK;
}

skv_status skv_run_json_read(skv_run_json *out, const char *run)
{
    char file[4096];

    *out = (skv_run_json){0};
    SKV_TRY(skv_run_is_there(run));
    snprintf(file, sizeof file, "%s/run.json", run);
    SKV_TRY(skv_json_read_below(&out->root, file, 1));
    SKV_TRY(get_object(&out->common, out, "common", file));
    SKV_TRY(get_object(&out->settings, out, "settings", file));
    SKV_TRY(get_object(&out->paths, out, "paths", file));
    SKV_TRY(check_paths(out, file));
    out->starts = json_object_get(out->root, SKV_STARTS);
    SKV_TRY(skv_starts_check(out->starts, file));
    SKV_TRY(skv_by_hundred_read(&out->by_hundred, out->root, file));
    SKV_TRY(skv_json_string(&out->digest, out->root, "digest", file));
    SKV_TRY(skv_json_int(&out->n_rows, out->root, "rows", file));
    SKV_TRY(skv_json_int(&out->n_groups, out->root, "groups", file));
    if (out->n_rows < 1 || out->n_groups < 1 || out->n_groups > out->n_rows ||
        out->n_rows > MAX_ROWS)
        return skv_fail(SKV_E_FORMAT, "%s: %lld rows in %lld groups are impossible", file,
                        (long long)out->n_rows, (long long)out->n_groups);
    return check_segments(out, run);
}

void skv_run_json_clear(skv_run_json *r)
{
    json_decref(r->root);
    *r = (skv_run_json){0};
}

skv_status skv_run_json_group(skv_group_record *rec, const skv_run_json *r, const char *run,
                              const char *path, int64_t group, unsigned parts)
{
    const skv_run_place from = {run, r->by_hundred};
    skv_run_name file;
    skv_status st;

    SKV_TRY(skv_run_name_group(&file, &from, path, group));
    st = skv_group_file_read(rec, &file, parts);
    if (st == SKV_OK && (strcmp(rec->config_digest, r->digest) != 0 || rec->group != group ||
                         strcmp(rec->path_name, path) != 0))
        st = skv_fail(SKV_E_FORMAT, "%s: of another run, path or group", file.path);
    if (st == SKV_OK && (parts & SKV_GROUP_BITS) && !rec->bits)
        st = skv_fail(SKV_E_FORMAT, "%s: holds no bits (--store)", file.path);
    return st;
}
