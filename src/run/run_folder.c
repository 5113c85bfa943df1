#include "run/run_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/digest.h"
#include "core/file.h"
#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/options.h"
#include "core/process.h"
#include "run/group_file.h"
#include "run/run_growth.h"
#include "run/run_index.h"
#include "run/run_lock.h"
#include "run/run_readme.h"
#include "run/schema.h"
#include "run/starts.h"

/* ----------------------------------------------------------------- run.json */

static skv_status differ(const char *file, const char *key, const json_t *have, const json_t *want)
{
    char *a = NULL, *b = NULL;
    skv_status st = SKV_OK;

    if (have)
        SKV_TRY_GOTO(skv_json_print(&a, have, SKV_JSON_COMPACT), done);
    if (want)
        SKV_TRY_GOTO(skv_json_print(&b, want, SKV_JSON_COMPACT), done);
    st = skv_fail(SKV_E_ARG,
                  "%s is of another configuration: \"%s\" is %s there and %s here; use "
                  "another --out, or the same settings",
                  file, key, a ? a : "absent", b ? b : "absent");
done:
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

        if (!skv_run_key_grows(key) && (!there || !json_equal(there, value)))
            return differ(file, key, there, value);
    }
    json_object_foreach((json_t *)(uintptr_t)have, key, value)
    {
        if (!skv_run_key_grows(key) && !json_object_get(want, key))
            return differ(file, key, value, NULL);
    }
    return SKV_OK;
}

/* Digests of another form cannot be compared. */
static skv_status check_digest(const char *file, const json_t *root)
{
    const char *digest = json_string_value(json_object_get(root, "digest"));

    if (digest && !skv_digest_is_text(digest))
        return skv_fail(SKV_E_ARG,
                        "%s was begun by an older version of skv, whose digest (%s) cannot be "
                        "compared; use another --out",
                        file, digest);
    return SKV_OK;
}

/* Runs of versions that drew other random numbers do not have the key. */
static skv_status check_random(const char *file, const json_t *common)
{
    if (!json_object_get(common, SKV_RUN_RANDOM))
        return skv_fail(SKV_E_ARG,
                        "%s was begun by an older version of skv, which drew other random numbers "
                        "than torch's: the same seed gives other pictures now; use another --out",
                        file);
    return SKV_OK;
}

/* Of runs of versions that did not grow, sample 0 was called "<id>-0" where there were more. */
static skv_status check_sample_names(const char *file, const json_t *root)
{
    const json_t *samples = json_object_get(json_object_get(root, "common"), "samples");

    if (!json_object_get(root, SKV_SEGMENTS) && json_integer_value(samples) > 1)
        return skv_fail(SKV_E_ARG,
                        "%s was begun by an older version of skv, which called a prompt's first "
                        "picture <id>-0 instead of <id>; use another --out",
                        file);
    return SKV_OK;
}

/* --------------------------------------------------------------------- growth */

static skv_status nobody_works(const skv_claims *claims, const char *file)
{
    skv_claims_counts n;

    SKV_TRY(skv_claims_count(&n, claims));
    if (n.jobs > 0)
        return skv_fail(SKV_E_ARG,
                        "%s: a run grows while nobody else works on it, and %s does; wait until "
                        "it is done, or stop it (a file named stop in the run's folder does)",
                        file, n.job);
    return SKV_OK;
}

/* Prompts and samples as they are in the file, as they were when this job looked, as they are to
 * be. */
static skv_status check_growth(const char *file, const json_t *root, const skv_run_plan *plan,
                               const skv_claims *claims)
{
    json_t *is = NULL, *will_be = NULL, *segments = skv_segments_json(plan->segments);
    skv_status st;

    SKV_TRY_GOTO(skv_run_growing_part(&is, json_object_get(root, "common"),
                                      json_object_get(root, SKV_SEGMENTS)),
                 done);
    SKV_TRY_GOTO(skv_run_growing_part(&will_be, plan->common, segments), done);
    if (json_equal(is, will_be))
        goto done;
    if (!json_equal(is, plan->grown_from))
        st = skv_fail(SKV_E_ARG,
                      "%s: another job has begun or grown this run since this one looked at it; "
                      "run the same command again",
                      file);
    else
        st = nobody_works(claims, file);
done:
    json_decref(is);
    json_decref(will_be);
    json_decref(segments);
    return st;
}

