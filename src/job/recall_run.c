#include "job/recall_run.h"

#include <stdlib.h>
#include <string.h>

#include "calibrate/recall.h"
#include "core/mem.h"
#include "core/text.h"
#include "job/job_parts.h"
#include "job/recall_internal.h"
#include "job/rounds.h"

typedef struct {
    skv_job job; /* first: its phases take it */
    const skv_recall_run_setup *setup;
    skv_run_json json;
    skv_measures measures;
    skv_recall *recall;
    const skv_policy **policy;      /* (paths) */
    const skv_policy_state **state; /* (paths) */
    int full;                       /* the path whose bits and attention are taken */
    int watched;                    /* path that is computed; -1: the full one, measured */
    bool *cut, *whole;              /* (paths): all but the full one; it alone */
    int *seen;
    skv_sampler sampler;
    skv_group_record group; /* of the full path, read */
    skv_rounds rounds;
    double *sum; /* rank 0: (paths, scales, layers) */
    int64_t n;   /* pictures in it */
    int64_t *row;
    double *mean; /* (n, paths): of each picture */
} recall_job;

static int n_paths(const recall_job *c)
{
    return c->job.run.paths.n;
}

/* ------------------------------------------------------------------ before the first group */

static skv_status differ(const recall_job *c)
{
    const char *key;
    json_t *value;

    json_object_foreach(c->job.run.identity.common, key, value)
    {
        if (!json_equal(json_object_get(c->json.common, key), value))
            return skv_fail(SKV_E_ARG,
                            "%s: \"%s\" is not what the run was made with; recall computes its "
                            "groups again, from the same files",
                            c->setup->run, key);
    }
    return skv_fail(SKV_E_ARG, "%s was made by another version of skv, with other settings",
                    c->setup->run);
}

/* The path of the full cache, with keys and values as computed: the reference, if it is one. */
static int find_full(const skv_paths *paths)
{
    int found = -1;

    for (int i = 0; i < paths->n; i++) {
        const skv_path *p = &paths->path[i];

        if (strcmp(p->policy->name, "full") == 0 && !json_object_get(p->report, "kv_dtype") &&
            (found < 0 || p->reference))
            found = i;
    }
    return found;
}

static skv_measures measures_of(const skv_run_setup *r)
{
    return (skv_measures){.schedule = r->engine.schedule,
                          .kinds = skv_settings_guided(r->settings) ? 2 : 1,
                          .layers = r->sources.dims.depth,
                          .heads = r->sources.dims.heads};
}

static size_t observer_row(const void *ctx, const skv_run_setup *run)
{
    const skv_measures m = measures_of(run);

    (void)ctx;
    return skv_observer_bytes(&m);
}

static skv_status check_run(void *job)
{
    recall_job *c = job;
    const skv_run_setup *r = &c->job.run;
    const int64_t wanted = c->setup->options->n_prompts * c->job.settings.samples;
    const int64_t groups = (wanted + c->job.settings.group_size - 1) / c->job.settings.group_size;

    if (!json_equal(r->identity.common, c->json.common))
        return differ(c);
    for (int i = 0; i < r->paths.n; i++) {
        const json_t *path = json_object_get(c->json.paths, r->paths.path[i].name);
        const char *digest = json_string_value(json_object_get(path, "digest"));

        if (!digest || strcmp(digest, r->identity.path_digests[i]) != 0)
            return skv_fail(SKV_E_ARG,
                            "%s: path %s was made with another policy, budget or options",
                            c->setup->run, r->paths.path[i].name);
    }
    c->full = find_full(&r->paths);
    if (c->full < 0)
        return skv_fail(SKV_E_ARG,
                        "%s has no path with the full cache, against which recall is measured; "
                        "skv sample adds it: --paths full",
                        c->setup->run);
    c->measures = measures_of(r);
    c->rounds.n_groups = groups < r->rows.segments.n_groups ? groups : r->rows.segments.n_groups;
    c->job.place = (skv_run_place){c->setup->run, c->json.by_hundred};
    c->job.count = c->job.rank < c->rounds.n_groups;
    return SKV_OK;
}

