#include "run/gather_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "run/group_format.h"

/* ----------------------------------------------------------------------- the path */

unsigned skv_gather_path_parts(const skv_gather_path *p)
{
    unsigned parts = p->parts | SKV_GROUP_CACHE | SKV_GROUP_SECONDS | SKV_GROUP_ROWS;

    if (p->virtual_images)
        parts &= ~SKV_GROUP_IMAGE;
    return parts;
}

static size_t n_kept(const skv_extents *e)
{
    return (size_t)(e->scales - 1) * (size_t)e->layers * (size_t)e->scales;
}

static skv_status write_attributes(const skv_gather_path *p, const skv_group_record *rec)
{
    const skv_schema_name path = skv_schema_path(p->name);
    const skv_schema_name bits = skv_schema_in_run(SKV_SET_BITS, p->name);
    const skv_schema_name seconds = skv_schema_in_run(SKV_SET_SECONDS, p->name);
    char phases[SKV_GROUP__PHASES_BYTES];

    SKV_TRY(skv_h5_set_int(p->out, path.text, SKV_ATTR_ORDER, p->order));
    SKV_TRY(skv_h5_set_int(p->out, path.text, SKV_ATTR_REFERENCE, p->reference));
    SKV_TRY(skv_h5_set_text(p->out, path.text, SKV_ATTR_SETTINGS, rec->budget));
    SKV_TRY(skv_h5_set_text(p->out, path.text, SKV_ATTR_DIGEST, rec->path_digest));
    SKV_TRY(skv_h5_set_text(p->out, path.text, SKV_ATTR_DEVICE, rec->device));
    if (rec->bits)
        SKV_TRY(skv_h5_set_ints(p->out, bits.text, SKV_ATTR_SCALE_OFFSET, rec->bit_offset,
                                rec->n_scales + 1));
    if (!rec->seconds)
        return SKV_OK;
    SKV_TRY(skv_group__join_phases(phases, rec));
    return skv_h5_set_text(p->out, seconds.text, SKV_ATTR_PHASES, phases);
}

/* Appends the group's rows to every dataset that grows, except virtual pictures. */
static bool grows(const skv_gather_path *p, skv_set set)
{
    const skv_gather_how how = skv_schema[set].how;

    return (how == SKV_GATHER_ROWS || how == SKV_GATHER_GROUPS) &&
           !(set == SKV_SET_IMAGE && p->virtual_images);
}

/* From the first group: writes what is the same in all groups, and makes the datasets that grow. */
static skv_status begin(skv_gather_path *p, const skv_group_record *rec)
{
    const skv_extents *e = &p->extents;

    for (skv_set s = 0; s < SKV_N_SETS; s++) {
        const void *data = skv_group__data(rec, s);

        if (data && skv_schema[s].how == SKV_GATHER_FIRST) {
            const skv_h5_layout l = skv_schema_run_layout(s, e);

            SKV_TRY(skv_h5_write(p->out, skv_schema_in_run(s, p->name).text, &l, data));
        } else if (data && grows(p, s)) {
            const skv_h5_layout l = skv_schema_run_layout(s, e);

            SKV_TRY(skv_h5_make(p->out, skv_schema_in_run(s, p->name).text, &l));
        }
    }
    if (rec->kept_by_source)
        SKV_TRY(skv_alloc(&p->kept, n_kept(e), sizeof *p->kept, "gather"));
    SKV_TRY(skv_alloc(&p->warm, (size_t)e->groups, sizeof *p->warm, "gather"));
    SKV_TRY(skv_alloc(&p->found, (size_t)e->groups, sizeof *p->found, "gather"));
    return write_attributes(p, rec);
}

/* Of the rows and groups so far, what was passed over. */
static skv_status catch_up(const skv_gather_path *p, skv_set set)
{
    return skv_h5_pass(p->out, skv_schema_in_run(set, p->name).text,
                       skv_schema[set].how == SKV_GATHER_ROWS ? p->n_rows : p->n_groups);
}

static skv_status append(skv_gather_path *p, const skv_group_record *rec)
{
    for (skv_set s = 0; s < SKV_N_SETS; s++) {
        const void *data = skv_group__data(rec, s);
        const int64_t n = skv_schema[s].how == SKV_GATHER_ROWS ? rec->n_rows : 1;

        if (!data || !grows(p, s))
            continue;
        SKV_TRY(catch_up(p, s));
        SKV_TRY(
            skv_h5_append(p->out, skv_schema_in_run(s, p->name).text, n, skv_schema[s].type, data));
    }
    return SKV_OK;
}

/* A group has the rows that run.json gives it, and the sizes of the first. */
static skv_status check_place(const skv_gather_path *p, const skv_group_record *rec)
{
    const int64_t *first = p->rows->first + p->n_groups;
    skv_extents e = skv_group__extents(rec);

    e.rows = p->rows->n;
    e.groups = p->rows->n_groups;
    if (rec->group != p->n_groups || rec->n_rows != first[1] - first[0])
        return skv_fail(SKV_E_FORMAT,
                        "%s: path %s: group %lld has %d rows, group %lld of run.json "
                        "has %lld",
                        p->run, p->name, (long long)rec->group, rec->n_rows, (long long)p->n_groups,
                        (long long)(first[1] - first[0]));
    if (p->found && memcmp(&e, &p->extents, sizeof e) != 0)
        return skv_fail(SKV_E_FORMAT, "%s: path %s: group %lld has other sizes than the first",
                        p->run, p->name, (long long)rec->group);
    return SKV_OK;
}

