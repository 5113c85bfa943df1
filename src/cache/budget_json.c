/* The released budget files: {"Scale 9": {"Block 0": 1, ..., "Max": 920, "Min": 632, "High": 2,
 * "Limit": 921}, ..., "Scale 13": {...}}; src/cache/README.md, Budgets. 1 marks a drafter, High
 * counts them. skv calibrate adds "provenance", an object for the reader's eyes. The one place that
 * turns "Scale n", counted from 1, into the cut after scale index n-2. */
#include "cache/budget_internal.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/json.h"

#define NUMBERS    4 /* Max, Min, High, Limit */
#define PROVENANCE "provenance"

/* A number of a row, with both names in the message. */
static skv_status read_number(int *out, const json_t *row, const char *scale, const char *key,
                              const char *path)
{
    const json_t *v = json_object_get(row, key);
    json_int_t n = json_integer_value(v);

    if (!json_is_integer(v) || n < 0 || n > INT_MAX)
        return skv_fail(SKV_E_FORMAT, "%s: \"%s\": \"%s\" is %s, want an integer from 0 to %d",
                        path, scale, key, v ? "out of range or not an integer" : "missing",
                        INT_MAX);
    *out = (int)n;
    return SKV_OK;
}

static skv_status parse_blocks(skv_budget__row *out, const json_t *row, int depth,
                               const char *scale, const char *path)
{
    char key[32];

    for (int layer = 0; layer < depth; layer++) {
        int role = 0;

        snprintf(key, sizeof key, "Block %d", layer);
        if (!json_object_get(row, key))
            return skv_fail(SKV_E_FORMAT, "%s: \"%s\" has no \"%s\", the model has %d layers", path,
                            scale, key, depth);
        SKV_TRY(read_number(&role, row, scale, key, path));
        if (role > 1)
            return skv_fail(SKV_E_FORMAT,
                            "%s: \"%s\": \"%s\" is %d, want 1 (drafter) or 0 "
                            "(refiner)",
                            path, scale, key, role);
        out->drafters |= (uint64_t)role << layer;
    }
    return SKV_OK;
}

/* What is in the row beyond its blocks 0..depth-1 and numbers. */
static skv_status refuse_strangers(json_t *row, int depth, const char *scale, const char *path)
{
    static const char *const known[NUMBERS] = {"Max", "Min", "High", "Limit"};
    const char *key;
    json_t *value;

    json_object_foreach(row, key, value)
    {
        bool fine = false;
        char block[32];

        for (int i = 0; i < NUMBERS; i++)
            fine = fine || strcmp(key, known[i]) == 0;
        for (int layer = 0; layer < depth && !fine; layer++) {
            snprintf(block, sizeof block, "Block %d", layer);
            fine = strcmp(key, block) == 0;
        }
        if (!fine && strncmp(key, "Block ", 6) == 0)
            return skv_fail(SKV_E_FORMAT, "%s: \"%s\" has \"%s\", the model has %d layers", path,
                            scale, key, depth);
        if (!fine)
            return skv_fail(SKV_E_FORMAT, "%s: \"%s\" has an unknown key \"%s\"", path, scale, key);
    }
    return SKV_OK;
}

static skv_status parse_row(skv_budget__row *out, json_t *row, int depth, const char *scale,
                            const char *path)
{
    int high = 0, n = 0;

    if (!json_is_object(row))
        return skv_fail(SKV_E_FORMAT, "%s: \"%s\" is not an object", path, scale);
    SKV_TRY(refuse_strangers(row, depth, scale, path));
    SKV_TRY(parse_blocks(out, row, depth, scale, path));
    SKV_TRY(read_number(&out->max, row, scale, "Max", path));
    SKV_TRY(read_number(&out->min, row, scale, "Min", path));
    SKV_TRY(read_number(&out->limit, row, scale, "Limit", path));
    SKV_TRY(read_number(&high, row, scale, "High", path));
    for (uint64_t bits = out->drafters; bits; bits &= bits - 1)
        n++;
    if (n != high)
        return skv_fail(SKV_E_FORMAT, "%s: \"%s\" has High %d, but %d blocks are 1", path, scale,
                        high, n);
    return SKV_OK;
}

