#include "run/gather_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/digest.h"
#include "core/log.h"
#include "core/mem.h"
#include "io/h5.h"
#include "run/gather_missing.h"
#include "run/gather_path.h"
#include "run/run_index.h"
#include "run/segments.h"
#include "run/starts.h"

static skv_status name_run_h5(char *out, size_t bytes, const skv_gather *g)
{
    if (snprintf(out, bytes, "%s/run.h5", g->setup.run) >= (int)bytes)
        return skv_fail(SKV_E_ARG, "%.80s...: the run's folder has too long a name", g->setup.run);
    return SKV_OK;
}

/* ------------------------------------------------------------- a run.h5 that is made */

static skv_digest add_text(skv_digest d, const char *text)
{
    return skv_digest_add(d, text, strlen(text));
}

/* Of all that run.h5 is made of: run.json, and the group files by their checksums. */
static void digest_groups(char out[SKV_DIGEST_BYTES], const skv_gather *g)
{
    const unsigned char is_virtual = g->virtual_images;
    const char *path;
    json_t *entry;
    skv_digest d = add_text((skv_digest){0}, g->json.digest);

    d = add_text(d, SKV_VERSION);
    d = skv_digest_add(d, &is_virtual, 1);
    d = skv_digest_add(d, &g->json.n_rows, sizeof g->json.n_rows);
    json_object_foreach(g->json.paths, path, entry)
    {
        d = add_text(d, path);
        d = add_text(d, json_is_true(json_object_get(entry, "reference")) ? "reference" : "");
    }
    for (size_t i = 0; i < g->n; i++) {
        const int64_t file = g->known[i] & ~(SKV_GATHER__WHOLE | SKV_GATHER__CHECKED);

        d = skv_digest_add(d, &file, sizeof file);
    }
    skv_digest_text(out, d);
}

/* *f = RUN/run.h5, *digest (free()) = what it says that it was made of. */
static skv_status open_made(skv_h5 **f, char **digest, const skv_gather *g)
{
    char file[4096];

    SKV_TRY(name_run_h5(file, sizeof file, g));
    SKV_TRY(skv_h5_open_below(f, file, 1));
    return skv_h5_get_text(digest, *f, "/", SKV_ATTR_GATHERED);
}

int64_t skv_gather__digest_made(const skv_gather *g)
{
    char *digest = NULL;
    skv_h5 *f = NULL;
    const int64_t number = open_made(&f, &digest, g) == SKV_OK ? skv_digest_number(digest) : 0;

    free(digest);
    skv_h5_close(f);
    return number;
}

bool skv_gather__is_made(const skv_gather *g)
{
    char digest[SKV_DIGEST_BYTES];

    digest_groups(digest, g);
    return g->known[g->n] == skv_digest_number(digest);
}

static skv_status count_failed(int64_t *n_failed, skv_h5 *f, const skv_gather *g)
{
    const skv_extents e = {.rows = g->json.n_rows};
    skv_h5_layout want = skv_schema_run_layout(SKV_SET_STATUS, &e);
    int32_t *status = NULL;

    SKV_TRY(skv_h5_read(&status, f, skv_schema_in_run(SKV_SET_STATUS, NULL).text, &want, SIZE_MAX,
                        true));
    *n_failed = 0;
    for (int64_t i = 0; i < g->json.n_rows; i++)
        *n_failed += status[i] != 0 && status[i] != SKV_ROW_MISSING;
    free(status);
    return SKV_OK;
}

/* Whatever is wrong with run.h5, it is not what it should be. */
static bool find_made(int64_t *n_failed, const skv_gather *g)
{
    char digest[SKV_DIGEST_BYTES], *there = NULL;
    skv_h5 *f = NULL;
    bool made;

    digest_groups(digest, g);
    made = open_made(&f, &there, g) == SKV_OK && strcmp(there, digest) == 0 &&
           count_failed(n_failed, f, g) == SKV_OK;
    free(there);
    skv_h5_close(f);
    return made;
}

/* Of those that are there. */
static bool all_whole(const skv_gather *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (skv_gather__is_there(g->known[i]) && !(g->known[i] & SKV_GATHER__WHOLE))
            return false;
    return true;
}

/* -------------------------------------------------------------------------- writing */

typedef struct {
    skv_gather *g;
    skv_h5 *out;
    skv_gather_rows rows;
    skv_gather_missing *missing; /* of a partial one */
} writing;

