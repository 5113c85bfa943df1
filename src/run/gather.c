/* Two passes. The first checks the first block of every group file; the second makes run.h5 aside,
 * path by path, and checks every byte. When it finds damage that the first pass missed, the rest is
 * still read, so that all damage is known at once, but nothing more is written. */
#include "run/gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "run/gather_path.h"
#include "run/run_json.h"

#define N_NAMED 3 /* of the groups that are missing */

typedef struct {
    const char *run;
    const volatile sig_atomic_t *stop;
    skv_run_json json;
    int64_t n_missing, n_damaged;
    char missing[512]; /* names of the first few */
} survey;

static skv_status set_aside(survey *s, const skv_run_name *file)
{
    char why[1024];

    snprintf(why, sizeof why, "%s", skv_message());
    SKV_TRY(skv_group_file_set_aside(file));
    skv_warn("%s; the file is set aside as %s.damaged", why, file->path);
    s->n_damaged++;
    return SKV_OK;
}

static skv_status note_missing(survey *s, const char *path, int64_t group)
{
    const skv_run_place relative = {.by_hundred = s->json.by_hundred};
    const size_t used = strlen(s->missing);
    skv_run_name file;

    if (s->n_missing++ >= N_NAMED)
        return SKV_OK;
    SKV_TRY(skv_run_name_group(&file, &relative, path, group));
    snprintf(s->missing + used, sizeof s->missing - used, "%s%.120s", used ? ", " : "", file.path);
    return SKV_OK;
}

/* ------------------------------------------------------------------- the first pass */

/* Parts (bits, pictures) that all groups of a path so far have, and that any of them has. */
typedef struct {
    unsigned all, any;
} stored;

/* A part that one file lacks is left out for the whole path. */
static skv_status check(skv_group_state *state, stored *has, const skv_run_name *file,
                        skv_group_want *want)
{
    static const unsigned fewer[] = {SKV_GROUP_BITS | SKV_GROUP_IMAGE, SKV_GROUP_BITS,
                                     SKV_GROUP_IMAGE, 0};

    for (size_t i = 0; i < sizeof fewer / sizeof fewer[0]; i++) {
        want->parts = fewer[i];
        if ((fewer[i] & ~has->all) != 0)
            continue;
        SKV_TRY(skv_group_file_check(state, file, want));
        if (*state != SKV_GROUP_LACKING)
            break;
    }
    if (*state == SKV_GROUP_GOOD) {
        has->all = want->parts;
        has->any |= want->parts;
    }
    return SKV_OK;
}

static skv_status go_on(const survey *s)
{
    if (s->stop && *s->stop)
        return skv_fail(SKV_E_STOPPED,
                        "%s: stopped while groups were gathered; run the same command again",
                        s->run);
    return SKV_OK;
}

static skv_status look_at(survey *s, stored *has, const char *path, skv_group_want *want)
{
    const skv_run_place place = {s->run, s->json.by_hundred};
    skv_group_state state = SKV_GROUP_ABSENT;
    skv_run_name file;

    SKV_TRY(go_on(s));
    SKV_TRY(skv_run_name_group(&file, &place, path, want->group));
    SKV_TRY(check(&state, has, &file, want));
    if (state == SKV_GROUP_ABSENT)
        return note_missing(s, path, want->group);
    if (state == SKV_GROUP_DAMAGED)
        return set_aside(s, &file);
    if (state == SKV_GROUP_FOREIGN)
        return skv_fail(SKV_E_FORMAT, "%s, not of %s/run.json; skv sample computes it again",
                        skv_message(), s->run);
    return SKV_OK;
}

/* *parts: what all groups of the path have. */
static skv_status look_at_path(survey *s, unsigned *parts, const char *path, const json_t *entry)
{
    skv_group_want want = {.config_digest = s->json.digest};
    stored has = {.all = SKV_GROUP_BITS | SKV_GROUP_IMAGE};
    unsigned some;

    SKV_TRY(skv_json_string(&want.path_digest, entry, "digest", path));
    for (want.group = 0; want.group < s->json.n_groups; want.group++)
        SKV_TRY(look_at(s, &has, path, &want));
    some = has.any & ~has.all;
    if (some != 0)
        skv_warn("%s: path %s has groups without %s; run.h5 leaves these out", s->run, path,
                 some == SKV_GROUP_IMAGE  ? "pictures"
                 : some == SKV_GROUP_BITS ? "bits"
                                          : "bits or pictures");
    *parts = has.all;
    return SKV_OK;
}

static skv_status verdict(const survey *s)
{
    const long long n = (long long)s->json.n_groups * (long long)json_object_size(s->json.paths);

    if (s->n_damaged > 0)
        return skv_fail(SKV_E_STOPPED,
                        "%s: %lld of %lld groups are damaged and were set aside%s; run the same "
                        "skv sample command again to compute them",
                        s->run, (long long)s->n_damaged, n,
                        s->n_missing > 0 ? ", others are missing" : "");
    if (s->n_missing > 0)
        return skv_fail(SKV_E_NOTFOUND,
                        "%s: %lld of %lld groups are missing (%s%s): the run is not complete, run "
                        "the same skv sample command again",
                        s->run, (long long)s->n_missing, n, s->missing,
                        s->n_missing > N_NAMED ? ", ..." : "");
    return SKV_OK;
}