/* The groups that this rank will be the one to read: all must be there, with bits, before weights
 * are loaded for hours. What is damaged behind its first block is found when it is read. */
static skv_status check_groups(void *job)
{
    const recall_job *c = job;
    const skv_run_setup *r = &c->job.run;
    const char *path = r->paths.path[c->full].name;

    for (int64_t g = c->job.rank; g < c->rounds.n_groups; g += c->job.size) {
        const skv_group_want want = {.config_digest = c->json.digest,
                                     .path_digest = r->identity.path_digests[c->full],
                                     .group = g,
                                     .parts = SKV_GROUP_BITS};
        skv_group_state state;
        skv_run_name file;

        SKV_TRY(skv_run_name_group(&file, &c->job.place, path, g));
        SKV_TRY(skv_group_file_check(&state, &file, &want));
        if (state == SKV_GROUP_ABSENT)
            return skv_fail(SKV_E_NOTFOUND,
                            "%s is missing, and recall computes it again from its bits: the run is "
                            "not complete, run the same skv sample command again",
                            file.path);
        if (state == SKV_GROUP_LACKING)
            return skv_fail(SKV_E_FORMAT, "%s: holds no bits (--store)", file.path);
        if (state != SKV_GROUP_GOOD)
            return skv_fail(SKV_E_FORMAT, "%s", skv_message());
    }
    return SKV_OK;
}

/* The prompts' table is made again where it is missing, as in every job of a run. */
static skv_status keep_rows(void *job)
{
    skv_job *j = job;

    return j->rank == 0 ? skv_job__keep_rows(j) : SKV_OK;
}

/* ------------------------------------------------------------------------------- groups */

/* The next path to be watched after path i; -1: none. */
static int next_cut(const recall_job *c, int i)
{
    for (i++; i < n_paths(c); i++)
        if (c->cut[i])
            return i;
    return -1;
}

/* Notes the rows of a group, once the full cache was measured. */
static skv_status take_shares(recall_job *c, const skv_result *r)
{
    for (int row = 0; row < r->rec.n_rows; row++) {
        const int i = skv_sampler_place(&c->sampler, r->rec.n_rows, row);

        if (i < 0 || c->group.status[row] != SKV_OK || r->rec.status[row] != SKV_OK)
            c->rounds.n_failed++;
        else
            SKV_TRY(skv_rounds_note(&c->rounds, r->rec.row[row], skv_recall_shares(c->recall, i)));
    }
    return SKV_OK;
}

static skv_status after_path(void *ctx, skv_result *r)
{
    recall_job *c = ctx;
    skv_status st = SKV_OK;

    if (c->watched < 0) {
        st = take_shares(c, r);
    } else {
        c->watched = next_cut(c, c->watched);
        if (c->watched >= 0)
            (void)skv_recall_watch(c->recall, c->watched);
    }
    skv_result_destroy(r);
    return st;
}

/* The cut paths, then the full cache, of the group that was read. */
static skv_status compute(recall_job *c, int64_t g)
{
    skv_recall_begin(c->recall, c->group.bits, (size_t)c->group.bits_bytes, c->seen);
    c->watched = next_cut(c, -1);
    if (c->watched >= 0) {
        c->sampler.probe = skv_recall_watch(c->recall, c->watched);
        SKV_TRY(skv_sampler_group(&c->sampler, g, c->cut, false));
    }
    c->sampler.probe = skv_recall_measure(c->recall);
    return skv_sampler_group(&c->sampler, g, c->whole, false);
}

static skv_status one_group(void *ctx, int64_t g)
{
    recall_job *c = ctx;
    const skv_run_setup *r = &c->job.run;
    int64_t first;
    skv_status st;
    int n;

    SKV_TRY(skv_run_json_group(&c->group, &c->json, c->setup->run, r->paths.path[c->full].name, g,
                               SKV_GROUP_ROWS | SKV_GROUP_BITS));
    skv_rows_group(&r->rows, g, &first, &n);
    if (c->group.n_rows != n || (size_t)c->group.bits_bytes != skv_engine_bits_bytes(&r->engine))
        st = skv_fail(SKV_E_FORMAT,
                      "%s: group %lld of path %s has %d rows of %lld bytes of bits, want %d of %zu",
                      c->setup->run, (long long)g, r->paths.path[c->full].name, c->group.n_rows,
                      (long long)c->group.bits_bytes, n, skv_engine_bits_bytes(&r->engine));
    else
        st = compute(c, g);
    skv_group_record_clear(&c->group);
    return st;
}