/* *parts: what all groups of the path that are there have. */
static void find_parts(unsigned *parts, const skv_gather *g, int place, const char *path)
{
    const int64_t *known = g->known + (size_t)place * (size_t)g->json.n_groups;
    unsigned any = 0, some;

    *parts = SKV_GROUP_BITS | SKV_GROUP_IMAGE;
    for (int64_t k = 0; k < g->json.n_groups; k++) {
        const unsigned has = (unsigned)(known[k] >> SKV_GATHER__PARTS);

        if (!skv_gather__is_there(known[k]))
            continue;
        *parts &= has;
        any |= has;
    }
    some = any & ~*parts;
    if (some != 0)
        skv_warn("%s: path %s has groups without %s; run.h5 leaves these out", g->setup.run, path,
                 some == SKV_GROUP_IMAGE  ? "pictures"
                 : some == SKV_GROUP_BITS ? "bits"
                                          : "bits or pictures");
}

/* Group `at` of known. SKV_OK with an empty record: it is not there, or damaged and set aside. */
static skv_status read_group(skv_group_record *rec, skv_gather *g, const skv_gather_path *p,
                             int64_t group, size_t at)
{
    const bool checked = (g->known[at] & SKV_GATHER__CHECKED) != 0;
    skv_run_name file;
    skv_status st;

    *rec = (skv_group_record){0};
    if (!skv_gather__is_there(g->known[at]))
        return SKV_OK;
    SKV_TRY(skv_run_name_group(&file, &g->place, p->name, group));
    st = skv_group_file_read(rec, &file,
                             skv_gather_path_parts(p) | (checked ? SKV_GROUP_CHECKED : 0));
    if (!skv_group_file_is_damage(st))
        return st;
    g->known[at] |= SKV_GATHER__DAMAGED;
    return skv_gather__set_aside(&file);
}

/* A group that is not there: its rows are missing, or the path is spoilt. */
static skv_status pass_group(writing *w, skv_gather_path *p, int64_t group)
{
    skv_group_record rec;

    p->spoilt = !w->g->setup.partial;
    if (p->spoilt)
        return SKV_OK;
    SKV_TRY(skv_gather_missing_group(&rec, w->missing, p->name, group, p->has_samples));
    return skv_gather_path_pass(p, &rec);
}

static skv_status add_piece(writing *w, skv_gather_path *p, int64_t piece, skv_run_index *index)
{
    skv_gather *g = w->g;
    const int64_t first = piece * SKV_INDEX_PIECE, left = g->json.n_groups - first;
    const int64_t n = left < SKV_INDEX_PIECE ? left : SKV_INDEX_PIECE;
    skv_status st = SKV_OK;

    for (int64_t k = first; k < first + n && st == SKV_OK; k++) {
        const size_t at = (size_t)(p->place * g->json.n_groups + k);
        skv_group_record rec = {0};

        st = skv_gather__go_on(g);
        if (st == SKV_OK)
            st = read_group(&rec, g, p, k, at);
        if (st == SKV_OK && rec.owned) {
            skv_run_index_note_whole(index, k);
            g->known[at] |= SKV_GATHER__WHOLE;
            if (!p->spoilt)
                st = skv_gather_path_add(p, &rec);
        } else if (st == SKV_OK) {
            st = pass_group(w, p, k);
        }
        skv_group_record_clear(&rec);
    }
    return st;
}

static skv_status add_path(writing *w, skv_gather_path *p, const char *path_digest)
{
    const skv_gather *g = w->g;
    const skv_run_index_of of = {&g->place, p->name, g->json.digest, path_digest};
    const int64_t n_pieces = skv_run_index_pieces(g->json.n_groups);

    for (int64_t piece = 0; piece < n_pieces; piece++) {
        skv_run_index *index = NULL;
        skv_status st;

        SKV_TRY(skv_run_index_open(&index, &of, piece));
        st = add_piece(w, p, piece, index);
        skv_run_index_close(index);
        SKV_TRY(st);
    }
    return p->spoilt ? SKV_OK : skv_gather_path_finish(p);
}

static skv_status write_json(skv_h5 *out, const char *object, const char *key, const json_t *value)
{
    char *text = NULL;
    skv_status st;

    SKV_TRY(skv_json_print(&text, value, SKV_JSON_COMPACT));
    st = skv_h5_set_text(out, object, key, text);
    free(text);
    return st;
}