/* ----------------------------------------------------------------------- paths */

static const char *digest_of_path(const json_t *paths, const char *name)
{
    return json_string_value(json_object_get(json_object_get(paths, name), "digest"));
}

/* Names that the file brings become folders. */
static skv_status check_names(const json_t *paths, const char *file)
{
    const char *name;
    json_t *value;

    if (!json_is_object(paths))
        return skv_fail(SKV_E_FORMAT, "%s: \"paths\" is missing or not an object", file);
    json_object_foreach((json_t *)(uintptr_t)paths, name, value)
    {
        if (!skv_path_name_is_valid(name))
            return skv_fail(SKV_E_FORMAT, "%s: \"%.80s\" cannot be the name of a path", file, name);
    }
    return SKV_OK;
}

/* A path of the same name must have the same options; new ones are added. */
static skv_status merge_paths(json_t *paths, const char *file, const skv_run_plan *plan)
{
    skv_json_maker all;

    for (int i = 0; i < plan->n_paths; i++) {
        const char *there = digest_of_path(paths, plan->path[i].name);

        if (there && strcmp(there, plan->path[i].digest) != 0)
            return skv_fail(SKV_E_ARG,
                            "%s: path %s has another policy, budget or options there; give this "
                            "one another name",
                            file, plan->path[i].name);
    }
    all = skv_json_extend(paths);
    for (int i = 0; i < plan->n_paths; i++) {
        const skv_run_plan_path *p = &plan->path[i];

        if (!digest_of_path(paths, p->name))
            skv_json_put(&all, p->name,
                         json_pack("{s:s, s:b, s:O}", "digest", p->digest, "reference",
                                   p->reference, "settings", p->report));
    }
    return skv_json_finish(NULL, &all, file);
}

static skv_status compare_device(const char *file, const json_t *root, const skv_run_plan *plan)
{
    const char *there = json_string_value(json_object_get(root, "device"));

    if (!there || strcmp(there, plan->device) == 0)
        return SKV_OK;
    if (plan->any_device) {
        skv_warn("%s was begun on %s, this is %s: new pictures may differ in their last bits", file,
                 there, plan->device);
        return SKV_OK;
    }
    return skv_fail(SKV_E_ARG,
                    "%s was begun on %s, this is %s: pictures would not be comparable to the bit "
                    "(--allow-other-device continues anyway)",
                    file, there, plan->device);
}

/* New reference: the file's content merged with this run. */
static skv_status merge(json_t **out, const char *file, const skv_run_plan *plan,
                        const skv_claims *claims)
{
    skv_json_maker merged;
    json_t *root = NULL, *starts = NULL;
    skv_status st = skv_json_read_below(&root, file, 1);

    if (st == SKV_OK) {
        SKV_TRY_GOTO(check_names(json_object_get(root, "paths"), file), done);
        SKV_TRY_GOTO(check_digest(file, root), done);
        SKV_TRY_GOTO(check_random(file, json_object_get(root, "common")), done);
        SKV_TRY_GOTO(check_sample_names(file, root), done);
        SKV_TRY_GOTO(compare_common(file, json_object_get(root, "common"), plan->common), done);
        SKV_TRY_GOTO(compare_device(file, root, plan), done);
        SKV_TRY_GOTO(check_growth(file, root, plan, claims), done);
    } else if (st == SKV_E_NOTFOUND) {
        const skv_by_hundred divided = {plan->segments->n_groups > plan->flat_max,
                                        plan->segments->n_rows > plan->flat_max};

        root = json_pack("{s:s, s:s, s:O, s:{}, s:s, s:o*}", "skv", SKV_VERSION, "digest",
                         plan->digest, "common", plan->common, "paths", "device", plan->device,
                         SKV_BY_HUNDRED, skv_by_hundred_json(&divided));
    } else {
        goto done;
    }
    SKV_TRY_GOTO(merge_paths(json_object_get(root, "paths"), file, plan), done);
    SKV_TRY_GOTO(skv_starts_add(&starts, json_object_get(root, SKV_STARTS), plan->start, file),
                 done);
    merged = skv_json_extend(root);
    skv_json_put(&merged, "common", json_incref(plan->common));
    skv_json_put(&merged, SKV_SEGMENTS, skv_segments_json(plan->segments));
    skv_json_put(&merged, "rows", json_integer(plan->segments->n_rows));
    skv_json_put(&merged, "groups", json_integer(plan->segments->n_groups));
    skv_json_put(&merged, "settings", json_incref(plan->settings));
    skv_json_put(&merged, SKV_STARTS, starts);
    st = skv_json_finish(out, &merged, file);
done:
    json_decref(root);
    return st;
}