static skv_status add_row(void *ctx, int64_t row, const double *figures)
{
    recall_job *c = ctx;
    const int scales = c->measures.schedule.n_scales, layers = c->measures.layers;
    const size_t n = (size_t)c->n, paths = (size_t)n_paths(c);

    SKV_TRY(skv_grow(&c->row, n, sizeof *c->row, "recall"));
    SKV_TRY(skv_grow(&c->mean, n, paths * sizeof *c->mean, "recall"));
    c->row[n] = row;
    for (size_t p = 0; p < paths; p++)
        c->mean[n * paths + p] =
            skv_recall_mean(figures + p * (size_t)(scales * layers), scales, layers);
    for (size_t i = 0; i < c->rounds.n_figures; i++)
        c->sum[i] += figures[i];
    c->n++;
    return SKV_OK;
}

static skv_status list_paths(recall_job *c)
{
    const size_t n = (size_t)n_paths(c);

    SKV_TRY(skv_alloc(&c->policy, n, sizeof *c->policy, "paths"));
    SKV_TRY(skv_alloc(&c->state, n, sizeof *c->state, "paths"));
    SKV_TRY(skv_alloc(&c->cut, n, sizeof *c->cut, "paths"));
    SKV_TRY(skv_alloc(&c->whole, n, sizeof *c->whole, "paths"));
    for (int i = 0; i < n_paths(c); i++) {
        c->policy[i] = c->job.run.paths.path[i].policy;
        c->state[i] = c->job.run.paths.path[i].state;
        c->whole[i] = i == c->full;
        c->cut[i] = i != c->full;
    }
    return SKV_OK;
}

static skv_status begin(void *job)
{
    recall_job *c = job;
    skv_job *j = &c->job;
    const skv_recall_setup recall = {.observer = {.be = j->be,
                                                  .what = &c->measures,
                                                  .max_prompts = j->run.engine.max_prompts,
                                                  .n_queries = c->setup->options->queries,
                                                  .seed = j->settings.seed},
                                     .n_paths = n_paths(c),
                                     .token_bits = skv_dims_token_bits(&j->run.sources.dims),
                                     .policy = c->policy,
                                     .state = c->state};

    if (j->count == 0)
        return SKV_OK;
    SKV_TRY(skv_alloc(&c->seen, (size_t)j->settings.group_size, sizeof *c->seen, "rows"));
    SKV_TRY(skv_recall_create(&c->recall, &recall));
    c->sampler = skv_job__sampler(j);
    c->sampler.sink = after_path;
    c->sampler.sink_ctx = c;
    c->sampler.seen = c->seen;
    return SKV_OK;
}

static skv_status prepare(void *job)
{
    recall_job *c = job;

    c->rounds.comm = c->job.comm;
    c->rounds.n_figures =
        (size_t)n_paths(c) * (size_t)c->measures.schedule.n_scales * (size_t)c->measures.layers;
    c->rounds.done = "looked at";
    c->rounds.group = one_group;
    c->rounds.add = add_row;
    c->rounds.ctx = c;
    SKV_TRY(skv_alloc(&c->sum, c->rounds.n_figures, sizeof *c->sum, "recall"));
    SKV_TRY(list_paths(c));
    return begin(c);
}

static skv_status all_rounds(void *job)
{
    return skv_rounds_run(&((recall_job *)job)->rounds);
}

/* (paths, n) of (n, paths). */
static skv_status by_path(double **out, const recall_job *c)
{
    const size_t n = (size_t)c->n, paths = (size_t)n_paths(c);

    SKV_TRY(skv_alloc(out, n * paths, sizeof **out, "recall"));
    for (size_t i = 0; i < n; i++)
        for (size_t p = 0; p < paths; p++)
            (*out)[p * n + i] = c->mean[i * paths + p];
    return SKV_OK;
}

