#include "eval/report/calibration_page.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "core/folder.h"
#include "core/mem.h"
#include "eval/report/report_internal.h"
#include "io/h5.h"

#define MAX_BYTES ((size_t)256 << 20)

/* The tables of calibration.h5 that the page draws as they are (src/cache/README.md). */
typedef struct {
    const char *key;
    skv_h5_type type;
    int n_dims;
} table;

static const table tables[] = {
    {"schedule", SKV_H5_I32, 2},         {"current_ratio", SKV_H5_F64, 4},
    {"history_topk", SKV_H5_F64, 5},     {"entropy", SKV_H5_F64, 4},
    {"column_variance", SKV_H5_F64, 4},  {"asi", SKV_H5_F64, 4},
    {"asi_renormalised", SKV_H5_F64, 4}, {"z", SKV_H5_F64, 4}};

static const table budget_tables[] = {{"drafter", SKV_H5_U8, 2},
                                      {"chosen", SKV_H5_F64, 2},
                                      {"prompts", SKV_H5_I32, 1},
                                      {"overlap_by_prompts", SKV_H5_F64, 1},
                                      {"overlap_by_top", SKV_H5_F64, 1}};

/* What is still to be put into lists. */
typedef struct {
    const void *data;
    skv_h5_type type;
    size_t at;
} reading;

static json_t *next_number(reading *r)
{
    const size_t i = r->at++;

    if (r->type == SKV_H5_U8)
        return json_integer(((const uint8_t *)r->data)[i]);
    if (r->type == SKV_H5_I32)
        return json_integer(((const int32_t *)r->data)[i]);
    return json_real(((const double *)r->data)[i]);
}

/* Nested lists, one a dimension; at most SKV_H5_MAX_DIMS deep. */
static json_t *lists(reading *r, const int64_t *shape, int n_dims)
{
    skv_json_maker list = skv_json_array();

    for (int64_t i = 0; i < shape[0]; i++)
        skv_json_append(&list, n_dims > 1 ? lists(r, shape + 1, n_dims - 1) : next_number(r));
    return skv_json_take(&list);
}

/* to[t->key] = the table of that name in `group` ("" or "/budget-10"). */
static skv_status put_table(skv_json_maker *to, skv_h5 *f, const char *group, const table *t)
{
    skv_h5_layout want = {.type = t->type, .n_dims = t->n_dims, .shape = {-1, -1, -1, -1, -1}};
    reading r = {.type = t->type};
    void *data = NULL;
    char name[64];

    snprintf(name, sizeof name, "%s/%s", group, t->key);
    SKV_TRY(skv_h5_read(&data, f, name, &want, MAX_BYTES, false));
    r.data = data;
    skv_json_put(to, t->key, lists(&r, want.shape, t->n_dims));
    free(data);
    return SKV_OK;
}

/* Attention by source scale as means over heads: by head it would be most of the page. */
static skv_status put_mass(skv_json_maker *to, skv_h5 *f)
{
    skv_h5_layout want = {.type = SKV_H5_F64, .n_dims = 5, .shape = {-1, -1, -1, -1, -1}};
    int64_t *shape = want.shape, n;
    double *mass = NULL;
    reading r = {.type = SKV_H5_F64};

    SKV_TRY(skv_h5_read(&mass, f, "/mass", &want, MAX_BYTES, false));
    n = shape[4];
    for (int64_t i = 0; i < shape[0] * shape[1] * shape[2]; i++)
        for (int64_t s = 0; s < n; s++) {
            double sum = 0;

            for (int64_t h = 0; h < shape[3]; h++)
                sum += mass[(i * shape[3] + h) * n + s];
            mass[i * n + s] = sum / (double)shape[3]; /* read already: h = 0 of i, or before it */
        }
    shape[3] = n;
    r.data = mass;
    skv_json_put(to, "mass", lists(&r, shape, 4));
    free(mass);
    return SKV_OK;
}

static skv_status put_texts(skv_json_maker *to, const char *key, skv_h5 *f, const char *name)
{
    skv_h5_layout want = {.type = SKV_H5_TEXT, .n_dims = 1, .shape = {-1}};
    skv_json_maker list = skv_json_array();
    const char **text = NULL;

    SKV_TRY(skv_h5_read(&text, f, name, &want, MAX_BYTES, false));
    for (int64_t i = 0; i < want.shape[0]; i++)
        skv_json_append(&list, skv_report__text(text[i], 200));
    skv_json_put(to, key, skv_json_take(&list));
    free((void *)text);
    return SKV_OK;
}

static skv_status put_text(skv_json_maker *to, skv_h5 *f, const char *key)
{
    char *text = NULL;

    SKV_TRY(skv_h5_get_text(&text, f, "/", key));
    skv_json_put(to, key, skv_report__text(text, 200));
    free(text);
    return SKV_OK;
}