/* Metrics compare paths with the reference; that it lacks is better known before hours of work. */
static void say_no_reference(const char *run, const json_t *root)
{
    const char *name;
    json_t *path;

    json_object_foreach(json_object_get(root, "paths"), name, path)
    {
        if (json_is_true(json_object_get(path, "reference")))
            return;
    }
    skv_warn("%s: no path is the reference, which metrics need: --paths full,... adds it, now or "
             "later",
             run);
}

static skv_status make_folder(const char *run, const char *what, const char *path)
{
    char folder[4096];

    snprintf(folder, sizeof folder, "%s/%s/%s", run, what, path);
    return skv_folder_make_below(folder, 2);
}

/* run.json as it is now, merged with this run. */
static skv_status write_json(skv_by_hundred *out, const char *run, const skv_run_plan *plan,
                             skv_claims *claims)
{
    char file[4096];
    json_t *root = NULL;
    skv_status st;

    snprintf(file, sizeof file, "%s/run.json", run);
    SKV_TRY(merge(&root, file, plan, claims));
    say_no_reference(run, root);
    st = skv_by_hundred_read(out, root, file);
    if (st == SKV_OK)
        st = skv_json_write(root, file);
    if (st == SKV_OK)
        st = skv_run_readme_write(run);
    json_decref(root);
    return st;
}

/* The claim has this process's name in its own, so that every job has one. */
static void name_job(char name[SKV_CLAIM_BYTES])
{
    char me[SKV_PROCESS_BYTES];
    size_t n = (size_t)snprintf(name, SKV_CLAIM_BYTES, SKV_CLAIM_JOB);

    skv_process_name(me);
    for (const char *c = me; *c && n + 1 < SKV_CLAIM_BYTES; c++)
        if (*c != '-')
            name[n++] = *c;
    name[n] = '\0';
}

static skv_status enter(skv_claims *claims)
{
    char name[SKV_CLAIM_BYTES];

    name_job(name);
    return skv_claims_take(&(bool){false}, claims, name);
}

void skv_run_folder_leave(skv_claims *claims)
{
    char name[SKV_CLAIM_BYTES];

    name_job(name);
    if (claims)
        skv_claims_drop(claims, name);
}

skv_status skv_run_folder_open(skv_claims **claims, skv_by_hundred *out, const char *run,
                               const skv_run_plan *plan)
{
    skv_status st;

    if (strlen(run) > 4096 - 512)
        return skv_fail(SKV_E_ARG, "--out: a path of %zu bytes is too long", strlen(run));
    SKV_TRY(skv_option_opened("--out", skv_folder_make(run)));
    SKV_TRY(skv_run_claims_open(claims, run));
    SKV_TRY(skv_run_lock_take(*claims, run, SKV_RUN_LOCK_SECONDS, plan->stop));
    st = write_json(out, run, plan, *claims);
    if (st == SKV_OK)
        st = enter(*claims);
    for (int i = 0; i < plan->n_paths && st == SKV_OK; i++) {
        st = make_folder(run, "groups", plan->path[i].name);
        if (st == SKV_OK)
            st = make_folder(run, "images", plan->path[i].name);
    }
    if (st != SKV_OK)
        skv_run_lock_release(*claims);
    return st;
}

/* --------------------------------------------------------------------- scan */

skv_group_want skv_run_plan_want(const skv_run_plan *plan, int path, int64_t group)
{
    int64_t first;
    int n;

    skv_segments_group(plan->segments, group, &first, &n);
    return (skv_group_want){.config_digest = plan->digest,
                            .path_digest = plan->path[path].digest,
                            .group = group,
                            .first_row = first,
                            .n_rows = n,
                            .parts = (plan->bits ? SKV_GROUP_BITS : 0) |
                                     (plan->image ? SKV_GROUP_IMAGE : 0)};
}