/* ------------------------------------------------------------------ the second pass */

/* SKV_OK with an empty record: damaged, and set aside. */
static skv_status read_group(skv_group_record *rec, survey *s, const char *path, int64_t group,
                             unsigned parts)
{
    const skv_run_place place = {s->run, s->json.by_hundred};
    skv_run_name file;
    skv_status st;

    SKV_TRY(skv_run_name_group(&file, &place, path, group));
    st = skv_group_file_read(rec, &file, parts);
    if (st == SKV_E_NOTFOUND && s->n_damaged > 0) /* set aside in the first pass */
        st = SKV_OK;
    else if (st != SKV_OK && st != SKV_E_NOTFOUND && st != SKV_E_DENIED && st != SKV_E_IO &&
             st != SKV_E_MEM)
        st = set_aside(s, &file);
    return st;
}

static skv_status gather_path(survey *s, skv_gather_path *p)
{
    skv_status st = SKV_OK;

    for (int64_t k = 0; k < s->json.n_groups && st == SKV_OK; k++) {
        skv_group_record rec = {0};

        SKV_TRY(go_on(s));
        st = read_group(&rec, s, p->name, k, skv_gather_path_parts(p, k));
        if (st == SKV_OK && s->n_damaged == 0)
            st = skv_gather_path_add(p, &rec);
        skv_group_record_clear(&rec);
    }
    return st == SKV_OK && s->n_damaged == 0 ? skv_gather_path_finish(p) : st;
}

static skv_status write_root(skv_h5 *out, const skv_run_json *json)
{
    char *common = NULL;
    skv_status st;

    SKV_TRY(skv_json_print(&common, json->common, SKV_JSON_COMPACT));
    st = skv_h5_set_text(out, "/", SKV_ATTR_CONFIG, common);
    free(common);
    SKV_TRY(st);
    SKV_TRY(skv_h5_set_text(out, "/", SKV_ATTR_CONFIG_DIGEST, json->digest));
    SKV_TRY(skv_h5_set_text(out, "/", SKV_ATTR_SKV, SKV_VERSION));
    return skv_h5_link(out, "/metrics", "metrics.h5", "/metrics"); /* once skv eval made it */
}

static skv_status write_run(survey *s, skv_h5 *out, const unsigned *parts, bool virtual_images,
                            int64_t *n_failed)
{
    skv_gather_rows rows = {.n = s->json.n_rows, .n_groups = s->json.n_groups};
    const char *name;
    json_t *entry;
    int order = 0;
    skv_status st;

    SKV_TRY_GOTO(write_root(out, &s->json), done);
    SKV_TRY_GOTO(skv_gather_rows_init(&rows), done);
    json_object_foreach(s->json.paths, name, entry)
    {
        skv_gather_path p = {.run = s->run,
                             .by_hundred = s->json.by_hundred,
                             .out = out,
                             .rows = &rows,
                             .name = name,
                             .parts = parts[order],
                             .virtual_images = virtual_images,
                             .order = order,
                             .reference = json_is_true(json_object_get(entry, "reference"))};

        st = gather_path(s, &p);
        skv_gather_path_clear(&p);
        SKV_TRY_GOTO(st, done);
        order++;
    }
    if (s->n_damaged == 0)
        SKV_TRY_GOTO(skv_gather_rows_write(&rows, out), done);
    *n_failed = rows.n_failed;
done:
    skv_gather_rows_clear(&rows);
    return st;
}

static skv_status write_file(survey *s, const unsigned *parts, bool virtual_images,
                             int64_t *n_failed)
{
    char file[4096];
    skv_h5 *out = NULL;
    skv_status st;

    if (snprintf(file, sizeof file, "%s/run.h5", s->run) >= (int)sizeof file)
        return skv_fail(SKV_E_ARG, "%.80s...: the run's folder has too long a name", s->run);
    SKV_TRY(skv_h5_create(&out, file));
    SKV_TRY_GOTO(write_run(s, out, parts, virtual_images, n_failed), done);
    SKV_TRY_GOTO(verdict(s), done);
    st = skv_h5_commit(&out);
done:
    skv_h5_close(out);
    return st;
}

skv_status skv_gather(const char *run, bool virtual_images, const volatile sig_atomic_t *stop,
                      int64_t *n_failed)
{
    survey s = {.run = run, .stop = stop};
    unsigned *parts = NULL;
    const char *name;
    json_t *entry;
    size_t i = 0;
    skv_status st;

    SKV_TRY_GOTO(skv_run_json_read(&s.json, run), done);
    SKV_TRY_GOTO(skv_alloc(&parts, json_object_size(s.json.paths), sizeof *parts, "gather"), done);
    json_object_foreach(s.json.paths, name, entry)
        SKV_TRY_GOTO(look_at_path(&s, &parts[i++], name, entry), done);
    if (s.n_missing > 0)
        SKV_TRY_GOTO(verdict(&s), done);
    st = write_file(&s, parts, virtual_images, n_failed);
done:
    free(parts);
    skv_run_json_clear(&s.json);
    return st;
}