/* What is summed up over the groups. */
static void count(skv_gather_path *p, const skv_group_record *rec)
{
    for (size_t i = 0; p->kept && rec->kept_by_source && i < n_kept(&p->extents); i++)
        p->kept[i] += (double)rec->kept_by_source[i] * rec->n_rows;
    p->found[rec->group] = true;
    p->n_found += rec->n_rows;
    if (rec->first)
        p->warm[p->n_warm++] = rec->group;
    if (rec->pool_peak > p->pool_peak) {
        p->pool_peak = rec->pool_peak;
        p->pool_planned = rec->pool_planned;
    }
    p->n_rows += rec->n_rows;
    p->n_groups++;
}

static skv_status add_rows(const skv_gather_path *p, const skv_group_record *rec)
{
    return p->has_samples ? skv_gather_rows_add(p->rows, rec, p->n_rows)
                          : skv_gather_rows_add_failed(p->rows, rec, p->n_rows);
}

skv_status skv_gather_path_add(skv_gather_path *p, const skv_group_record *rec)
{
    SKV_TRY(check_place(p, rec));
    if (!p->found) {
        p->extents = skv_group__extents(rec);
        p->extents.rows = p->rows->n;
        p->extents.groups = p->rows->n_groups;
        SKV_TRY(begin(p, rec));
    }
    SKV_TRY(add_rows(p, rec));
    SKV_TRY(append(p, rec));
    count(p, rec);
    return SKV_OK;
}

skv_status skv_gather_path_pass(skv_gather_path *p, const skv_group_record *rec)
{
    SKV_TRY(add_rows(p, rec));
    p->n_rows += rec->n_rows;
    p->n_groups++;
    return SKV_OK;
}

/* --------------------------------------------------------------- after the last group */

static skv_status write_virtual(const skv_gather_path *p)
{
    const skv_h5_layout l = skv_schema_run_layout(SKV_SET_IMAGE, &p->extents);
    const skv_schema_name set = skv_schema_in_group(SKV_SET_IMAGE);
    const skv_run_place relative = {.by_hundred = p->by_hundred};
    const int64_t *first = p->rows->first;
    skv_schema_name *files = NULL;
    skv_h5_source *sources = NULL;
    int n = 0;
    skv_status st;

    SKV_TRY_GOTO(skv_alloc(&files, (size_t)p->n_groups, sizeof *files, "gather"), done);
    SKV_TRY_GOTO(skv_alloc(&sources, (size_t)p->n_groups, sizeof *sources, "gather"), done);
    for (int64_t k = 0; k < p->n_groups; k++) {
        skv_run_name file;

        if (!p->found[k])
            continue;
        SKV_TRY_GOTO(skv_run_name_group(&file, &relative, p->name, k), done);
        snprintf(files[n].text, sizeof files[n].text, "%.*s", (int)sizeof files[n].text - 1,
                 file.path);
        sources[n] = (skv_h5_source){files[n].text, set.text, first[k], first[k + 1] - first[k]};
        n++;
    }
    st =
        skv_h5_make_virtual(p->out, skv_schema_in_run(SKV_SET_IMAGE, p->name).text, &l, sources, n);
done:
    free(files);
    free(sources);
    return st;
}

static skv_status write_mean(const skv_gather_path *p)
{
    const skv_h5_layout l = skv_schema_run_layout(SKV_SET_KEPT_BY_SOURCE, &p->extents);
    const size_t n = n_kept(&p->extents);
    float *mean = NULL;
    skv_status st;

    SKV_TRY(skv_alloc(&mean, n, sizeof *mean, "gather"));
    for (size_t i = 0; i < n; i++)
        mean[i] = (float)(p->kept[i] / (double)p->n_found);
    st = skv_h5_write(p->out, skv_schema_in_run(SKV_SET_KEPT_BY_SOURCE, p->name).text, &l, mean);
    free(mean);
    return st;
}

static skv_status write_pool(const skv_gather_path *p)
{
    const skv_schema_name cache = skv_schema_cache(p->name);

    SKV_TRY(skv_h5_set_int(p->out, cache.text, SKV_ATTR_POOL_PLANNED, p->pool_planned));
    return skv_h5_set_int(p->out, cache.text, SKV_ATTR_POOL_PEAK, p->pool_peak);
}

/* The rows and groups at the end that were passed over. */
static skv_status catch_up_all(const skv_gather_path *p)
{
    for (skv_set s = 0; s < SKV_N_SETS; s++) {
        bool there = false;

        if (!grows(p, s))
            continue;
        SKV_TRY(skv_h5_has(&there, p->out, skv_schema_in_run(s, p->name).text));
        if (there)
            SKV_TRY(catch_up(p, s));
    }
    return SKV_OK;
}

skv_status skv_gather_path_finish(skv_gather_path *p)
{
    const skv_schema_name seconds = skv_schema_in_run(SKV_SET_SECONDS, p->name);
    bool there = false;

    if (!p->found)
        return SKV_OK;
    SKV_TRY(catch_up_all(p));
    if (p->virtual_images && (p->parts & SKV_GROUP_IMAGE))
        SKV_TRY(write_virtual(p));
    if (p->kept)
        SKV_TRY(write_mean(p));
    if (p->pool_peak > 0)
        SKV_TRY(write_pool(p));
    SKV_TRY(skv_h5_has(&there, p->out, seconds.text));
    return there ? skv_h5_set_ints(p->out, seconds.text, SKV_ATTR_FIRST_GROUPS, p->warm, p->n_warm)
                 : SKV_OK;
}

void skv_gather_path_clear(skv_gather_path *p)
{
    free(p->kept);
    free(p->warm);
    free(p->found);
}