typedef struct {
    const skv_run_place *run;
    const skv_run_plan *plan;
    const char *path;
    skv_stat_folder images;
    skv_run_index *index; /* of the piece at hand */
    skv_group_want want;
} scan;

/* Whether a row of a good group was sampled but its PNG is missing. Rows that failed never had one,
 * as the group file says. (A damaged file is found by gather.) */
static skv_status find_missing_png(bool *missing, scan *s, const skv_run_name *group_file)
{
    const skv_run_plan *plan = s->plan;
    skv_group_record rec = {0};
    char id[SKV_ID_BYTES];
    skv_status st = SKV_OK;
    bool sampled = false, there = false;

    *missing = false;
    for (int i = 0; i < s->want.n_rows && !*missing; i++) {
        const int64_t row = s->want.first_row + i;
        skv_run_name file;

        SKV_TRY_GOTO(plan->row_id(plan->rows, row, id, sizeof id, &sampled), done);
        if (!sampled)
            continue;
        SKV_TRY_GOTO(skv_run_name_image(&file, s->run, s->path, row, id), done);
        SKV_TRY_GOTO(skv_stat_folder_find_png(&there, &s->images, &file), done);
        if (there)
            continue;
        if (!rec.owned)
            st = skv_group_file_read(&rec, group_file, SKV_GROUP_ROWS);
        if (st == SKV_E_NOTFOUND || skv_group_file_is_damage(st)) {
            st = SKV_OK;
            break;
        }
        SKV_TRY_GOTO(st, done);
        *missing = rec.status[i] == SKV_OK;
    }
done:
    skv_group_record_clear(&rec);
    return st;
}

static skv_status scan_one(uint8_t *work, scan *s)
{
    const skv_run_plan *plan = s->plan;
    skv_group_state state;
    skv_group_known known;
    skv_run_name file;
    bool lost = false;

    SKV_TRY(skv_run_name_group(&file, s->run, s->path, s->want.group));
    SKV_TRY(skv_run_index_look(s->index, &state, &known, &s->want));
    if (state != SKV_GROUP_GOOD && state != SKV_GROUP_ABSENT)
        skv_warn("%s; the group is computed again", skv_message());
    if (state == SKV_GROUP_GOOD && plan->png)
        SKV_TRY(find_missing_png(&lost, s, &file));
    if (state == SKV_GROUP_GOOD)
        *work = lost ? SKV_WORK_PNG : 0;
    else
        *work = SKV_WORK_COMPUTE | (state != SKV_GROUP_ABSENT ? SKV_WORK_REPLACE : 0);
    return SKV_OK;
}

static skv_status scan_piece(uint8_t *work, scan *s, int path, int64_t piece)
{
    const skv_run_plan *plan = s->plan;
    const skv_run_index_of of = {s->run, s->path, plan->digest, plan->path[path].digest};
    const int64_t first = piece * SKV_INDEX_PIECE, left = plan->segments->n_groups - first;
    const int64_t end = first + (left < SKV_INDEX_PIECE ? left : SKV_INDEX_PIECE);
    skv_status st = SKV_OK;

    SKV_TRY(skv_run_index_open(&s->index, &of, piece));
    for (int64_t g = first; g < end && st == SKV_OK; g++) {
        s->want = skv_run_plan_want(plan, path, g);
        if (plan->stop && *plan->stop)
            st = skv_fail(SKV_E_STOPPED, "stopped while finished groups were looked for");
        else
            st = scan_one(&work[g * plan->n_paths], s);
    }
    skv_run_index_close(s->index);
    return st;
}

skv_status skv_run_folder_scan(uint8_t *work, const skv_run_place *run, const skv_run_plan *plan,
                               int rank, int size)
{
    const int64_t n_pieces = skv_run_index_pieces(plan->segments->n_groups);
    skv_status st = SKV_OK;

    for (int i = 0; i < plan->n_paths && st == SKV_OK; i++) {
        scan s = {.run = run, .plan = plan, .path = plan->path[i].name, .images = SKV_STAT_FOLDER};

        for (int64_t piece = rank; piece < n_pieces && st == SKV_OK; piece += size)
            st = scan_piece(work + i, &s, i, piece);
        skv_stat_folder_close(&s.images);
    }
    return st;
}
