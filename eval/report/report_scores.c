/* Scores of benchmarks, from metrics.json. They say themselves what they are, so no benchmark is
 * known here by name. Those of pictures that the run does not have any more are left out. */
#include <stdio.h>
#include <string.h>

#include "eval/report/report_internal.h"

#define MAX_SCORES     4096
#define MAX_CATEGORIES 256
#define MAX_DIGITS     6
#define WORD_BYTES     120
#define TEXT_BYTES     1000

/* What a score must have, and of which type. */
typedef enum { TEXT, TEXT_OR_NULL, NUMBER_OR_NULL, COUNT, COUNT_OR_NULL, YES_OR_NO } kind;

typedef struct {
    const char *key;
    kind kind;
} field;

static const field of_score[] = {{"evaluator", TEXT},
                                 {"benchmark", TEXT},
                                 {"units", TEXT},
                                 {"score", NUMBER_OR_NULL},
                                 {"published", NUMBER_OR_NULL},
                                 {"digits", COUNT},
                                 {"pictures", COUNT},
                                 {"of", COUNT},
                                 {"first_missing", TEXT_OR_NULL},
                                 {"fault", TEXT_OR_NULL},
                                 {NULL, TEXT}};

static const field of_category[] = {{"name", TEXT},
                                    {"fine", YES_OR_NO},
                                    {"score", NUMBER_OR_NULL},
                                    {"results", COUNT_OR_NULL},
                                    {NULL, TEXT}};

static bool fits(const json_t *v, kind k)
{
    switch (k) {
    case TEXT:
        return json_is_string(v);
    case TEXT_OR_NULL:
        return json_is_string(v) || json_is_null(v);
    case NUMBER_OR_NULL:
        return json_is_number(v) || json_is_null(v);
    case COUNT:
        return json_is_integer(v) && json_integer_value(v) >= 0;
    case COUNT_OR_NULL:
        return json_is_null(v) || fits(v, COUNT);
    case YES_OR_NO:
        return json_is_boolean(v);
    }
    return false;
}

/* The listed members of an object and no others. */
static skv_status copy_fields(skv_json_maker *to, const json_t *from, const field *fields,
                              const char *file)
{
    for (const field *f = fields; f->key; f++) {
        json_t *v = json_object_get(from, f->key);
        const size_t most = strcmp(f->key, "fault") == 0 ? TEXT_BYTES : WORD_BYTES;

        if (!v || !fits(v, f->kind))
            return skv_fail(SKV_E_FORMAT, "%s: \"%s\" of a score is %s", file, f->key,
                            v ? "of another type" : "missing");
        skv_json_put(to, f->key,
                     json_is_string(v) ? skv_report__text(json_string_value(v), most)
                                       : json_incref(v));
    }
    return SKV_OK;
}

static skv_status copy_categories(skv_json_maker *to, const json_t *score, const char *file)
{
    const json_t *from = json_object_get(score, "categories");
    skv_json_maker list = skv_json_array();
    skv_status st = SKV_OK;

    if (!json_is_array(from) || json_array_size(from) > MAX_CATEGORIES)
        st = skv_fail(SKV_E_FORMAT, "%s: \"categories\" of a score is no list of up to %d", file,
                      MAX_CATEGORIES);
    for (size_t i = 0; i < json_array_size(from) && st == SKV_OK; i++) {
        skv_json_maker category = skv_json_object();

        st = copy_fields(&category, json_array_get(from, i), of_category, file);
        skv_json_append(&list, skv_json_take(&category));
    }
    skv_json_put(to, "categories", skv_json_take(&list));
    return st;
}

/* Index of the path whose present pictures a score is of, -1: of none. */
static int path_of(const skv_run_file *run, const json_t *score)
{
    const char *name = json_string_value(json_object_get(score, "path"));
    const char *digest = json_string_value(json_object_get(score, "digest"));

    for (int i = 0; name && digest && i < run->n_paths; i++)
        if (strcmp(name, run->path[i].name) == 0)
            return strcmp(digest, run->path[i].digest) == 0 &&
                           json_integer_value(json_object_get(score, "rows")) == run->n
                       ? i
                       : -1;
    return -1;
}

static skv_status copy_score(skv_json_maker *list, const json_t *score, int path, const char *file)
{
    skv_json_maker to = skv_json_object();
    skv_status st;

    skv_json_put(&to, "path", json_integer(path));
    st = copy_fields(&to, score, of_score, file);
    if (st == SKV_OK)
        st = copy_categories(&to, score, file);
    if (st == SKV_OK && json_integer_value(json_object_get(score, "digits")) > MAX_DIGITS)
        st = skv_fail(SKV_E_FORMAT, "%s: \"digits\" of a score is more than %d", file, MAX_DIGITS);
    skv_json_append(list, skv_json_take(&to));
    return st;
}

static skv_status copy_scores(skv_json_maker *page, const skv_report *r, const json_t *scores,
                              const char *file)
{
    skv_json_maker list = skv_json_array();
    skv_status st = SKV_OK;
    int64_t n_old = 0;

    if (scores && (!json_is_array(scores) || json_array_size(scores) > MAX_SCORES))
        st = skv_fail(SKV_E_FORMAT, "%s: \"scores\" is no list of up to %d", file, MAX_SCORES);
    for (size_t i = 0; i < json_array_size(scores) && st == SKV_OK; i++) {
        const json_t *score = json_array_get(scores, i);
        const int path = path_of(&r->run, score);

        n_old += path < 0;
        if (path >= 0)
            st = copy_score(&list, score, path, file);
    }
    skv_json_put(page, "scores", skv_json_take(&list));
    skv_json_put(page, "n_old_scores", json_integer(n_old));
    return st;
}

skv_status skv_report__metrics_json(json_t **out, char file[4096], const skv_report *r)
{
    skv_status st;

    *out = NULL;
    if (snprintf(file, 4096, "%s/metrics.json", r->run.folder) >= 4096)
        return skv_fail(SKV_E_ARG, "%s: the folder's name is too long", r->run.folder);
    st = skv_json_read_below(out, file, 1);
    return st == SKV_E_NOTFOUND ? SKV_OK : st;
}

skv_status skv_report__scores(skv_json_maker *page, const skv_report *r)
{
    char file[4096];
    json_t *root = NULL;
    skv_status st;

    SKV_TRY(skv_report__metrics_json(&root, file, r));
    st = copy_scores(page, r, json_object_get(root, "scores"), file);
    json_decref(root);
    return st;
}
