/* A table by columns: {"prompt": ["a", "b"], "id": [1, 2]}, as Hugging Face's datasets give a piece
 * of one, or {"columns": ["prompt", "id"], "data": [["a", 1], ["b", 2]]}, pandas' "split". */
#include "io/prompts_json.h"
#include "io/prompts_keys.h"

#define MAX_COLUMNS 64

typedef struct {
    const char *name[MAX_COLUMNS];
    const json_t *cells[MAX_COLUMNS]; /* of a column; split: NULL */
    int n;
    size_t n_rows;
    const json_t *rows; /* split: an array of rows; else NULL */
} columns;

static bool find_split(columns *c, const json_t *root)
{
    const json_t *names = json_object_get(root, "columns"), *rows = json_object_get(root, "data");

    *c = (columns){.rows = rows, .n_rows = json_array_size(rows)};
    if (!json_is_array(json_array_get(rows, 0)) || json_array_size(names) > MAX_COLUMNS)
        return false;
    for (size_t i = 0; i < json_array_size(names); i++) {
        if (!json_is_string(json_array_get(names, i)))
            return false;
        c->name[c->n++] = json_string_value(json_array_get(names, i));
    }
    return c->n > 0;
}

/* Two arrays or more, all of one length. */
static bool find_arrays(columns *c, const json_t *root)
{
    const char *key;
    json_t *value;

    *c = (columns){0};
    json_object_foreach((json_t *)(uintptr_t)root, key, value)
    {
        if (!json_is_array(value))
            continue;
        if (c->n == MAX_COLUMNS || (c->n > 0 && json_array_size(value) != c->n_rows))
            return false;
        c->n_rows = json_array_size(value);
        c->name[c->n] = key;
        c->cells[c->n++] = value;
    }
    return c->n > 1;
}

static bool find(columns *c, const skv_prompts__builder *b, const json_t *root)
{
    skv_prompts__roles roles;
    const json_t *first;
    char why[800];

    if (!find_split(c, root) && !find_arrays(c, root))
        return false;
    if (!skv_prompts__find_roles(&roles, b, c->name, c->n, why, sizeof why))
        return false;
    first = c->rows ? json_array_get(json_array_get(c->rows, 0), (size_t)roles.text)
                    : json_array_get(c->cells[roles.text], 0);
    return json_is_string(first);
}

static bool is_columns(const skv_prompts__builder *b, const json_t *root)
{
    columns c;

    return find(&c, b, root);
}

/* *out = row i as an object (json_decref). */
static skv_status make_row(json_t **out, const columns *c, size_t i, const char *name)
{
    json_t *row = json_object();
    const json_t *cells = json_array_get(c->rows, i);

    for (int k = 0; row && k < c->n; k++) {
        json_t *v = c->rows ? json_array_get(cells, (size_t)k) : json_array_get(c->cells[k], i);

        if (v && json_object_set(row, c->name[k], v) != 0) {
            json_decref(row);
            row = NULL;
        }
    }
    if (!row)
        return skv_fail(SKV_E_MEM, "%s: out of memory for its rows", name);
    *out = row;
    return SKV_OK;
}

static skv_status add_columns(skv_prompts__builder *b, const json_t *root)
{
    columns c;

    if (!find(&c, b, root))
        return skv_fail(SKV_E_FORMAT, "%s: no table by columns", b->name);
    for (size_t i = 0; i < c.n_rows; i++) {
        json_t *row = NULL;
        skv_status st;

        SKV_TRY(make_row(&row, &c, i, b->name));
        st = skv_prompts__add_json(b, i + 1, row, NULL, false);
        json_decref(row);
        SKV_TRY(st);
    }
    return SKV_OK;
}

const skv_prompts__kind skv_prompts__columns = {"a table by columns", is_columns, add_columns};
