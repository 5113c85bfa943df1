#include "sample/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "run/group_file.h"
#include "sample/result.h"

/* ----------------------------------------------------------------- identity */

static json_t *digest_json(uint64_t h)
{
    char text[SKV_DIGEST_BYTES];

    return json_string(skv_digest_text(text, h));
}

static json_t *reals_json(const skv_reals *r)
{
    json_t *list = json_array();

    for (int i = 0; i < r->n; i++)
        json_array_append_new(list, json_real(r->value[i]));
    return list;
}

static json_t *text_json(const char *text)
{
    return text ? json_string(text) : json_null();
}

/* A formula's name says what its values are; a file is told by its content, wherever it lies. */
static json_t *weights_json(const char *spec, const skv_weights *w)
{
    return skv_formula_name(spec) ? json_string(spec) : digest_json(skv_weights_digest(w));
}

static json_t *common_json(const skv_identity_setup *a)
{
    const skv_settings *s = a->settings;
    json_t *c = json_object();

    json_object_set_new(c, "transformer", weights_json(s->transformer, a->sources->transformer));
    json_object_set_new(c, "vae", weights_json(s->vae, a->sources->vae));
    json_object_set_new(c, "t5", digest_json(a->t5_digest));
    json_object_set_new(c, "tokenizer", digest_json(a->tokenizer_digest));
    json_object_set_new(c, "tokens", text_json(s->tokens));
    json_object_set_new(
        c, "prompts", digest_json(skv_digest_add(SKV_DIGEST_START, a->prompts, a->prompts_bytes)));
    if (a->rewriting)
        json_object_set_new(c, "rewritten", digest_json(a->rewriting->digest));
    json_object_set_new(c, "prompt_order", text_json(s->prompt_order));
    json_object_set_new(c, "samples", json_integer(s->samples));
    json_object_set_new(c, "seed", json_integer((json_int_t)s->seed));
    json_object_set_new(c, "seed_rule", text_json(s->seed_rule));
    json_object_set_new(c, "negative", text_json(s->negative));
    json_object_set_new(c, "positive", json_boolean(s->positive));
    json_object_set_new(c, "ratio", json_real(s->ratio));
    json_object_set_new(c, "resolution", text_json(s->resolution));
    json_object_set_new(c, "cfg", reals_json(&s->cfg));
    json_object_set_new(c, "tau", reals_json(&s->tau));
    json_object_set_new(c, "top_p", json_real(s->top_p));
    json_object_set_new(c, "cfg_insertion_layer", json_integer(s->cfg_insertion_layer));
    json_object_set_new(c, "group_size", json_integer(s->group_size));
    return c;
}

skv_status skv_identity_make(skv_identity *out, const skv_identity_setup *setup)
{
    skv_identity id = {.common = common_json(setup)};
    const size_t n = (size_t)setup->paths->n;
    char *text = json_dumps(id.common, JSON_COMPACT | JSON_REAL_PRECISION(17));
    skv_status st = text ? SKV_OK : skv_fail(SKV_E_MEM, "settings: out of memory");

    if (st != SKV_OK)
        goto done;
    skv_digest_text(id.digest, skv_digest_add(SKV_DIGEST_START, text, strlen(text)));
    SKV_TRY_GOTO(skv_alloc(&id.path_digest, n, sizeof *id.path_digest, "paths"), done);
    SKV_TRY_GOTO(skv_alloc(&id.path_digests, n, sizeof *id.path_digests, "paths"), done);
    for (size_t i = 0; i < n; i++) {
        const char *report = setup->paths->path[i].digest_text;

        skv_digest_text(id.path_digest[i],
                        skv_digest_add(SKV_DIGEST_START, report, strlen(report)));
        id.path_digests[i] = id.path_digest[i];
    }
    *out = id;
    id = (skv_identity){0};
done:
    free(text);
    skv_identity_clear(&id);
    return st;
}

void skv_identity_clear(skv_identity *id)
{
    json_decref(id->common);
    free(id->path_digest);
    free((void *)id->path_digests);
    *id = (skv_identity){0};
}

/* ----------------------------------------------------------------- run.json */