static skv_status put_int(skv_json_maker *to, skv_h5 *f, const char *object, const char *key)
{
    int64_t v = 0;

    SKV_TRY(skv_h5_get_int(&v, f, object, key));
    skv_json_put(to, key, json_integer(v));
    return SKV_OK;
}

static skv_status put_real(skv_json_maker *to, skv_h5 *f, const char *object, const char *key)
{
    double v = 0;

    SKV_TRY(skv_h5_get_real(&v, f, object, key));
    skv_json_put(to, key, json_real(v));
    return SKV_OK;
}

static skv_status put_budget(skv_json_maker *list, skv_h5 *f, double percent)
{
    skv_json_maker b = skv_json_object();
    char group[32], name[64];
    bool others = false;
    skv_status st = SKV_OK;

    snprintf(group, sizeof group, "/budget-%g", percent);
    snprintf(name, sizeof name, "%s/others", group);
    skv_json_put(&b, "percent", json_real(percent));
    for (size_t i = 0; i < sizeof budget_tables / sizeof *budget_tables && st == SKV_OK; i++)
        st = put_table(&b, f, group, &budget_tables[i]);
    SKV_TRY_GOTO(st, done);
    SKV_TRY_GOTO(put_int(&b, f, group, "tokens"), done);
    SKV_TRY_GOTO(put_int(&b, f, group, "first_scale"), done);
    SKV_TRY_GOTO(put_real(&b, f, group, "same_set"), done);
    SKV_TRY_GOTO(put_real(&b, f, group, "overlap_unconditional"), done);
    SKV_TRY_GOTO(put_real(&b, f, group, "overlap_both"), done);
    SKV_TRY_GOTO(put_real(&b, f, group, "overlap_one_seed"), done);
    SKV_TRY_GOTO(skv_h5_has(&others, f, name), done);
    if (others) {
        SKV_TRY_GOTO(put_texts(&b, "others", f, name), done);
        SKV_TRY_GOTO(put_table(&b, f, group, &(table){"overlap_with_others", SKV_H5_F64, 1}), done);
    }
    skv_json_append(list, skv_json_take(&b));
    return SKV_OK;
done:
    json_decref(skv_json_take(&b));
    return st;
}

static skv_status put_budgets(skv_json_maker *page, skv_h5 *f)
{
    skv_h5_layout want = {.type = SKV_H5_F64, .n_dims = 1, .shape = {-1}};
    skv_json_maker list = skv_json_array();
    double *percent = NULL;
    bool there = false;
    skv_status st;

    SKV_TRY_GOTO(skv_h5_has(&there, f, "/percent"), done);
    if (there)
        SKV_TRY_GOTO(skv_h5_read(&percent, f, "/percent", &want, MAX_BYTES, false), done);
    for (int64_t i = 0; there && i < want.shape[0] && st == SKV_OK; i++)
        st = put_budget(&list, f, percent[i]);
done:
    free(percent);
    skv_json_put(page, "budgets", skv_json_take(&list));
    return st;
}

static skv_status fill(skv_json_maker *page, skv_h5 *f)
{
    skv_status st = SKV_OK;

    for (size_t i = 0; i < sizeof tables / sizeof *tables && st == SKV_OK; i++)
        st = put_table(page, f, "", &tables[i]);
    SKV_TRY(st);
    SKV_TRY(put_mass(page, f));
    SKV_TRY(put_texts(page, "tops", f, "/top"));
    SKV_TRY(put_text(page, f, "model"));
    SKV_TRY(put_text(page, f, "index"));
    SKV_TRY(put_text(page, f, "top"));
    SKV_TRY(put_int(page, f, "/", "pictures"));
    SKV_TRY(put_int(page, f, "/", "queries"));
    return put_budgets(page, f);
}

skv_status skv_calibration_page(const char *folder)
{
    skv_json_maker page = skv_json_object();
    char *path = NULL, *text = NULL;
    json_t *value = NULL;
    skv_h5 *f = NULL;
    skv_status st;

    SKV_TRY_GOTO(skv_path_join(&path, folder, "calibration.h5"), done);
    SKV_TRY_GOTO(skv_h5_open(&f, path), done);
    SKV_TRY_GOTO(fill(&page, f), done);
    SKV_TRY_GOTO(skv_json_finish(&value, &page, "calibration.html"), done);
    SKV_TRY_GOTO(skv_json_print(&text, value, SKV_JSON_SHORT), done);
    free(path);
    path = NULL;
    SKV_TRY_GOTO(skv_path_join(&path, folder, "calibration.html"), done);
    st = skv_report__write_page(path, skv_report__calibration_head, text,
                                skv_report__calibration_tail);
done:
    json_decref(skv_json_take(&page));
    json_decref(value);
    skv_h5_close(f);
    free(path);
    free(text);
    return st;
}