static skv_status refuse_other_scales(json_t *root, int n_scales, const char *path)
{
    const char *key;
    json_t *value;

    json_object_foreach(root, key, value)
    {
        bool fine = strcmp(key, PROVENANCE) == 0;
        char known[32];

        for (int n = 2; n <= n_scales && !fine; n++) {
            snprintf(known, sizeof known, "Scale %d", n);
            fine = strcmp(key, known) == 0;
        }
        if (!fine)
            return skv_fail(SKV_E_FORMAT,
                            "%s: has \"%s\", this schedule has cuts for \"Scale 2\" to "
                            "\"Scale %d\"",
                            path, key, n_scales);
    }
    return SKV_OK;
}

/* Rows must be consecutive and end with the last scale's. */
static skv_status parse_table(skv_budget *b, json_t *root, const char *path)
{
    int n_scales = b->schedule.n_scales;
    const json_t *provenance = json_object_get(root, PROVENANCE);
    size_t seen = provenance ? 1 : 0;
    char key[32];

    if (!json_is_object(root) || json_object_size(root) == seen)
        return skv_fail(SKV_E_FORMAT, "%s: want an object of \"Scale n\" rows", path);
    if (provenance && !json_is_object(provenance))
        return skv_fail(SKV_E_FORMAT, "%s: \"%s\" is not an object", path, PROVENANCE);
    for (int si = 0; si < n_scales - 1; si++) {
        json_t *row;

        snprintf(key, sizeof key, "Scale %d", si + 2);
        row = json_object_get(root, key);
        if (!row && si < b->first)
            continue;
        if (!row)
            return skv_fail(SKV_E_FORMAT, "%s: has no \"%s\", the schedule has %d scales", path,
                            key, n_scales);
        if (si < b->first)
            b->first = si;
        SKV_TRY(parse_row(&b->rows[si], row, b->depth, key, path));
        seen++;
    }
    return seen == json_object_size(root) ? SKV_OK : refuse_other_scales(root, n_scales, path);
}

skv_status skv_budget_load(skv_budget **out, const char *path, const skv_dims *dims,
                           const skv_schedule *schedule)
{
    skv_status st = SKV_OK;
    json_t *root = NULL;
    skv_budget *b = NULL;

    SKV_TRY_GOTO(skv_json_read(&root, path), done);
    SKV_TRY_GOTO(skv_budget__new(&b, dims, schedule), done);
    SKV_TRY_GOTO(parse_table(b, root, path), done);
    SKV_TRY_GOTO(skv_budget_check(b, dims, schedule, path), done);
    *out = b;
    b = NULL;
done:
    skv_budget_destroy(b);
    json_decref(root);
    return st;
}

static json_t *row_to_json(const skv_budget__row *r, int depth)
{
    skv_json_maker row = skv_json_object();
    char key[32];
    int high = 0;

    for (int layer = 0; layer < depth; layer++) {
        int role = (int)(r->drafters >> layer & 1);

        high += role;
        snprintf(key, sizeof key, "Block %d", layer);
        skv_json_put(&row, key, json_integer(role));
    }
    skv_json_put(&row, "Max", json_integer(r->max));
    skv_json_put(&row, "Min", json_integer(r->min));
    skv_json_put(&row, "High", json_integer(high));
    skv_json_put(&row, "Limit", json_integer(r->limit));
    return skv_json_take(&row);
}

skv_status skv_budget_to_json(json_t **out, const skv_budget *budget)
{
    skv_json_maker root = skv_json_object();

    for (int si = budget->first; si < budget->schedule.n_scales - 1; si++) {
        char key[32];

        snprintf(key, sizeof key, "Scale %d", si + 2);
        skv_json_put(&root, key, row_to_json(&budget->rows[si], budget->depth));
    }
    return skv_json_finish(out, &root, "budget table");
}