static skv_status differ(const char *file, const char *key, const json_t *have, const json_t *want)
{
    char *a = have ? json_dumps(have, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    char *b = want ? json_dumps(want, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    skv_status st = skv_fail(SKV_E_ARG,
                             "%s is of another configuration: \"%s\" is %s there and %s here; use "
                             "another --out, or the same settings",
                             file, key, a ? a : "absent", b ? b : "absent");

    free(a);
    free(b);
    return st;
}

static skv_status compare_common(const char *file, const json_t *have, const json_t *want)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)want, key, value)
    {
        const json_t *there = json_object_get(have, key);

        if (!there || !json_equal(there, value))
            return differ(file, key, there, value);
    }
    json_object_foreach((json_t *)(uintptr_t)have, key, value)
    {
        if (!json_object_get(want, key))
            return differ(file, key, value, NULL);
    }
    return SKV_OK;
}

/* A path of the same name must have the same options; new ones are added. */
static skv_status merge_paths(json_t *paths, const char *file, const skv_identity *id,
                              const skv_paths *now)
{
    for (int i = 0; i < now->n; i++) {
        const skv_path *p = &now->path[i];
        const char *there =
            json_string_value(json_object_get(json_object_get(paths, p->name), "digest"));

        if (there && strcmp(there, id->path_digest[i]) != 0)
            return skv_fail(SKV_E_ARG,
                            "%s: path %s has another policy, budget or options there; give this "
                            "one another name",
                            file, p->name);
        if (!there)
            json_object_set_new(paths, p->name,
                                json_pack("{s:s, s:b, s:O}", "digest", id->path_digest[i],
                                          "reference", p->reference, "settings", p->report));
    }
    return SKV_OK;
}

static skv_status compare_device(const char *file, const json_t *root, const skv_settings *s,
                                 const skv_backend *be)
{
    const char *there = json_string_value(json_object_get(root, "device"));

    if (!there || strcmp(there, skv_backend_describe(be)) == 0)
        return SKV_OK;
    if (be->device == SKV_HOST || s->allow_other_device) {
        skv_warn("%s was begun on %s, this is %s: new pictures may differ in their last bits", file,
                 there, skv_backend_describe(be));
        return SKV_OK;
    }
    return skv_fail(SKV_E_ARG,
                    "%s was begun on %s, this is %s: pictures would not be comparable to the bit "
                    "(--allow-other-device goes on all the same)",
                    file, there, skv_backend_describe(be));
}

/* New reference: the file's content merged with this run. */
static skv_status merge(json_t **out, const char *file, const skv_identity *id,
                        const skv_rows *rows, const skv_paths *paths, const skv_backend *be)
{
    json_t *root = NULL, *settings = NULL;
    skv_status st = skv_json_read(&root, file);

    if (st == SKV_OK) {
        SKV_TRY_GOTO(compare_common(file, json_object_get(root, "common"), id->common), done);
        SKV_TRY_GOTO(compare_device(file, root, rows->settings, be), done);
    } else if (st == SKV_E_NOTFOUND) {
        root = json_pack("{s:s, s:s, s:O, s:{}, s:s}", "skv", SKV_VERSION, "digest", id->digest,
                         "common", id->common, "paths", "device", skv_backend_describe(be));
    } else {
        goto done;
    }
    SKV_TRY_GOTO(merge_paths(json_object_get(root, "paths"), file, id, paths), done);
    SKV_TRY_GOTO(skv_options_to_json(&settings, skv_settings_table, rows->settings), done);
    json_object_set_new(root, "rows", json_integer(rows->n_rows));
    json_object_set_new(root, "groups", json_integer(rows->n_groups));
    json_object_set_new(root, "settings", settings);
    *out = root;
    root = NULL;
done:
    json_decref(root);
    return st;
}

/* Held until the process ends. */
static skv_status lock(const char *run)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char path[4096];
    int fd;

    snprintf(path, sizeof path, "%s/.lock", run);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return skv_fail(SKV_E_IO, "%s: cannot open the lock: %s", path, strerror(errno));
    if (fcntl(fd, F_SETLK, &l) == 0)
        return SKV_OK;
    if (errno == EACCES || errno == EAGAIN)
        return skv_fail(SKV_E_IO, "%s: another skv is at work in this folder", run);
    skv_warn("%s: this file system has no locks (%s): do not start two runs here", run,
             strerror(errno));
    return SKV_OK;
}