static skv_status report(void *job)
{
    recall_job *c = job;
    const skv_run_setup *r = &c->job.run;
    double *by_picture = NULL;
    skv_recall_outcome outcome = {.json = &c->json,
                                  .options = c->setup->options,
                                  .path = r->paths.path,
                                  .digest = r->identity.path_digests,
                                  .share = c->sum,
                                  .row = c->row,
                                  .segments = &r->rows.segments,
                                  .n_paths = r->paths.n,
                                  .n_scales = c->measures.schedule.n_scales,
                                  .n_layers = c->measures.layers,
                                  .n_pictures = c->n};
    skv_status st;

    if (c->job.rank != 0)
        return SKV_OK;
    if (c->n == 0)
        return skv_fail(SKV_E_FORMAT, "%s: none of %lld row%s has a picture", c->setup->run,
                        (long long)c->rounds.n_failed, skv_s(c->rounds.n_failed));
    for (size_t i = 0; i < c->rounds.n_figures; i++)
        c->sum[i] /= (double)c->n;
    SKV_TRY(by_path(&by_picture, c));
    outcome.by_picture = by_picture;
    st = c->setup->done(c->setup->ctx, &outcome);
    free(by_picture);
    return st;
}

static const skv_phase recalling[] = {
    {"run", check_run, NULL, NULL},
    {"groups of the run", check_groups, NULL, NULL},
    {"prompts of the run", keep_rows, skv_job__share_place, NULL},
    {"rows of the run", skv_job__open_rows, NULL, NULL},
    {"sharing weights", NULL, skv_job__share_weights, NULL},
    {"text encoder", NULL, skv_job__load_t5, NULL},
    {"model", NULL, skv_job__load_model, NULL},
    {"recall", prepare, all_rounds, NULL},
    {"report", report, NULL, NULL},
};

static skv_status check_options(const skv_recall_options *o)
{
    if (o->n_prompts < 1 || o->n_prompts > INT32_MAX)
        return skv_fail(SKV_E_ARG, "--prompts %lld is out of range, want 1 to %d",
                        (long long)o->n_prompts, INT32_MAX);
    if (o->queries < 0 || o->queries > SKV_STATS_QUERIES)
        return skv_fail(SKV_E_ARG, "--queries %lld is out of range, want 1 to %d, or 0 for all",
                        (long long)o->queries, SKV_STATS_QUERIES);
    return SKV_OK;
}

static skv_status read_run(recall_job *c)
{
    SKV_TRY(check_options(c->setup->options));
    SKV_TRY(skv_run_json_read(&c->json, c->setup->run));
    return skv_recall__settings(c->setup->options, &c->json, c->setup->run);
}

static skv_status run(recall_job *c)
{
    const skv_job_setup *setup = c->job.setup;

    SKV_TRY(skv_comm_agree(c->job.comm, read_run(c)));
    SKV_TRY(skv_job__plan(&c->job));
    return skv_phases_run(recalling, (int)(sizeof recalling / sizeof *recalling), c, c->job.comm,
                          &setup->failure, c->job.stop);
}

skv_status skv_recall_run(int64_t *n_failed, const skv_recall_run_setup *setup)
{
    const skv_job_setup job = {.comm = setup->comm,
                               .table = skv_recall_table,
                               .options = setup->options,
                               .probe_row = observer_row};
    recall_job *c = NULL;
    skv_status st = skv_alloc(&c, 1, sizeof *c, "recall");

    SKV_TRY(skv_comm_agree(setup->comm, st));
    skv_job__init(&c->job, &job);
    c->setup = setup;
    st = run(c);
    *n_failed = c->rounds.n_failed;
    skv_recall_destroy(c->recall); /* before its backend */
    skv_job__clear(&c->job);
    skv_run_json_clear(&c->json);
    free(c->policy);
    free(c->state);
    free(c->cut);
    free(c->whole);
    free(c->seen);
    free(c->sum);
    free(c->row);
    free(c->mean);
    free(c);
    return st;
}