/* The one place of run.h5 that differs between runs that are otherwise equal, besides seconds. */
static skv_status write_provenance(skv_h5 *out, const skv_gather *g)
{
    SKV_TRY(skv_h5_make_group(out, SKV_SCHEMA_PROVENANCE));
    return g->json.starts ? write_json(out, SKV_SCHEMA_PROVENANCE, SKV_STARTS, g->json.starts)
                          : SKV_OK;
}

static skv_status write_root(skv_h5 *out, const skv_gather *g)
{
    char digest[SKV_DIGEST_BYTES], partial[SKV_GATHER__PARTIAL_BYTES];

    digest_groups(digest, g);
    skv_gather__partial(partial, g);
    if (partial[0])
        SKV_TRY(skv_h5_set_text(out, "/", SKV_ATTR_PARTIAL, partial));
    SKV_TRY(write_json(out, "/", SKV_ATTR_CONFIG, g->json.common));
    SKV_TRY(skv_h5_set_text(out, "/", SKV_ATTR_CONFIG_DIGEST, g->json.digest));
    if (g->json.segments)
        SKV_TRY(write_json(out, "/", SKV_SEGMENTS, g->json.segments));
    SKV_TRY(skv_h5_set_text(out, "/", SKV_ATTR_SKV, SKV_VERSION));
    SKV_TRY(skv_h5_set_text(out, "/", SKV_ATTR_GATHERED, digest));
    SKV_TRY(write_provenance(out, g));
    return skv_h5_link(out, "/metrics", "metrics.h5", "/metrics"); /* once skv eval made it */
}

static skv_status write_paths(writing *w)
{
    skv_gather *g = w->g;
    const char *name, *digest;
    json_t *entry;
    int place = 0, order = 0;
    bool spoilt = false, has_samples = true;

    json_object_foreach(g->json.paths, name, entry)
    {
        skv_gather_path p = {.run = g->setup.run,
                             .by_hundred = g->place.by_hundred,
                             .out = w->out,
                             .rows = &w->rows,
                             .name = name,
                             .virtual_images = g->virtual_images,
                             .place = place++,
                             .order = order,
                             .has_samples = has_samples,
                             .reference = json_is_true(json_object_get(entry, "reference")),
                             .spoilt = spoilt};
        skv_status st;

        if (g->lacking[p.place] == g->json.n_rows)
            continue;
        SKV_TRY(skv_json_string(&digest, entry, "digest", name));
        find_parts(&p.parts, g, p.place, name);
        st = add_path(w, &p, digest);
        spoilt = p.spoilt;
        has_samples = false;
        order += p.found != NULL;
        skv_gather_path_clear(&p);
        SKV_TRY(st);
    }
    skv_gather__count(g); /* some may have been set aside meanwhile */
    SKV_TRY(skv_gather__verdict(g));
    return skv_gather_rows_write(&w->rows, w->out);
}

/* What it was made of is known at the end. */
static skv_status write_run(skv_gather *g, skv_h5 *out, int64_t *n_failed)
{
    writing w = {.g = g, .out = out};
    skv_status st;

    SKV_TRY_GOTO(skv_gather_rows_init(&w.rows, &g->segments), done);
    if (g->setup.partial)
        SKV_TRY_GOTO(skv_gather_missing_open(&w.missing, g->setup.run, &g->segments), done);
    SKV_TRY_GOTO(write_paths(&w), done);
    SKV_TRY_GOTO(write_root(out, g), done);
    *n_failed = w.rows.n_failed - w.rows.n_missing;
done:
    skv_gather_missing_close(w.missing);
    skv_gather_rows_clear(&w.rows);
    return st;
}

static skv_status make(skv_gather *g, int64_t *n_failed)
{
    char file[4096];
    skv_h5 *out = NULL;
    skv_status st;

    SKV_TRY(name_run_h5(file, sizeof file, g));
    SKV_TRY(skv_h5_create(&out, file));
    SKV_TRY_GOTO(write_run(g, out, n_failed), done);
    SKV_TRY_GOTO(skv_gather__go_on(g), done);
    st = skv_h5_commit(&out);
done:
    skv_h5_close(out);
    return st;
}

skv_status skv_gather__write(skv_gather *g, int64_t *n_failed)
{
    char partial[SKV_GATHER__PARTIAL_BYTES];

    if (all_whole(g) && find_made(n_failed, g))
        skv_debug("%s/run.h5 holds these groups already", g->setup.run);
    else
        SKV_TRY(make(g, n_failed));
    skv_gather__partial(partial, g);
    if (partial[0])
        skv_warn("%s/run.h5 is partial: %s", g->setup.run, partial);
    return SKV_OK;
}