/* Nobody else writes here while the lock is held, so whatever is still aside was left by a kill. */
static void remove_asides(const char *folder)
{
    DIR *d = opendir(folder);
    const struct dirent *e;

    while (d && (e = readdir(d))) {
        const size_t n = strlen(e->d_name);

        if (n > 4 && strcmp(e->d_name + n - 4, ".tmp") == 0)
            unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d)
        closedir(d);
}

static skv_status make_folder(const char *run, const char *what, const char *path)
{
    char folder[4096];

    snprintf(folder, sizeof folder, "%s/%s/%s", run, what, path);
    SKV_TRY(skv_folder_make(folder));
    remove_asides(folder);
    return SKV_OK;
}

skv_status skv_run_folder_open(const char *run, const skv_identity *id, const skv_rows *rows,
                               const skv_paths *paths, const skv_backend *be)
{
    char file[4096];
    json_t *root = NULL;
    skv_status st;

    if (strlen(run) > sizeof file - 512)
        return skv_fail(SKV_E_ARG, "--out: a path of %zu bytes is too long", strlen(run));
    SKV_TRY(skv_folder_make(run));
    SKV_TRY(lock(run));
    snprintf(file, sizeof file, "%s/run.json", run);
    SKV_TRY(merge(&root, file, id, rows, paths, be));
    st = skv_json_write(root, file);
    json_decref(root);
    for (int i = 0; i < paths->n && st == SKV_OK; i++) {
        st = make_folder(run, "groups", paths->path[i].name);
        if (st == SKV_OK)
            st = make_folder(run, "images", paths->path[i].name);
    }
    return st;
}

/* --------------------------------------------------------------------- scan */

static bool png_missing(const char *run, const skv_rows *rows, const skv_path *path, int64_t g)
{
    char file[4096], id[SKV_ID_BYTES];
    struct stat info;
    int64_t first;
    int n;

    skv_rows_group(rows, g, &first, &n);
    for (int i = 0; i < n; i++) {
        if (rows->tokens[skv_rows_at(rows, first + i).prompt] == 0)
            continue;
        skv_rows_id(rows, first + i, id, sizeof id);
        snprintf(file, sizeof file, "%s/images/%s/%s.png", run, path->name, id);
        if (stat(file, &info) != 0)
            return true;
    }
    return false;
}

static skv_status scan_one(uint8_t *work, const char *run, const skv_rows *rows,
                           const skv_path *path, skv_group_want *want, bool png)
{
    skv_group_state state;
    char *file = NULL;
    skv_status st;

    skv_rows_group(rows, want->group, &want->first_row, &want->n_rows);
    SKV_TRY(skv_group_file_path(&file, run, path->name, want->group));
    st = skv_group_file_check(&state, file, want);
    if (st == SKV_OK && state != SKV_GROUP_GOOD && state != SKV_GROUP_ABSENT)
        skv_warn("%s; the group is computed again", skv_message());
    free(file);
    SKV_TRY(st);
    *work = 0;
    if (state != SKV_GROUP_GOOD)
        *work = SKV_WORK_COMPUTE;
    else if (png && png_missing(run, rows, path, want->group))
        *work = SKV_WORK_PNG;
    return SKV_OK;
}

skv_status skv_run_folder_scan(uint8_t *work, const char *run, const skv_identity *id,
                               const skv_rows *rows, const skv_paths *paths, const skv_store *store)
{
    skv_group_want want = {.config_digest = id->digest,
                           .parts = (store->bits ? SKV_GROUP_BITS : 0) |
                                    (store->image ? SKV_GROUP_IMAGE : 0)};

    for (int i = 0; i < paths->n; i++) {
        want.path_digest = id->path_digest[i];
        for (int64_t g = 0; g < rows->n_groups; g++) {
            want.group = g;
            SKV_TRY(
                scan_one(&work[g * paths->n + i], run, rows, &paths->path[i], &want, store->png));
        }
    }
    return SKV_OK;
}
